//! A quick reader for plain XML: a thesis takes half the time that building a document takes.
//!
//! It takes the subset that programs write (no document type, no processing instructions, ASCII
//! names without namespaces, the five predefined entities and character references) and gives up
//! at the first sign of anything else. What it gives up on, [`crate::document`] reads, which is
//! the judge of what is well-formed: what this reader accepts, that one reads the same way. The
//! fuzz target holds the two against each other.

use std::borrow::Cow;

use memchr::{memchr, memchr3, memmem};

use crate::read::{Collector, Inherited, MAX_DEPTH};
use crate::tree::Tree;

/// Hands every thesis of `text` to `collector`; `None` where the text is not plain, and the
/// collector then holds a part only.
pub(crate) fn read_plain(text: &str, collector: &mut Collector<'_>) -> Option<()> {
    if !has_only_plain_characters(text.as_bytes()) {
        return None;
    }
    let mut reader = Reader {
        text,
        at: declaration_len(text)?,
        tree: Tree::default(),
        outer: Vec::new(),
        begin: 0,
        root_closed: false,
    };
    while let Some(raw) = RawText::up_to_tag(&text[reader.at..]) {
        reader.text(raw)?;
        match text.as_bytes().get(reader.at + 1)? {
            b'/' => reader.end_tag(collector)?,
            b'!' => reader.comment_or_cdata()?,
            _ => reader.start_tag(collector)?,
        }
    }
    text[reader.at..].bytes().all(is_space).then_some(())?;
    (reader.root_closed && reader.outer.is_empty() && reader.tree.depth() == 0).then_some(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The thesis being read.
    tree: Tree<'a>,
    /// The elements around it.
    outer: Vec<(&'a str, Inherited<'a>)>,
    /// Where the thesis begins.
    begin: usize,
    root_closed: bool,
}

impl<'a> Reader<'a> {
    fn text(&mut self, raw: RawText<'a>) -> Option<()> {
        if self.tree.depth() > 0 {
            if !raw.text.is_empty() {
                self.tree.text(raw.decode()?, self.at);
            }
        } else if self.outer.is_empty() {
            raw.text.bytes().all(is_space).then_some(())?;
        } else {
            raw.decode()?;
        }
        self.at += raw.text.len();
        Some(())
    }

    fn end_tag(&mut self, collector: &mut Collector<'_>) -> Option<()> {
        let in_thesis = self.tree.depth() > 0;
        let open = if in_thesis { self.tree.innermost()? } else { self.outer.pop()?.0 };
        let rest = self.text[self.at + 2..].strip_prefix(open)?.as_bytes();
        let spaces = rest.iter().take_while(|b| is_space(**b)).count();
        (*rest.get(spaces)? == b'>').then_some(())?;
        self.at += "</>".len() + open.len() + spaces;
        if in_thesis {
            self.tree.close();
            self.thesis_closed(collector);
        } else {
            self.root_closed = self.outer.is_empty();
        }
        Some(())
    }

    fn comment_or_cdata(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            let len = memmem::find(comment.as_bytes(), b"--")?;
            comment[len + 2..].starts_with('>').then_some(())?;
            self.at += "<!---->".len() + len;
        } else {
            let cdata = rest.strip_prefix("<![CDATA[")?;
            let len = memmem::find(cdata.as_bytes(), b"]]>")?;
            if self.tree.depth() > 0 {
                self.tree.text(unify_line_ends(&cdata[..len]), self.at);
            } else if self.outer.is_empty() {
                return None;
            }
            self.at += "<![CDATA[]]>".len() + len;
        }
        Some(())
    }

    fn start_tag(&mut self, collector: &mut Collector<'_>) -> Option<()> {
        let begin = self.at;
        if self.root_closed || self.tree.depth() + self.outer.len() >= MAX_DEPTH {
            return None;
        }
        let name = take_name(self.text, begin + 1)?;
        self.at = begin + 1 + name.len();
        if self.tree.depth() > 0 || name == "thesis" {
            if self.tree.depth() == 0 {
                self.begin = begin;
            }
            self.tree.open(name, begin);
            while let Some((name, value)) = self.attribute()? {
                self.tree.attribute(name, value).then_some(())?;
            }
            if self.tag_end()? {
                self.tree.close();
                self.thesis_closed(collector);
            }
        } else {
            let mut inherited = self.outer.last().map(|(_, i)| i.clone()).unwrap_or_default();
            let mut seen: Vec<&str> = Vec::new();
            while let Some((name, value)) = self.attribute()? {
                (!seen.contains(&name)).then_some(())?;
                seen.push(name);
                inherited.set(name, value);
            }
            if self.tag_end()? {
                self.root_closed = self.outer.is_empty();
            } else {
                self.outer.push((name, inherited));
            }
        }
        Some(())
    }

    /// The next attribute of a start tag; `Some(None)` at its end.
    fn attribute(&mut self) -> Option<Option<(&'a str, Cow<'a, str>)>> {
        let bytes = self.text.as_bytes();
        let from = self.at;
        while is_space(*bytes.get(self.at)?) {
            self.at += 1;
        }
        if matches!(bytes[self.at], b'>' | b'/') {
            return Some(None);
        }
        let name =
            take_name(self.text, self.at).filter(|name| self.at > from && *name != "xmlns")?;
        let quote_at = self.at + name.len() + 1;
        let quote = *bytes.get(quote_at).filter(|q| matches!(q, b'"' | b'\''))?;
        (bytes[quote_at - 1] == b'=').then_some(())?;
        let mut end = quote_at + 1;
        let mut has_references = false;
        // Values are short: one plain loop beats several searches.
        loop {
            match *bytes.get(end)? {
                b if b == quote => break,
                b'<' | ..b' ' => return None,
                b'&' => has_references = true,
                _ => {}
            }
            end += 1;
        }
        let value = &self.text[quote_at + 1..end];
        self.at = end + 1;
        let value = if has_references { decode_references(value)? } else { Cow::Borrowed(value) };
        Some(Some((name, value)))
    }

    /// Steps over `>` or `/>`; whether the element is empty.
    fn tag_end(&mut self) -> Option<bool> {
        let rest = &self.text.as_bytes()[self.at..];
        let (len, empty) = match rest {
            [b'>', ..] => (1, false),
            [b'/', b'>', ..] => (2, true),
            _ => return None,
        };
        self.at += len;
        Some(empty)
    }

    fn thesis_closed(&mut self, collector: &mut Collector<'_>) {
        if self.tree.depth() == 0 {
            let range = self.begin..self.at;
            if let Some((_, inherited)) = self.outer.last() {
                collector.thesis(&self.tree, inherited, range);
            } else {
                collector.thesis(&self.tree, &Inherited::default(), range);
                self.root_closed = true;
            }
            self.tree.clear();
        }
    }
}

