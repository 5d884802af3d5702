use std::ops::Range;

use memchr::memmem;
use roxmltree::Document;

use crate::outcome::RejectReason;
use crate::read::{Collector, Inherited};

/// Reads the theses of a text that is not well-formed one by one, so that a fault in one leaves
/// the others alone. Returns how many it found, readable or not.
pub(crate) fn recover(text: &str, collector: &mut Collector<'_>) -> usize {
    let mut found = 0;
    let mut root = Inherited::default();
    for piece in pieces(text) {
        match piece {
            Piece::Root(range) => root = root_of(&text[range]),
            Piece::Open(range) => {
                found += 1;
                let message = "the thesis is not closed: `</thesis>` is missing".to_owned();
                collector.reject(RejectReason::Malformed, range.clone(), range.start, message);
            }
            Piece::Thesis(range) => {
                found += 1;
                let raw = &text[range.clone()];
                if let Err(error) = collector.part(range.start, &root, raw) {
                    collector.reject_malformed(range, &error);
                }
            }
        }
    }
    found
}

enum Piece {
    /// The start tag of a `<stock-theses>`.
    Root(Range<usize>),
    /// From `<thesis` to `</thesis>`.
    Thesis(Range<usize>),
    /// From `<thesis` to the next piece or the end of the text.
    Open(Range<usize>),
}

/// Cuts a text at the tags that matter, without looking into comments and character data.
fn pieces(text: &str) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'<', &bytes[at..]) {
        at += next;
        let rest = &bytes[at..];
        let skipped = [(&b"<!--"[..], &b"-->"[..]), (b"<![CDATA[", b"]]>")]
            .iter()
            .filter(|(begin, _)| rest.starts_with(begin))
            .find_map(|(_, end)| Some(memmem::find(rest, end)? + end.len()));
        if let Some(len) = skipped {
            at += len;
        } else if is_tag(rest, b"<thesis") {
            pieces.extend(open.replace(at).map(|begin| Piece::Open(begin..at)));
            at += 1;
        } else if is_tag(rest, b"<stock-theses") {
            pieces.extend(open.take().map(|begin| Piece::Open(begin..at)));
            let len = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
            pieces.push(Piece::Root(at..at + len));
            at += len;
        } else if is_tag(rest, b"</thesis") {
            let len = memchr::memchr(b'>', rest).map_or(rest.len(), |end| end + 1);
            pieces.extend(open.take().map(|begin| Piece::Thesis(begin..at + len)));
            at += len;
        } else {
            at += 1;
        }
    }
    pieces.extend(open.map(|begin| Piece::Open(begin..text.len())));
    pieces
}

fn is_tag(rest: &[u8], name: &[u8]) -> bool {
    rest.starts_with(name)
        && matches!(rest.get(name.len()), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/'))
}

/// What a root's start tag says, or nothing where even that cannot be read.
fn root_of(tag: &str) -> Inherited<'static> {
    let mut inherited = Inherited::default();
    let open = tag.trim_end_matches('>').trim_end_matches('/');
    if let Ok(document) = Document::parse(&format!("{open}/>")) {
        for attribute in document.root_element().attributes() {
            inherited.set(attribute.name(), attribute.value().to_owned().into());
        }
    }
    inherited
}
