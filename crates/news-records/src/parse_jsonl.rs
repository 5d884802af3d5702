use std::borrow::Cow;

use chrono_tz::Tz;
use serde_json::{Map, Value};
use thesis_core::DateOrder;

use crate::read_item::{self, Cell, Fault, NAMES, Written};
use crate::{NewsItem, Reject, RejectReason};

/// Reads news from JSON Lines: an object a line with the keys that
/// [`parse_news_csv`](crate::parse_news_csv) has as columns, read the same way; `sentiment` may be
/// a number or a text, and `null` is absent. Other keys are passed over, and so are blank lines.
///
/// Items come in the order of the file; what cannot be read becomes a [`Reject`] and costs no other
/// line. `file` is the name that items and diagnostics carry.
pub fn parse_news_jsonl(
    file: &str,
    text: &str,
    zone: Tz,
    order: DateOrder,
) -> (Vec<NewsItem>, Vec<Reject>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut items, mut rejects) = (Vec::new(), Vec::new());
    for (line, raw) in (1..).zip(text.lines()).filter(|(_, raw)| !raw.trim().is_empty()) {
        let item =
            object(raw, line).and_then(|object| item(&object, raw, (file, line), zone, order));
        match item {
            Ok(item) => items.push(item),
            Err(fault) => rejects.push(fault.reject(file, raw)),
        }
    }
    (items, rejects)
}

fn object(raw: &str, line: u64) -> Result<Map<String, Value>, Fault> {
    serde_json::from_str(raw).map_err(|error| {
        // serde_json counts bytes, and diagnostics count characters.
        let before = raw.as_bytes().iter().take(error.column().saturating_sub(1));
        let column = 1 + before.filter(|&&b| b & 0xC0 != 0x80).count() as u64;
        let message = format!("no JSON object: {error}");
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        Fault { reason: RejectReason::BadJson, line, column, message }
    })
}

fn item(
    object: &Map<String, Value>,
    raw: &str,
    (file, line): (&str, u64),
    zone: Tz,
    order: DateOrder,
) -> Result<NewsItem, Fault> {
    let text = |name, reason| -> Result<(Cow<'_, str>, u64), Fault> {
        let Some((key, value)) = object.iter().find(|(key, _)| read_item::same_name(key, name))
        else {
            return Ok((Cow::Borrowed(""), 1));
        };
        let at = raw.find(&format!("\"{key}\"")).unwrap_or(0);
        let column = 1 + raw[..at].chars().count() as u64;
        match value {
            Value::Null => Ok((Cow::Borrowed(""), column)),
            Value::String(text) => Ok((Cow::Borrowed(text), column)),
            Value::Number(number) => Ok((Cow::Owned(number.to_string()), column)),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(Fault { reason, line, column, message: format!("{name} is no text") })
            }
        }
    };
    let [ticker, published_at, title, summary, sentiment] = NAMES;
    let ticker = text(ticker, RejectReason::BadTicker)?;
    let published_at = text(published_at, RejectReason::BadTime)?;
    let title = text(title, RejectReason::BadText)?;
    let summary = text(summary, RejectReason::BadText)?;
    let sentiment = text(sentiment, RejectReason::BadSentiment)?;
    let written = Written {
        ticker: Cell { text: &ticker.0, line, column: ticker.1 },
        published_at: Cell { text: &published_at.0, line, column: published_at.1 },
        title: Cell { text: &title.0, line, column: title.1 },
        summary: Cell { text: &summary.0, line, column: summary.1 },
        sentiment: Cell { text: &sentiment.0, line, column: sentiment.1 },
    };
    read_item::read(&written, (file, line), zone, order)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> (Vec<NewsItem>, Vec<Reject>) {
        parse_news_jsonl("n.jsonl", text, chrono_tz::America::New_York, DateOrder::Refuse)
    }

    #[test]
    fn an_object_a_line() {
        let text = "\u{feff}{\"ticker\": \"aapl\", \"published_at\": \"2022-11-25T12:59:00-05:00\", \
                    \"title\": \"a\\nb\", \"summary\": null, \"sentiment\": -0.5, \"tags\": [1]}\r\n\n\
                    {\"Title\": \"t\", \"publishedAt\": \"2022-11-25\", \"ticker\": \"NFLX\", \"summary\": \
                    \"s\", \"sentiment\": \"bearish\"}";
        let (items, rejects) = parse(text);
        assert_eq!(rejects, []);
        let item = |ticker: &str, at: &str, title: &str, summary: Option<&str>, sentiment, line| {
            NewsItem {
                ticker: ticker.parse().unwrap(),
                published_at: at.parse().unwrap(),
                title: title.into(),
                summary: summary.map(str::to_owned),
                sentiment: Some(sentiment),
                file: "n.jsonl".into(),
                line,
            }
        };
        let want = [
            item("AAPL", "2022-11-25T17:59:00Z", "a b", None, -0.5, 1),
            item("NFLX", "2022-11-26T05:00:00Z", "t", Some("s"), -1.0, 3),
        ];
        assert_eq!(items, want);
    }

    #[test]
    fn bad_lines_are_rejected_with_their_place() {
        let text = "rubbish\n[1]\n{\"é\": 1,}\n{}\n\
                    {\"ticker\": \"AAPL\", \"published_at\": 1669000000, \"title\": \"t\"}\n\
                    {\"ticker\": \"AAPL\", \"published_at\": \"2022-11-25\", \"title\": [\"t\"]}\n\
                    {\"ticker\": \"AAPL\", \"published_at\": \"2022-11-25\", \"title\": \"t\", \"sentiment\": 2}\n";
        let (items, rejects) = parse(text);
        assert_eq!(items, []);
        let lines = rejects.iter().map(|r| format!("{} {}", r.reason, r.diagnostic));
        expect![[r#"
            bad_json n.jsonl:1:1: error: no JSON object: expected value
            bad_json n.jsonl:2:1: error: no JSON object: invalid type: sequence, expected a map
            bad_json n.jsonl:3:9: error: no JSON object: trailing comma
            no_ticker n.jsonl:4:1: error: no ticker
            bad_time n.jsonl:5:20: error: `1669000000` is not a date: no known spelling matches
            bad_text n.jsonl:6:50: error: title is no text
            bad_sentiment n.jsonl:7:64: error: sentiment `2` is neither a number from -1 to 1 nor a known word"#]].assert_eq(&lines.collect::<Vec<_>>().join("\n"));
        assert_eq!(rejects[0].raw, "rubbish");
        assert_eq!(parse(""), (vec![], vec![]));
    }

    proptest! {
        #[test]
        fn good_lines_survive_rubbish(rubbish in prop::collection::vec("[^\n]{0,12}", 0..8)) {
            let good = r#"{"ticker":"AAPL","published_at":"2022-11-25","title":"good"}"#;
            let text: String = rubbish.iter().map(|line| format!("{line}\n{good}\n")).collect();
            prop_assert_eq!(parse(&text).0.len(), rubbish.len());
        }
    }
}
