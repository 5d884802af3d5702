use std::borrow::Cow;

use thesis_core::Thesis;

/// Writes theses as XML that [`parse_theses`](crate::parse_theses) reads back as they are.
///
/// Text keeps all but the white space that reading tidies away. Characters that XML cannot hold
/// become U+FFFD.
pub fn render_theses(theses: &[Thesis]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<stock-theses>\n");
    for thesis in theses {
        render(thesis, &mut out);
    }
    out.push_str("</stock-theses>\n");
    out
}

fn render(thesis: &Thesis, out: &mut String) {
    let Thesis { ticker, as_of_date, indicators, reasoning, support, action, .. } = thesis;
    let mut push = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    push(&["  <thesis ticker=\"", &escape(ticker.as_str()), "\""]);
    for (name, value) in [("generated-by", &thesis.generated_by), ("version", &thesis.version)] {
        if let Some(value) = value {
            push(&[" ", name, "=\"", &escape(value), "\""]);
        }
    }
    push(&[">\n    <as-of-date>", &as_of_date.to_string(), "</as-of-date>\n"]);
    if !indicators.is_empty() {
        push(&["    <indicators>\n"]);
        for (name, value) in indicators.iter() {
            let value = value.map_or("nan".to_owned(), |v| v.to_string());
            push(&["      <indicator name=\"", &escape(name), "\">", &value, "</indicator>\n"]);
        }
        push(&["    </indicators>\n"]);
    }
    push(&["    <reasoning>", &escape(reasoning), "</reasoning>\n"]);
    push(&["    <action>", action.as_str(), "</action>\n"]);
    if !support.is_empty() {
        push(&["    <support>", &escape(support), "</support>\n"]);
    }
    push(&["  </thesis>\n"]);
}

/// Text with what means something in XML as references.
fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| {
        matches!(c, '<' | '>' | '&' | '"' | '\u{FFFE}' | '\u{FFFF}')
            || (c.is_ascii_control() && c != '\n')
    };
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' | '\u{7F}' => out.push_str(&format!("&#{};", c as u32)),
            c if special(c) => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
