//! Bytes that must come, as tokens.

use crate::Vocabulary;
use crate::shorten::fewest_tokens;

/// Forced bytes in as few tokens as possible.
pub(crate) fn fewest_forced_tokens(bytes: &[u8], vocabulary: &Vocabulary) -> Vec<u32> {
    let mut tokens = Vec::new();
    for part in parts(bytes) {
        match part {
            Part::Text(text) => tokens.extend(fewest_tokens(text, vocabulary)),
            Part::Special(id) => tokens.push(id),
        }
    }
    tokens
}

/// Forced bytes as the model's tokenizer cuts them, as far as that is known.
pub(crate) fn canonical_tokens(bytes: &[u8], vocabulary: &Vocabulary) -> Vec<u32> {
    let mut tokens = Vec::new();
    let parts = parts(bytes);
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Special(id) => tokens.push(*id),
            Part::Text(text) => {
                let Some(mut cut) = vocabulary.tokenize(text) else { break };
                if at + 1 == parts.len() {
                    cut.pop();
                }
                tokens.extend(cut);
            }
        }
    }
    tokens
}

#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a [u8]),
    Special(u32),
}

/// Text and special tokens, which stand among forced bytes as `\xFF[ID]`.
fn parts(bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (text, after) =
            rest.split_at(rest.iter().position(|byte| *byte == 0xFF).unwrap_or(rest.len()));
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        rest = after;
        if let Some((id, length)) = special(rest) {
            parts.push(Part::Special(id));
            rest = &rest[length..];
        } else if !rest.is_empty() {
            break;
        }
    }
    parts
}

fn special(bytes: &[u8]) -> Option<(u32, usize)> {
    let inner = bytes.strip_prefix(b"\xFF[")?;
    let length = inner.iter().position(|byte| *byte == b']')?;
    let id = std::str::from_utf8(&inner[..length]).ok()?.parse().ok()?;
    Some((id, length + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_stand_among_text() {
        let check = |bytes: &[u8], want: &[Part<'_>]| assert_eq!(parts(bytes), want);
        check(b"", &[]);
        check(b"ab", &[Part::Text(b"ab")]);
        check(b"\xFF[12]\xFF[3]a[4]", &[Part::Special(12), Part::Special(3), Part::Text(b"a[4]")]);
        check(b"a\xFF[7]", &[Part::Text(b"a"), Part::Special(7)]);
        check(b"a\xFF[x]b", &[Part::Text(b"a")]);
    }
}
