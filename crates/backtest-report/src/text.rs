//! Text on its way into XML or HTML.

/// One line that XML 1.0 can hold: line breaks and tabs become spaces, and characters that XML has
/// no way to write become U+FFFD.
pub(crate) fn plain_line(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' => {
            char::REPLACEMENT_CHARACTER
        }
        other => other,
    };
    text.chars().map(plain).collect()
}

/// A line as the content of an element or of a quoted attribute, in XML and in HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain_line(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_lose_their_meaning() {
        let check = |text: &str, expected: &str| assert_eq!(escape(text), expected);
        check("R&D <b> \"x\" 'y'", "R&amp;D &lt;b&gt; &quot;x&quot; &#39;y&#39;");
        check("&amp;", "&amp;amp;");
        check("a\nb\0c\u{FFFF}", "a b\u{FFFD}c\u{FFFD}");
        check("Größe 数 −", "Größe 数 −");
    }
}
