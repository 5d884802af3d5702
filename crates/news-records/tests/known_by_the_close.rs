//! Nothing that happened after the as-of close reaches what a model is shown.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

mod support;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use news_records::{Levels, NewsConfig, NewsError, NewsItem, Skip, news_records};
use proptest::prelude::*;
use support::{close_of, day, prices};
use thesis_core::{Action, Bar, Completion, Record, Ticker};

fn aapl() -> Ticker {
    Ticker::new("AAPL").unwrap()
}

fn item(published_at: DateTime<Utc>, title: &str) -> NewsItem {
    NewsItem {
        ticker: aapl(),
        published_at,
        title: title.to_owned(),
        summary: None,
        sentiment: Some(0.5),
        file: "n.csv".to_owned(),
        line: 2,
    }
}

/// Sixty weekdays with prices that move.
fn weekdays(first: NaiveDate) -> Vec<Bar> {
    let dates = first.iter_days().filter(|d| d.format("%u").to_string().as_str() < "6").take(60);
    let bar = |(i, date): (usize, NaiveDate)| {
        let close = 100.0 + 10.0 * (i as f64).sin();
        Bar { date, open: close, high: close, low: close, close, adj_close: None, volume: 1e6 }
    };
    dates.enumerate().map(bar).collect()
}

#[test]
fn one_second_decides() {
    let second = TimeDelta::seconds(1);
    for (first, date, next) in [
        ("2022-10-10", "2022-11-21", "2022-11-22"),
        ("2022-10-10", "2022-11-25", "2022-11-28"),
        ("2022-10-03", "2022-11-04", "2022-11-07"),
        ("2022-10-03", "2022-11-07", "2022-11-08"),
        ("2023-02-01", "2023-03-10", "2023-03-13"),
        ("2023-02-01", "2023-03-13", "2023-03-14"),
    ] {
        let prices = BTreeMap::from([(aapl(), weekdays(day(first)))]);
        let close = close_of(day(date));
        let news = [
            item(close - second, "before"),
            item(close, "at the close"),
            item(close + second, "after"),
        ];
        let made = news_records(&prices, &news, &close_of, &NewsConfig::default()).unwrap();
        let [at, later] = &made.records[..] else { panic!("{made:?}") };
        assert_eq!((at.as_of_date.day(), later.as_of_date.day()), (day(date), day(next)));
        for (record, seen) in [(at, false), (later, true)] {
            assert!(record.input.contains("before") && record.input.contains("at the close"));
            assert_eq!(record.input.contains("| after"), seen, "{date}: {}", record.input);
            assert_eq!(record.output.contains("\"after\""), seen, "{date}: {}", record.output);
        }
    }
}

#[test]
fn the_label_follows_from_the_horizon() {
    let (config, date) = (NewsConfig::default(), day("2022-11-21"));
    let check = |factor: f64, want: Action, support: &str| {
        let mut bars = weekdays(day("2022-10-10"));
        let at = bars.iter().position(|bar| bar.date == date).unwrap();
        bars[at + config.horizon].close = bars[at].close * factor;
        let prices = BTreeMap::from([(aapl(), bars)]);
        let made = news_records(&prices, &[item(close_of(date), "t")], &close_of, &config).unwrap();
        let completion = Completion::parse(&made.records[0].output).unwrap();
        assert_eq!((completion.action, completion.support.as_str()), (want, support), "{factor}");
        assert!(completion.reasoning.ends_with(&format!("for the next 5 sessions: {want}.")));
    };
    check(1.5, Action::StrongBuy, "target 150.00 (+50.0 % in 5 sessions) | confidence 0.96");
    check(1.1, Action::Buy, "target 110.00 (+10.0 % in 5 sessions) | confidence 0.66");
    check(1.0, Action::Hold, "target 100.00 (+0.0 % in 5 sessions) | confidence 0.50");
    check(0.9, Action::Sell, "target 90.00 (-10.0 % in 5 sessions) | confidence 0.66");
    check(0.5, Action::StrongSell, "target 50.00 (-50.0 % in 5 sessions) | confidence 0.96");
}

#[test]
fn sessions_that_cannot_be_labelled_are_counted() {
    let bars = weekdays(day("2022-10-10"));
    let at = |index: usize| item(close_of(bars[index].date), "t");
    let late = item(close_of(bars[59].date) + TimeDelta::seconds(1), "t");
    let news = [at(0), at(18), at(19), at(54), at(55), at(59), late];
    let prices = BTreeMap::from([(aapl(), bars.clone())]);
    let made = news_records(&prices, &news, &close_of, &NewsConfig::default()).unwrap();
    let dates: Vec<NaiveDate> = made.records.iter().map(|r| r.as_of_date.day()).collect();
    assert_eq!(dates, [bars[19].date, bars[54].date]);
    let want = [(Skip::ShortHistory, 2), (Skip::PastEnd, 2), (Skip::AfterPrices, 1)];
    assert_eq!(made.skipped, want.into());

    let flat = bars.iter().map(|bar| Bar { close: 7.0, ..*bar }).collect();
    let flat = BTreeMap::from([(aapl(), flat)]);
    let made = news_records(&flat, &[at(30)], &close_of, &NewsConfig::default()).unwrap();
    assert_eq!((made.records.len(), made.skipped), (0, [(Skip::FlatPrices, 1)].into()));
}

