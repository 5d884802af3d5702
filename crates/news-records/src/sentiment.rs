use thesis_core::{ParsedNumber, parse_number};

/// Reads a sentiment from −1 to 1: a number, a word, or one of the spellings of a missing value.
///
/// A word gives a direction only, so it stands at the end of the scale, or halfway there where it is
/// qualified: `positive` and `bullish` are 1, `somewhat-bullish` is 0.5, `neutral` is 0.
///
/// `Err` for a number off the scale and for an unknown word.
pub(crate) fn parse(text: &str) -> Result<Option<f64>, OffScale> {
    match parse_number(text) {
        ParsedNumber::Missing => Ok(None),
        ParsedNumber::Value(value) if (-1.0..=1.0).contains(&value) => Ok(Some(value)),
        ParsedNumber::Value(_) => Err(OffScale),
        ParsedNumber::Unreadable => word(text).map(Some).ok_or(OffScale),
    }
}

/// Neither a number from −1 to 1 nor a known word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffScale;

fn word(text: &str) -> Option<f64> {
    let key: String =
        text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let qualified = ["somewhat", "slightly", "mildly"].iter().find_map(|q| key.strip_prefix(q));
    let strong = ["very", "strongly", "extremely"].iter().find_map(|q| key.strip_prefix(q));
    let direction = match qualified.or(strong).unwrap_or(&key) {
        "positive" | "pos" | "bullish" | "bull" | "good" => 1.0,
        "neutral" | "mixed" | "neu" => 0.0,
        "negative" | "neg" | "bearish" | "bear" | "bad" => -1.0,
        _ => return None,
    };
    Some(if qualified.is_some() { direction / 2.0 } else { direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_words_and_nothing() {
        for (text, want) in [
            ("0.25", Some(0.25)),
            ("-1", Some(-1.0)),
            (" \"+1\" ", Some(1.0)),
            ("40%", Some(0.4)),
            ("", None),
            ("NaN", None),
            ("null", None),
            ("Positive", Some(1.0)),
            ("BULLISH", Some(1.0)),
            ("Somewhat-Bearish", Some(-0.5)),
            ("very negative", Some(-1.0)),
            ("neutral", Some(0.0)),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
        for text in ["1.01", "-87", "moon", "somewhat", "😀"] {
            assert_eq!(parse(text), Err(OffScale), "{text}");
        }
    }
}
