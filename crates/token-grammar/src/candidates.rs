use crate::Vocabulary;
use crate::parser_state::{ByteSet, Cause, ParserState};

/// Bytes that tend to close something, the strongest first; then some that go on.
const PREFERRED: &[u8] = b"\"}])>'<,:;/.\n -";

/// Tokens that are worth a try on the way to an end, the likeliest first.
///
/// Special tokens come first, then bytes that close something, then others. Of the bytes after which
/// just the same may follow as before, such as letters within a text, one stands for all: a text
/// that takes any letter ends as soon with one as with another. Beginnings of longer characters are last.
pub(crate) fn candidates(
    state: &mut ParserState,
    vocabulary: &Vocabulary,
) -> Result<Vec<u32>, Cause> {
    let mut found = Vec::new();
    for id in vocabulary.named().iter().take(64) {
        if state.valid(&[*id])? == 1 {
            found.push(*id);
        }
    }
    let (here, _) = state.bytes(&[])?;
    let first = representatives(here);
    let (_, after) = state.bytes(&first)?;
    let (mut moves, mut stays, mut beyond) = (Vec::new(), None, Vec::new());
    for (byte, after) in first.into_iter().zip(after) {
        if byte >= 128 {
            beyond.push(byte);
        } else if after != here {
            moves.push(byte);
        } else if stays.is_none() || byte == b'a' {
            stays = Some(byte);
        }
    }
    for byte in moves.into_iter().chain(stays).chain(beyond) {
        // Most vocabularies have each byte as a token; else another token must do.
        for id in vocabulary.beginning_with(byte).iter().take(8) {
            if state.valid(&[*id])? == 1 {
                found.push(*id);
                break;
            }
        }
    }
    Ok(found)
}

/// The bytes of a set, the likeliest to close something first; a few for the rest where there are
/// many letters, digits or beginnings of characters beyond ASCII.
fn representatives(set: ByteSet) -> Vec<u8> {
    let has = |byte: &u8| set[usize::from(byte / 64)] >> (byte % 64) & 1 == 1;
    let mut all: Vec<u8> = PREFERRED.iter().copied().filter(has).collect();
    let digits: Vec<u8> = (b'0'..=b'9').filter(has).collect();
    let letters: Vec<u8> = (b'a'..=b'z').chain(b'A'..=b'Z').filter(has).collect();
    let rest = (0..128).filter(|b: &u8| !b.is_ascii_alphanumeric() && !PREFERRED.contains(b));
    let rest: Vec<u8> = rest.filter(has).collect();
    let beyond: Vec<u8> = (128..=255).filter(has).collect();
    for (group, few) in [(digits, 3), (letters, 3), (rest, 3), (beyond, 1)] {
        // With few letters a choice among words is likely, and any may be the shortest one.
        let taken = if group.len() <= 8 { group.len() } else { few };
        all.extend(&group[..taken]);
    }
    all
}