#[test]
fn prices_out_of_order_are_refused() {
    let news = [item(close_of(day("2022-11-21")), "t")];
    let refused = |bars: Vec<Bar>| {
        let prices = BTreeMap::from([(aapl(), bars)]);
        news_records(&prices, &news, &close_of, &NewsConfig::default()).unwrap_err()
    };
    let mut bars = weekdays(day("2022-10-10"));
    bars.swap(3, 4);
    assert!(matches!(refused(bars), NewsError::Order { .. }));
    let mut bars = weekdays(day("2022-10-10"));
    bars[5].close = 0.0;
    assert!(matches!(refused(bars), NewsError::Price { price: 0.0, .. }));
}

#[test]
fn later_splits_and_dividends_change_nothing() {
    let news: Vec<NewsItem> =
        (20..80).map(|i| item(close_of(prices()[&aapl()][i].date), "t")).collect();
    let made = |levels, split: f64, dividend: f64| {
        let mut prices = prices();
        for bar in prices.get_mut(&aapl()).unwrap() {
            bar.close *= split;
            bar.adj_close = bar.adj_close.map(|price| price * split * dividend);
            bar.volume /= split;
        }
        let config = NewsConfig { levels, ..NewsConfig::default() };
        news_records(&prices, &news, &close_of, &config).unwrap()
    };
    // Powers of two, so that the rescaled series has the same digits to the last.
    let indexed = made(Levels::Indexed, 1.0, 1.0);
    assert!(indexed.records.len() > 50);
    assert_eq!(made(Levels::Indexed, 0.25, 0.5), indexed);
    let quoted = made(Levels::Quoted, 1.0, 1.0);
    assert_eq!(made(Levels::Quoted, 1.0, 0.5), quoted);
    assert_ne!(made(Levels::Quoted, 0.5, 1.0), quoted);
}

/// All of a record but the label: what a model is shown, and the facts of the rationale.
fn shown(record: &Record) -> (String, String, String, String) {
    let completion = Completion::parse(&record.output).unwrap();
    let (facts, _) = completion.reasoning.rsplit_once(" Recommendation").unwrap();
    let figures = format!("{:?} {:?}", record.indicators, record.metadata);
    (record.uid.clone(), record.input.clone(), facts.to_owned(), figures)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_future_is_not_shown(
        news in prop::collection::vec((0..90_usize, -2..=2_i64, "[a-z]{1,8}"), 1..40),
        at in 19..84_usize,
        prices_after in prop::collection::vec((0.01..1e4_f64, prop::option::of(0.01..1e4_f64)), 90),
        news_after in prop::collection::vec((0..90_usize, 1..90_000_i64, "[A-Z]{1,8}"), 0..40),
        quoted in any::<bool>(),
        bars in 3..24_usize,
    ) {
        let prices = prices();
        let real = &prices[&aapl()];
        let levels = if quoted { Levels::Quoted } else { Levels::Indexed };
        let config = NewsConfig { levels, bars, ..NewsConfig::default() };
        let as_of = close_of(real[at].date);
        let published = |session: usize, seconds| {
            close_of(real[session].date) + TimeDelta::seconds(seconds)
        };
        let items: Vec<NewsItem> =
            news.iter().map(|(session, s, title)| item(published(*session, *s), title)).collect();

        let mut later = real.clone();
        for (bar, (price, adjusted)) in later.iter_mut().zip(&prices_after).skip(at + 1) {
            let (open, high, low, close) = (*price, *price, *price, *price);
            let (adj_close, volume) = (*adjusted, price * 1e3);
            *bar = Bar { date: bar.date, open, high, low, close, adj_close, volume };
        }
        let mut other: Vec<NewsItem> =
            items.iter().filter(|item| item.published_at <= as_of).cloned().collect();
        let fresh = news_after.iter().map(|(session, s, title)| item(published(*session, *s), title));
        other.extend(fresh.filter(|item| item.published_at > as_of));
        other.reverse();

        let up_to = |bars: Vec<Bar>, items: &[NewsItem]| {
            let made = news_records(&[(aapl(), bars)].into(), items, &close_of, &config).unwrap();
            let known = made.records.into_iter().filter(|r| r.as_of_date.day() <= real[at].date);
            known.collect::<Vec<Record>>()
        };
        let (before, after) = (up_to(real.clone(), &items), up_to(later, &other));
        let of = |records: &[Record]| records.iter().map(shown).collect::<Vec<_>>();
        prop_assert_eq!(of(&before), of(&after));
        for (a, b) in before.iter().zip(&after) {
            let horizon = real.iter().position(|bar| bar.date == a.as_of_date.day()).unwrap() + 5;
            prop_assert!(horizon > at || a == b, "a label changed without need");
        }
        let cut = up_to(real[..=at].to_vec(), &items);
        prop_assert!(cut.iter().all(|record| before.contains(record)));
    }
}
