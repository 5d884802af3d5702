use super::rule::{Signals, Strength};
use super::*;

fn embedded() -> MakeMarketArgs {
    MakeMarketArgs {
        seed: 7,
        out: None,
        stocks: None,
        first_year: 2020,
        sessions: 920,
        every: 3,
        random_actions: false,
    }
}

#[test]
fn the_committed_files_are_what_the_generator_writes() {
    let folder = root().join("fixtures/quickstart");
    let files = market_files(&embedded()).unwrap();
    assert_eq!(files.len(), 2 * EMBEDDED.len());
    for (name, text) in files {
        let committed = fs::read_to_string(folder.join(&name)).unwrap();
        assert!(committed == text, "{name} differs; `cargo xtask make-market` writes it anew");
    }
}

#[test]
fn another_market_shares_no_stock_and_no_price() {
    let embedded = market_files(&embedded()).unwrap();
    let other = MakeMarketArgs { seed: 101, stocks: Some(9), first_year: 2013, ..self::embedded() };
    let other = market_files(&other).unwrap();
    for (name, text) in &other {
        assert!(embedded.iter().all(|(known, _)| known != name), "{name}");
        if name.starts_with("prices") {
            let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
            let known: Vec<String> = embedded.iter().flat_map(|(_, text)| lines(text)).collect();
            assert!(!lines(text).iter().any(|line| known.contains(line)), "{name}");
        }
    }
    assert!(market_files(&MakeMarketArgs { sessions: 271, ..self::embedded() }).is_err());
    assert!(market_files(&MakeMarketArgs { every: 0, ..self::embedded() }).is_err());
}

/// Days as the calendar XNYS of exchange-calendars 4.13.2 has them.
#[test]
fn sessions_are_those_of_new_york() {
    let days: Vec<String> = sessions(2020, 1_100).iter().map(Day::to_string).collect();
    let in_year = |year: &str| days.iter().filter(|day| day.starts_with(year)).count();
    assert_eq!(
        [in_year("2020"), in_year("2021"), in_year("2022"), in_year("2023")],
        [253, 252, 251, 250]
    );
    let check =
        |day: &str, want: bool| assert_eq!(days.iter().any(|known| known == day), want, "{day}");
    for closed in [
        "2020-01-01",
        "2020-01-20",
        "2020-04-10",
        "2020-07-03",
        "2021-04-02",
        "2021-05-31",
        "2021-11-25",
        "2021-12-24",
        "2022-06-20",
        "2022-12-26",
        "2023-01-02",
        "2023-06-19",
        "2023-09-04",
    ] {
        check(closed, false);
    }
    // Juneteenth was none before 2022, and a New Year's Day on a Saturday is not kept on the day before.
    for open in ["2020-02-28", "2020-06-19", "2021-06-18", "2021-12-31", "2022-01-03"] {
        check(open, true);
    }
}

#[test]
fn points_make_the_call() {
    use Strength::{Neutral, Overbought, Oversold, Unknown};
    let check = |up: &str, strength: Strength, want: &str| {
        let signal = |c: char| match c {
            '+' => Some(true),
            '-' => Some(false),
            _ => None,
        };
        let signals: Vec<Option<bool>> = up.chars().map(signal).collect();
        let signals = Signals { up: signals.try_into().unwrap(), strength };
        assert_eq!(signals.action(), want, "{up} {strength:?}");
    };
    check("++++", Neutral, "STRONG_BUY");
    check("++++", Overbought, "STRONG_BUY");
    check("+++?", Unknown, "STRONG_BUY");
    check("+++?", Overbought, "BUY");
    check("+++-", Neutral, "BUY");
    check("++--", Neutral, "HOLD");
    check("++--", Oversold, "BUY");
    check("++--", Overbought, "SELL");
    check("????", Unknown, "HOLD");
    check("---+", Neutral, "SELL");
    check("---+", Overbought, "STRONG_SELL");
    check("----", Oversold, "STRONG_SELL");
    check("----", Neutral, "STRONG_SELL");
}