/// Length of the XML declaration in the two forms that programs write, or 0 where there is none.
fn declaration_len(text: &str) -> Option<usize> {
    if !text.starts_with("<?") {
        return Some(0);
    }
    let known = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "<?xml version=\"1.0\"?>",
    ];
    known.iter().find(|declaration| text.starts_with(**declaration)).map(|d| d.len())
}

/// Neither control characters nor the two that XML leaves out at the end of the first plane.
fn has_only_plain_characters(bytes: &[u8]) -> bool {
    let control = |b: u8| b < b' ' && !is_space(b);
    // In pieces, so that the loop over each has no early exit and becomes vector code.
    let mut may_be_left_out = false;
    for piece in bytes.chunks(4096) {
        let (found, lead) = piece
            .iter()
            .fold((false, false), |(found, lead), &b| (found | control(b), lead | (b == 0xEF)));
        if found {
            return false;
        }
        may_be_left_out |= lead;
    }
    !may_be_left_out
        || [b"\xEF\xBF\xBE", b"\xEF\xBF\xBF"].iter().all(|c| memmem::find(bytes, *c).is_none())
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// What a byte may be part of.
#[derive(Clone, Copy)]
enum Class {
    Other,
    Name,
    Tag,
    /// In a text: not to be taken as it stands.
    Suspect,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut b = 0;
    while b < 256 {
        classes[b] = match b as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => Class::Name,
            b'<' => Class::Tag,
            b'&' | b']' | b'\r' => Class::Suspect,
            _ => Class::Other,
        };
        b += 1;
    }
    classes
};

