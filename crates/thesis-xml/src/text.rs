use std::borrow::Cow;

/// Text without the white space of its markup: runs become one space, blank lines between
/// paragraphs one blank line, and none is left at either end.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    if is_tidy(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let text = text.trim();
    let mut out = String::with_capacity(text.len());
    let (mut spaces, mut newlines) = (0, 0);
    for c in text.chars() {
        if c.is_whitespace() {
            spaces += 1;
            newlines += usize::from(c == '\n');
            continue;
        }
        match (spaces, newlines) {
            (0, _) => {}
            (_, 0 | 1) => out.push(' '),
            _ => out.push_str("\n\n"),
        }
        (spaces, newlines) = (0, 0);
        out.push(c);
    }
    Cow::Owned(out)
}

/// Whether there is nothing but ASCII, single spaces, and none at either end.
fn is_tidy(bytes: &[u8]) -> bool {
    const SHORT: usize = 32;
    if bytes.len() <= SHORT {
        let mut last = b' ';
        for &b in bytes {
            if !(b' '..0x80).contains(&b) || (b == b' ' && last == b' ') {
                return false;
            }
            last = b;
        }
        return last != b' ';
    }
    // Without an early exit the loops become vector code, which pays for long texts only.
    let odd = bytes.iter().fold(false, |odd, &b| odd | !(b' '..0x80).contains(&b));
    let pairs = bytes.iter().zip(&bytes[1..]);
    let double = pairs.fold(false, |found, (&a, &b)| found | (a == b' ') & (b == b' '));
    !odd && !double && bytes[0] != b' ' && bytes[bytes.len() - 1] != b' '
}

/// Whether there is nothing but white space of markup.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_white_space_goes_and_paragraphs_stay() {
        assert_eq!(tidy(" one two "), "one two");
        assert_eq!(tidy("\n      one\n      two  three\n"), "one two three");
        assert_eq!(tidy("one\n   \n   two\r\n\r\n\r\nthree"), "one\n\ntwo\n\nthree");
        assert_eq!(tidy("\u{a0}\t"), "");
        let long = "a long text of many words that is more than a vector wide";
        assert!(matches!(tidy(long), Cow::Borrowed(same) if same == long));
        for (place, odd) in [(1, " "), (20, "  "), (30, "\n"), (40, "\t"), (57, " "), (0, "\u{a0}")]
        {
            let mut text = long.to_owned();
            text.insert_str(place, odd);
            let words: Vec<_> = text.split_whitespace().collect();
            assert_eq!(tidy(&text), words.join(" "), "{text:?}");
        }
    }

    #[test]
    fn tidy_text_stays_as_it_is() {
        let text = tidy("a \n\n b\tc").into_owned();
        assert_eq!(tidy(&text), text);
    }
}
