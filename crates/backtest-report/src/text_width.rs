//! How wide a text will be, without a font at hand: each character has the width it has in DejaVu
//! Sans, the widest of the fonts that `system-ui` commonly stands for. A real font is narrower, so
//! what does not overlap here does not overlap on a screen.

/// Width in pixels of `text` at a font size of `size` pixels.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// Width in pixels of a bold `text`.
pub(crate) fn bold_width(text: &str, size: f64) -> f64 {
    text_width(text, size) * 1.12
}

/// `text` if it fits into `width` pixels, else its beginning and an ellipsis.
pub(crate) fn fit(text: &str, size: f64, width: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let room = width - text_width("…", size);
    let mut used = 0.0;
    let mut short: String = text
        .chars()
        .take_while(|c| {
            used += em(*c) * size;
            used <= room
        })
        .collect();
    short.truncate(short.trim_end().len());
    short + "…"
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.34,
        ' ' | '.' | ',' | ':' | ';' | 'I' | '·' | '!' => 0.40,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '"' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' => 1.0,
        'A'..='Z' | '&' => 0.78,
        '+' | '=' | '<' | '>' | '−' | '×' | '±' | '≤' | '≥' | '→' => 0.84,
        ' '..='\u{24F}' | '–' => 0.64,
        // Other alphabets stay below one em, ideographs and pictures fill it.
        '\u{250}'..='\u{10FF}' => 0.9,
        _ => 1.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_whole_and_the_rest_ends_in_an_ellipsis() {
        let check = |text: &str, width: f64, expected: &str| {
            let fitted = fit(text, 10.0, width);
            assert_eq!(fitted, expected);
            assert!(text_width(&fitted, 10.0) <= width.max(10.0), "{fitted}");
        };
        check("", 5.0, "");
        check("equity", 100.0, "equity");
        check("buy and hold", 45.0, "buy a…");
        check("buy and hold", 30.0, "buy…");
        check("数数数", 25.0, "数…");
        check("equity", 0.0, "…");
    }
}
