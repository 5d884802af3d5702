/// Whether Python's `str.split` and `str.rstrip` take the character for white space: the Unicode
/// property and the four ASCII separators, which Rust does not count.
pub(super) fn is_python_whitespace(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
