//! The fixtures from text to records.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use expect_test::{Expect, expect};
use news_records::{
    Levels, NewsConfig, NewsItem, NewsRecords, news_records, parse_news_csv, parse_news_jsonl,
};
use support::{close_of, prices};
use thesis_core::{Completion, DateOrder, Record};

const CSV: &str = include_str!("../../../fixtures/news/news.csv");
const JSONL: &str = include_str!("../../../fixtures/news/news.jsonl");

fn news() -> Vec<NewsItem> {
    let zone = NewsConfig::default().zone;
    let (mut items, _) = parse_news_csv("news.csv", CSV, zone, DateOrder::Refuse);
    items.extend(parse_news_jsonl("news.jsonl", JSONL, zone, DateOrder::Refuse).0);
    items
}

fn made(config: &NewsConfig) -> NewsRecords {
    news_records(&prices(), &news(), &close_of, config).unwrap()
}

fn find<'a>(made: &'a NewsRecords, uid: &str) -> &'a Record {
    made.records.iter().find(|record| record.uid == uid).unwrap()
}

#[test]
fn rejects_name_place_and_reason() {
    let zone = NewsConfig::default().zone;
    let (_, mut rejects) = parse_news_csv("news.csv", CSV, zone, DateOrder::Refuse);
    rejects.extend(parse_news_jsonl("news.jsonl", JSONL, zone, DateOrder::Refuse).1);
    let lines: Vec<String> =
        rejects.iter().map(|r| format!("{} [{}]", r.diagnostic, r.reason)).collect();
    expect![[r#"
        news.csv:19:6: error: `11/05/2022` is not a date: day and month could be swapped; write it as YYYY-MM-DD [bad_time]
        news.csv:20:6: error: `yesterday` is not a date: no known spelling matches [bad_time]
        news.csv:21:1: error: no ticker [no_ticker]
        news.csv:22:1: error: `A|B` is not a ticker: it has a character other than letters, digits and . - ^ = / [bad_ticker]
        news.csv:23:32: error: no title [no_title]
        news.csv:24:57: error: sentiment `87` is neither a number from -1 to 1 nor a known word [bad_sentiment]
        news.csv:25:1: error: 7 fields under a header of 6 [field_count]
        news.csv:26:32: error: this quote is not closed [bad_quotes]
        news.csv:28:1: error: 2 fields under a header of 6 [field_count]
        news.jsonl:6:20: error: `1674230400` is not a date: no known spelling matches [bad_time]
        news.jsonl:7:65: error: title is no text [bad_text]
        news.jsonl:8:92: error: no JSON object: EOF while parsing a string [bad_json]
        news.jsonl:9:1: error: no JSON object: invalid type: sequence, expected a map [bad_json]
        news.jsonl:10:2: error: no JSON object: expected ident [bad_json]"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn a_record_for_each_close_with_fresh_news() {
    let made = made(&NewsConfig::default());
    let mut lines: Vec<String> = made
        .records
        .iter()
        .map(|r| format!("{} {} {}:{}", r.uid, r.action, r.metadata.file, r.metadata.line))
        .collect();
    lines.push(format!("duplicates {}", made.duplicates));
    lines.extend(made.skipped.iter().map(|(reason, count)| format!("{reason} {count}")));
    expect![[r#"
        AAPL|2022-11-14|0 HOLD news.csv:3
        AAPL|2022-11-15|0 HOLD news.csv:4
        AAPL|2022-11-25|0 HOLD news.csv:9
        AAPL|2022-11-28|0 HOLD news.csv:11
        AAPL|2023-01-23|0 HOLD news.jsonl:11
        NFLX|2022-11-15|0 SELL news.csv:5
        NFLX|2022-12-01|0 HOLD news.csv:27
        NFLX|2022-12-09|0 SELL news.csv:13
        NFLX|2022-12-12|0 SELL news.csv:14
        NFLX|2023-01-20|0 BUY news.jsonl:2
        duplicates 2
        no_prices 1
        after_prices 1
        short_history 1
        past_end 1"#]]
    .assert_eq(&lines.join("\n"));
    for record in &made.records {
        let completion = Completion::parse(&record.output).unwrap();
        assert_eq!(completion.to_string(), record.output);
        assert_eq!(completion.action, record.action);
    }
}

#[test]
fn a_record_reads_well() {
    let check = |levels, uid, want: Expect| {
        let config = NewsConfig { levels, bars: 6, ..NewsConfig::default() };
        let made = made(&config);
        let record = find(&made, uid);
        want.assert_eq(&format!("{}\n\n{}\n", record.input, record.output));
    };
    check(
        Levels::Indexed,
        "AAPL|2022-11-25|0",
        expect![[r#"
            Ticker: AAPL
            Date: 2022-11-25
            Return(1d)=-0.0196
            Return(5d)=-0.0173
            Daily volatility(6)=0.0164
            News count=2
            Mean sentiment=0.1
            Last 6 sessions, oldest first
            Level, last close = 100: 101.76 102.15 99.93 101.40 102.00 100.00
            Return to last close, %: +1.76 +2.15 -0.07 +1.40 +2.00 +0.00
            Volume / mean: 1.34 1.25 0.98 0.87 0.97 0.59
            News known by the close, newest first
            2022-11-25 12:59 EST | sentiment +0.60 | Queues outside of stores on a half day | Shop staff count more visitors than last year; the market closes at 13:00 today, and this came one second before.
            2022-11-24 00:00 EST | sentiment -0.40 | Bare date: known when the day had ended | The market is closed on the 24th and closes early on the 25th.

            <reasoning>AAPL fell 1.7 % over the last 6 sessions, with a daily volatility of 1.6 %. 2 recent news items known by the close, with a mean sentiment of +0.10. The newest: "Queues outside of stores on a half day". Recommendation for the next 5 sessions: HOLD.</reasoning><support>target 99.80 (-0.2 % in 5 sessions) | confidence 0.51</support><action>HOLD</action>
        "#]],
    );
    check(
        Levels::Quoted,
        "NFLX|2022-12-09|0",
        expect![[r#"
            Ticker: NFLX
            Date: 2022-12-09
            Close=320.01
            Return(1d)=0.0314
            Return(5d)=-0.0012
            Daily volatility(6)=0.0235
            News count=1
            Mean sentiment=0.3
            Last 6 sessions, oldest first
            Level, last close as quoted: 320.41 312.59 305.56 308.42 310.26 320.01
            Return to last close, %: +0.12 -2.32 -4.52 -3.62 -3.05 +0.00
            Volume / mean: 1.32 0.88 0.75 0.81 0.75 1.49
            News known by the close, newest first
            2022-12-09 05:00 EST | sentiment +0.30 | Long summary | This summary goes on for longer than an input has room for. It says that a studio has been bought, that the price was not named, that the seller had looked for a buyer since the spring, that two other bidders had dropped out in the autumn,…

            <reasoning>NFLX fell 0.1 % over the last 6 sessions, with a daily volatility of 2.3 %. 1 recent news item known by the close, with a mean sentiment of +0.30. The newest: "Long summary". Recommendation for the next 5 sessions: STRONG_SELL.</reasoning><support>target 290.71 (-9.2 % in 5 sessions) | confidence 0.85</support><action>STRONG_SELL</action>
        "#]],
    );
}

#[test]
fn dates_bound_the_records() {
    let date = |text: &str| Some(text.parse().unwrap());
    let config =
        NewsConfig { from: date("2022-11-15"), to: date("2022-11-25"), ..NewsConfig::default() };
    let made = made(&config);
    let uids: Vec<&str> = made.records.iter().map(|record| record.uid.as_str()).collect();
    assert_eq!(uids, ["AAPL|2022-11-15|0", "AAPL|2022-11-25|0", "NFLX|2022-11-15|0"]);
}

#[test]
fn nothing_in_nothing_out() {
    let config = NewsConfig::default();
    let none = news_records(&prices(), &[], &close_of, &config).unwrap();
    assert_eq!(none, NewsRecords::default());
    let unpriced = news_records(&[].into(), &news(), &close_of, &config).unwrap();
    assert_eq!(unpriced.records, []);
    let empty = prices().into_keys().map(|ticker| (ticker, vec![])).collect();
    let empty = news_records(&empty, &news(), &close_of, &config).unwrap();
    assert_eq!(empty.records, []);
}
