use std::borrow::Cow;

/// Text without the white space of its markup: runs become one space, blank lines between
/// paragraphs one blank line, and none is left at either end.
pub(crate) fn tidy(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let bytes = text.as_bytes();
    // Without an early exit the loops become vector code.
    let odd = bytes.iter().fold(false, |odd, &b| odd | !(b' '..0x80).contains(&b));
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    if !odd && !pairs.fold(false, |found, (&a, &b)| found | (a == b' ') & (b == b' ')) {
        return Cow::Borrowed(text);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_white_space_goes_and_paragraphs_stay() {
        assert_eq!(tidy(" one two "), "one two");
        assert_eq!(tidy("\n      one\n      two  three\n"), "one two three");
        assert_eq!(tidy("one\n   \n   two\r\n\r\n\r\nthree"), "one\n\ntwo\n\nthree");
        assert_eq!(tidy("\u{a0}\t"), "");
    }

    #[test]
    fn tidy_text_stays_as_it_is() {
        let text = tidy("a \n\n b\tc").into_owned();
        assert_eq!(tidy(&text), text);
    }
}