/// The ASCII name at `from`, without a colon.
fn take_name(text: &str, from: usize) -> Option<&str> {
    let rest = text.as_bytes().get(from..)?;
    let len = rest.iter().position(|&b| !matches!(CLASSES[usize::from(b)], Class::Name))?;
    let follows_plainly = matches!(rest[len], b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/' | b'=');
    let starts_plainly = rest[0].is_ascii_alphabetic() || rest[0] == b'_';
    (follows_plainly && starts_plainly).then(|| &text[from..from + len])
}

/// Text as it stands before a tag.
struct RawText<'a> {
    text: &'a str,
    /// It has a `&`, a `]` or a carriage return, and may not stay as it is.
    suspect: bool,
}

impl<'a> RawText<'a> {
    /// The text before the first `<`; `None` where there is none.
    fn up_to_tag(rest: &'a str) -> Option<Self> {
        const SHORT: usize = 32;
        let bytes = rest.as_bytes();
        let mut suspect = false;
        // Most texts are figures and indentation: one plain loop beats two searches.
        for (len, &b) in bytes[..bytes.len().min(SHORT)].iter().enumerate() {
            match CLASSES[usize::from(b)] {
                Class::Tag => return Some(Self { text: &rest[..len], suspect }),
                Class::Suspect => suspect = true,
                Class::Name | Class::Other => {}
            }
        }
        let from = bytes.len().min(SHORT);
        let len = from + memchr(b'<', &bytes[from..])?;
        suspect |= memchr3(b'&', b']', b'\r', &bytes[from..len]).is_some();
        Some(Self { text: &rest[..len], suspect })
    }

    /// The text with its references replaced and its line ends unified; `None` for an unknown
    /// reference, or for a stray `]]>`.
    fn decode(&self) -> Option<Cow<'a, str>> {
        if !self.suspect {
            return Some(Cow::Borrowed(self.text));
        }
        memmem::find(self.text.as_bytes(), b"]]>").is_none().then_some(())?;
        Some(match unify_line_ends(self.text) {
            Cow::Borrowed(text) => decode_references(text)?,
            Cow::Owned(text) => Cow::Owned(decode_references(&text)?.into_owned()),
        })
    }
}

/// Text with `\n` for each `\r\n` and each lone `\r`, as XML wants it.
fn unify_line_ends(raw: &str) -> Cow<'_, str> {
    match memchr(b'\r', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(_) => Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n")),
    }
}

/// Text with its references replaced; `None` for an unknown one.
fn decode_references(raw: &str) -> Option<Cow<'_, str>> {
    let Some((before, mut rest)) = raw.split_once('&') else { return Some(Cow::Borrowed(raw)) };
    let mut out = String::with_capacity(raw.len());
    out.push_str(before);
    loop {
        let (reference, after) = rest.split_once(';')?;
        out.push(match reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => character(reference.strip_prefix('#')?)?,
        });
        let Some((before, next)) = after.split_once('&') else {
            out.push_str(after);
            return Some(Cow::Owned(out));
        };
        out.push_str(before);
        rest = next;
    }
}

/// The character of a numeric reference, where XML allows it.
fn character(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
    let c = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    let allowed = matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    allowed.then_some(c)
}
