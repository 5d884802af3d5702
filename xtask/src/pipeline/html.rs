/// Text as it stands between tags and in attributes.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // No text of a stage has them on purpose, and HTML forbids them.
            c if c.is_control() && !"\n\t".contains(c) => html.push('\u{fffd}'),
            c => html.push(c),
        }
    }
    html
}

/// A path as a link takes it.
pub(super) fn link_path(path: &str) -> String {
    let mut url = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b'~' => {
                url.push(char::from(byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(
            escaped("<b>\"a\" & 'b'\u{7}</b>"),
            "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}&lt;/b&gt;"
        );
        assert_eq!(link_path("a b/c:d#é.html"), "a%20b/c%3Ad%23%C3%A9.html");
    }
}
