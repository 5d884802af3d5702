use chrono_tz::Tz;
use thesis_core::DateOrder;

use crate::csv_rows::{self, Field};
use crate::read_item::{self, Cell, Fault, NAMES, REQUIRED, Written};
use crate::{NewsItem, Reject, RejectReason};

/// Reads news from CSV (RFC 4180) with the columns `ticker`, `published_at`, `title` and, where
/// present, `summary` and `sentiment`, in any order and case; other columns are passed over.
///
/// - `published_at` is an instant: RFC 3339 with an offset. A stamp without one is read in `zone`.
///   A bare date, read as `order` says, is the **end** of that day in `zone`, since nothing says
///   that the item was known before.
/// - `sentiment` is a number from −1 to 1, or a word such as `positive`, `bearish` or
///   `somewhat-bullish`, or missing.
/// - White space in titles and summaries, line breaks too, becomes one space.
///
/// Items come in the order of the file; what cannot be read becomes a [`Reject`] and costs no other
/// row. `file` is the name that items and diagnostics carry.
///
/// ```
/// let text = "ticker,published_at,title\nAAPL,2022-11-25 12:59,\"Fridays, early\"\nAAPL,soon,?\n";
/// let zone = chrono_tz::America::New_York;
/// let (items, rejects) = news_records::parse_news_csv("n.csv", text, zone, Default::default());
/// assert_eq!(items[0].published_at.to_rfc3339(), "2022-11-25T17:59:00+00:00");
/// assert_eq!(rejects[0].reason, news_records::RejectReason::BadTime);
/// ```
pub fn parse_news_csv(
    file: &str,
    text: &str,
    zone: Tz,
    order: DateOrder,
) -> (Vec<NewsItem>, Vec<Reject>) {
    let mut rows = csv_rows::rows(text.strip_prefix('\u{feff}').unwrap_or(text));
    let (mut items, mut rejects) = (Vec::new(), Vec::new());
    let no_header = |line, message: String, raw: &str| {
        Fault { reason: RejectReason::NoHeader, line, column: 1, message }.reject(file, raw)
    };
    let Some(first) = rows.next() else {
        return (items, vec![no_header(1, "no header: the file is empty".to_owned(), "")]);
    };
    let header = first.content.unwrap_or_default();
    let columns =
        NAMES.map(|name| header.iter().position(|field| read_item::same_name(&field.text, name)));
    if columns[..REQUIRED].contains(&None) {
        let missing = NAMES.iter().zip(columns).take(REQUIRED).filter(|(_, at)| at.is_none());
        let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
        let found: Vec<&str> = header.iter().map(|field| field.text.trim()).collect();
        let (missing, found) = (missing.join(", "), found.join(", "));
        let message = format!("missing columns: {missing}; found: {found}");
        return (items, vec![no_header(first.line, message, first.raw)]);
    }
    for row in rows {
        let fields = row.content.map_err(|quote| Fault {
            reason: RejectReason::BadQuotes,
            line: quote.line,
            column: quote.column,
            message: quote.reason.to_owned(),
        });
        let item = fields.and_then(|fields| {
            let written = written(&fields, header.len(), columns, row.line)?;
            read_item::read(&written, (file, row.line), zone, order)
        });
        match item {
            Ok(item) => items.push(item),
            Err(fault) => rejects.push(fault.reject(file, row.raw)),
        }
    }
    (items, rejects)
}

/// The item's fields in a row, which must have as many as the header: with an unquoted comma in a
/// title, each field after it would be taken for another. Empty ones at the end are no matter.
fn written(
    fields: &[Field],
    width: usize,
    columns: [Option<usize>; 5],
    line: u64,
) -> Result<Written<'_>, Fault> {
    let too_many = fields.iter().skip(width).any(|field| !field.text.trim().is_empty());
    if fields.len() < width || too_many {
        let reason = RejectReason::FieldCount;
        let message = format!("{} fields under a header of {width}", fields.len());
        return Err(Fault { reason, line, column: 1, message });
    }
    let cell = |column: Option<usize>| match column {
        Some(at) => {
            let Field { line, column, text } = &fields[at];
            Cell { text, line: *line, column: *column }
        }
        None => Cell { text: "", line, column: 1 },
    };
    let [ticker, published_at, title, summary, sentiment] = columns.map(cell);
    Ok(Written { ticker, published_at, title, summary, sentiment })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> (Vec<NewsItem>, Vec<Reject>) {
        parse_news_csv("n.csv", text, chrono_tz::America::New_York, DateOrder::Refuse)
    }

    fn check(text: &str, want: &Expect) {
        let (items, rejects) = parse(text);
        let items = items.into_iter().map(|item| {
            let NewsItem { ticker, published_at, title, summary, sentiment, file: _, line } = item;
            format!("{line}: {ticker} {published_at} {title:?} {summary:?} {sentiment:?}")
        });
        let rejects = rejects.iter().map(|r| format!("{} {} {:?}", r.reason, r.diagnostic, r.raw));
        want.assert_eq(&items.chain(rejects).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn columns_in_any_order_with_others_between() {
        check(
            "\u{feff}Title,source,TICKER,Published At,sentiment\r\n\
             \"Two\r\nlines, one title\",wire,aapl,2022-11-25T12:59:00-05:00,-0.5\r\n\
             \"He said \"\"no\"\"\",,NFLX,2022-11-25,bullish,\r\n\r\n",
            &expect![[r#"
                2: AAPL 2022-11-25 17:59:00 UTC "Two lines, one title" None Some(-0.5)
                4: NFLX 2022-11-26 05:00:00 UTC "He said \"no\"" None Some(1.0)"#]],
        );
        check(
            "ticker,published_at,title,summary\nAAPL,2022-11-25 09:00,t,\" \ts\u{2028}u \"\n",
            &expect![[r#"2: AAPL 2022-11-25 14:00:00 UTC "t" Some("s u") None"#]],
        );
    }

    #[test]
    fn bad_rows_are_rejected_with_their_place_and_text() {
        check(
            "ticker,published_at,title,summary,sentiment\n\
             ,2022-11-25,t,s,0\n\
             A|B,2022-11-25,t,s,0\n\
             AAPL,,t,s,0\n\
             AAPL,11/05/2022,t,s,0\n\
             AAPL,2022-11-25,\" \",s,0\n\
             AAPL,2022-11-25,t,s,7\n\
             AAPL,2022-11-25,a, b,s,0\n\
             AAPL,2022-11-25\n\
             AAPL,2022-11-25,\"open,s,0\n\
             AAPL,2022-11-25,\"two\nlines\",s,moon\n\
             AAPL,2022-11-25,good,s,0\n",
            &expect![[r#"
                13: AAPL 2022-11-26 05:00:00 UTC "good" Some("s") Some(0.0)
                no_ticker n.csv:2:1: error: no ticker ",2022-11-25,t,s,0"
                bad_ticker n.csv:3:1: error: `A|B` is not a ticker: it has a character other than letters, digits and . - ^ = / "A|B,2022-11-25,t,s,0"
                no_time n.csv:4:6: error: no time of publication "AAPL,,t,s,0"
                bad_time n.csv:5:6: error: `11/05/2022` is not a date: day and month could be swapped; write it as YYYY-MM-DD "AAPL,11/05/2022,t,s,0"
                no_title n.csv:6:17: error: no title "AAPL,2022-11-25,\" \",s,0"
                bad_sentiment n.csv:7:21: error: sentiment `7` is neither a number from -1 to 1 nor a known word "AAPL,2022-11-25,t,s,7"
                field_count n.csv:8:1: error: 6 fields under a header of 5 "AAPL,2022-11-25,a, b,s,0"
                field_count n.csv:9:1: error: 2 fields under a header of 5 "AAPL,2022-11-25"
                bad_quotes n.csv:10:17: error: text after the quote that closes this one; write a quote inside of quotes twice "AAPL,2022-11-25,\"open,s,0"
                bad_sentiment n.csv:12:10: error: sentiment `moon` is neither a number from -1 to 1 nor a known word "AAPL,2022-11-25,\"two\nlines\",s,moon""#]],
        );
    }

    #[test]
    fn without_a_header_nothing_is_read() {
        check("", &expect![[r#"no_header n.csv:1:1: error: no header: the file is empty """#]]);
        check(
            "\nticker;published_at;title\nAAPL;2022-11-25;t\n",
            &expect![[
                r#"no_header n.csv:2:1: error: missing columns: ticker, published_at, title; found: ticker;published_at;title "ticker;published_at;title""#
            ]],
        );
        check("ticker,published_at,title\n", &expect![[r#""#]]);
    }

    proptest! {
        #[test]
        fn good_rows_survive_rubbish(
            rubbish in prop::collection::vec("(\"|a|\u{0}|'|\r|é| ){0,8}", 0..8),
        ) {
            let mut text = "ticker,published_at,title,summary,sentiment\n".to_owned();
            for line in &rubbish {
                text += &format!("{line}\nAAPL,2022-11-25,good,,0.5\n");
            }
            let (items, _) = parse(&text);
            prop_assert_eq!(items.len(), rubbish.len());
        }

        #[test]
        fn any_text_is_read(text in "(ticker|published_at|title|,|\"|\n|\\PC){0,40}") {
            parse(&text);
        }
    }
}
