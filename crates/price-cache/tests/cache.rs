//! The cache against sources that are scripted here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;

use chrono::{DateTime, NaiveDate, Utc};
use price_cache::{
    Adjustment, Calendar, CheckConfig, CorporateAction, Fetched, FileSource, LoadOptions, Policy,
    PriceCache, PriceError, PriceSource, SourceError, Update, UpdateSettings, load_prices,
};
use proptest::prelude::*;
use thesis_core::{Bar, DateOrder, Ticker};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn ticker() -> Ticker {
    Ticker::new("BRK.B").unwrap()
}

/// A source that holds a series, and remembers what it was asked.
struct Scripted {
    name: &'static str,
    adjustment: Adjustment,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bars: BTreeMap<NaiveDate, Bar>,
    actions: Vec<CorporateAction>,
    fails: Option<fn() -> SourceError>,
    asked: Vec<String>,
}

impl PriceSource for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn adjustment(&self) -> Adjustment {
        self.adjustment
    }

    fn fetch(&self, _: &Ticker, from: NaiveDate, to: NaiveDate) -> Result<Fetched, SourceError> {
        let mut state = self.state.lock().unwrap();
        state.asked.push(format!("{from}..{to}"));
        if let Some(fails) = state.fails {
            return Err(fails());
        }
        // A real source sends the bar of a session that is still open.
        let bars = state.bars.range(from..).map(|(_, bar)| *bar).collect();
        Ok(Fetched { bars, actions: state.actions.clone(), ..Fetched::default() })
    }
}

impl Scripted {
    /// A bar a session of January to June 2025, at 100, 101, …
    fn new(name: &'static str, adjustment: Adjustment) -> Self {
        let xnys = Calendar::xnys();
        let days = xnys.sessions_between(day("2025-01-01"), day("2025-06-30")).unwrap();
        let bar = |(n, date)| {
            let close = 100.0 + f64::from(n);
            let (open, high, low, adj_close) = (close, close + 1.0, close - 1.0, Some(close));
            (date, Bar { date, open, high, low, close, adj_close, volume: 1000.0 })
        };
        let bars = (0..).zip(days).map(bar).collect();
        Self { name, adjustment, state: Mutex::new(State { bars, ..State::default() }) }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

struct Setting {
    folder: tempfile::TempDir,
    cache: PriceCache,
    calendar: Calendar,
    checks: CheckConfig,
}

impl Setting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = PriceCache::open(folder.path()).unwrap();
        Self { folder, cache, calendar: Calendar::xnys(), checks: CheckConfig::default() }
    }

    fn update_at(
        &self,
        now: &str,
        from: &str,
        to: &str,
        sources: &[&dyn PriceSource],
    ) -> Result<Update, PriceError> {
        let now: DateTime<Utc> = now.parse().unwrap();
        let settings = UpdateSettings { calendar: Some(&self.calendar), checks: self.checks, now };
        self.cache.update(&ticker(), day(from), day(to), sources, &settings)
    }

    fn update(&self, from: &str, to: &str, sources: &[&dyn PriceSource]) -> Update {
        self.update_at("2025-12-01T00:00:00Z", from, to, sources).unwrap()
    }

    fn dates(&self) -> Option<(NaiveDate, NaiveDate, usize)> {
        let bars = self.cache.read(&ticker()).unwrap()?.bars;
        Some((bars.first()?.date, bars.last()?.date, bars.len()))
    }
}

const NONE: [&str; 0] = [];

#[test]
fn only_what_is_missing_is_fetched() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    let first = setting.update("2025-03-03", "2025-03-14", &[&source]);
    assert_eq!(source.asked(), ["2025-03-03..2025-03-14"]);
    assert_eq!((first.new_bars, first.requests, first.notes.len()), (10, 1, 0));
    let again = setting.update("2025-03-03", "2025-03-14", &[&source]);
    assert_eq!((source.asked().len(), again.new_bars, &again.file), (0, 0, &first.file));
    // A weekend on both sides has no session.
    setting.update("2025-03-01", "2025-03-16", &[&source]);
    assert_eq!(source.asked(), NONE);
    // Later days come with the last five known bars, and with all days in between.
    let later = setting.update("2025-04-07", "2025-04-11", &[&source]);
    assert_eq!(source.asked(), ["2025-03-10..2025-04-11"]);
    assert_eq!((later.new_bars, later.refetched), (20, None));
    // Both sides at once.
    let wider = setting.update("2025-02-24", "2025-04-18", &[&source]);
    assert_eq!(source.asked(), ["2025-02-24..2025-03-07", "2025-04-07..2025-04-18"]);
    assert_eq!((wider.new_bars, wider.file.bars.len()), (9, 39));
    assert_eq!(wider.file.meta.fetched.to_string(), "2025-02-24..2025-04-18");
    let xnys = Calendar::xnys();
    let sessions = xnys.sessions_between(day("2025-02-24"), day("2025-04-18")).unwrap();
    assert!(wider.file.bars.iter().map(|bar| bar.date).eq(sessions));
    // And the loader reads what is there.
    let (prices, diagnostics) =
        load_prices(setting.folder.path(), &LoadOptions::default()).unwrap();
    assert_eq!((&prices[&ticker()], diagnostics.len()), (&wider.file.bars, 0));
    let part = setting.cache.get(&ticker(), day("2025-03-01"), day("2025-03-04")).unwrap();
    assert_eq!(part.unwrap().len(), 2);
    let other = Ticker::new("X").unwrap();
    assert_eq!(setting.cache.get(&other, day("2025-03-01"), day("2025-03-04")).unwrap(), None);
}

#[test]
fn days_before_the_listing_are_not_asked_for_again() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    setting.update("2024-12-02", "2025-01-10", &[&source]);
    assert_eq!(setting.dates(), Some((day("2025-01-02"), day("2025-01-10"), 6)));
    setting.update("2024-12-02", "2024-12-31", &[&source]);
    assert_eq!(source.asked().len(), 1);
    // Nothing at all is an answer, too, when every source says so.
    let empty = Setting::new();
    let other = Scripted::new("yahoo", Adjustment::Splits);
    for source in [&source, &other] {
        source.change(|state| state.bars.clear());
    }
    for asked in [1, 0] {
        let update = empty.update("2024-12-02", "2024-12-31", &[&source, &other]);
        assert_eq!(update.file.bars, []);
        assert_eq!([source.asked().len(), other.asked().len()], [asked, asked]);
    }
}

#[test]
fn unfinished_bars_and_late_ones() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    // 15:59 in New York on Thursday, then 16:00.
    let update = |now| setting.update_at(now, "2025-06-02", "2025-06-30", &[&source]).unwrap();
    update("2025-06-12T19:59:00Z");
    assert_eq!(setting.dates().unwrap().1, day("2025-06-11"));
    let next = update("2025-06-12T20:00:00Z");
    assert_eq!((setting.dates().unwrap().1, next.new_bars), (day("2025-06-12"), 1));
    source.asked();
    // Friday's bar is published late: its day is asked for until it is there, or a week is over.
    source.change(|state| assert!(state.bars.remove(&day("2025-06-13")).is_some()));
    source.change(|state| state.bars.retain(|date, _| *date < day("2025-06-13")));
    update("2025-06-14T00:00:00Z");
    update("2025-06-15T12:00:00Z");
    assert_eq!(source.asked(), ["2025-06-06..2025-06-13", "2025-06-06..2025-06-14"]);
    update("2025-06-30T00:00:00Z");
    update("2025-06-30T00:00:00Z");
    assert_eq!(source.asked().len(), 2);
    let file = setting.cache.read(&ticker()).unwrap().unwrap();
    assert_eq!(file.meta.fetched.to_string(), "2025-06-02..2025-06-23");
    // Nothing known, and nothing over.
    let fresh = Setting::new();
    let error = fresh.update_at("2025-06-12T19:59:00Z", "2025-06-12", "2025-06-30", &[&source]);
    assert!(matches!(error, Err(PriceError::NotFinished { .. })));
}

#[test]
fn a_split_or_dividend_brings_the_whole_history_anew() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    setting.update("2025-01-02", "2025-03-14", &[&source]);
    source.asked();
    // The adjusted closes before 2025-03-18 are rewritten.
    let halve = |state: &mut State| {
        for (_, bar) in state.bars.range_mut(..day("2025-03-18")) {
            bar.adj_close = bar.adj_close.map(|adj| adj / 2.0);
        }
    };
    source.change(halve);
    let update = setting.update("2025-03-01", "2025-03-21", &[&source]);
    let why = "the adjusted close of 2025-03-10 was 144, is 72";
    assert_eq!(update.refetched.as_deref(), Some(why));
    assert_eq!(source.asked(), ["2025-03-10..2025-03-21", "2025-01-02..2025-03-21"]);
    assert_eq!((update.requests, update.new_bars), (2, update.file.bars.len()));
    assert_eq!(update.file.bars[0].adj_close, Some(50.0));

    // Rounding is no rewriting.
    source.change(|state| {
        for bar in state.bars.values_mut() {
            bar.adj_close = bar.adj_close.map(|adj| adj * (1.0 + 1e-7));
        }
    });
    assert_eq!(setting.update("2025-03-01", "2025-03-28", &[&source]).refetched, None);
    // A dividend that is told, whatever the bars say.
    let dividend = CorporateAction::Dividend { date: day("2025-03-31"), amount: 0.5 };
    source.change(|state| state.actions.push(dividend));
    let update = setting.update("2025-03-01", "2025-04-04", &[&source]);
    assert_eq!(update.refetched.as_deref(), Some("a dividend of 0.5 on 2025-03-31"));
    assert_eq!(update.file.meta.actions, [dividend]);
    assert_eq!(setting.update("2025-03-01", "2025-04-11", &[&source]).refetched, None);
    // A bar that is gone.
    source.change(|state| assert!(state.bars.remove(&day("2025-04-10")).is_some()));
    let update = setting.update("2025-03-01", "2025-04-17", &[&source]);
    assert_eq!(update.refetched.as_deref(), Some("the bar of 2025-04-10 is gone"));
}

#[test]
fn a_history_that_shrank_does_not_replace_the_known_one() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    setting.update("2025-01-02", "2025-05-30", &[&source]);
    let before = setting.cache.read(&ticker()).unwrap();
    source.change(|state| state.bars.retain(|date, _| *date > day("2025-05-29")));
    let now = "2025-12-01T00:00:00Z";
    let error = setting.update_at(now, "2025-01-02", "2025-06-30", &[&source]).unwrap_err();
    assert!(error.to_string().contains("of 102 known bars 101 are not in"), "{error}");
    assert_eq!(setting.cache.read(&ticker()).unwrap(), before);
}

#[test]
fn sources_and_adjustments_do_not_mix() {
    let setting = Setting::new();
    let eodhd = Scripted::new("eodhd", Adjustment::Raw);
    let yahoo = Scripted::new("yahoo", Adjustment::Splits);
    yahoo.change(|state| state.bars.values_mut().for_each(|bar| bar.volume = 7.0));
    setting.update("2025-01-02", "2025-02-28", &[&eodhd, &yahoo]);
    assert_eq!(yahoo.asked(), NONE);
    eodhd.change(|state| {
        state.fails = Some(|| SourceError::Unavailable {
            source_name: "eodhd".to_owned(),
            attempts: 4,
            reason: "status 503".to_owned(),
        });
    });
    let update = setting.update("2025-01-02", "2025-03-31", &[&eodhd, &yahoo]);
    assert_eq!(update.refetched.as_deref(), Some("the source changed from eodhd to yahoo"));
    assert_eq!(update.notes[0].message, "eodhd gave no answer in 4 attempts: status 503");
    assert_eq!(yahoo.asked(), ["2025-01-02..2025-03-31"]);
    assert!(update.file.bars.iter().all(|bar| bar.volume == 7.0));
    assert_eq!(update.file.meta.adjustment, Adjustment::Splits);
    // The same name under another adjustment.
    let raw = Scripted::new("yahoo", Adjustment::Raw);
    let update = setting.update("2025-01-02", "2025-04-04", &[&raw]);
    let why = "prices adjusted for `splits` are not mixed with `raw`";
    assert_eq!(update.refetched.as_deref(), Some(why));
    assert!(update.file.bars.iter().all(|bar| bar.volume == 1000.0));
    // All fail: the cache stays, and the error has every reason.
    raw.change(|state| {
        state.fails = Some(|| SourceError::NoSuchTicker {
            source_name: "yahoo".to_owned(),
            ticker: ticker(),
        });
    });
    let now = "2025-12-01T00:00:00Z";
    let error = setting.update_at(now, "2025-01-02", "2025-06-30", &[&eodhd, &raw]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no source gave prices of BRK.B: eodhd gave no answer in 4 attempts: status 503; yahoo \
         does not know BRK.B"
    );
    assert_eq!(setting.cache.read(&ticker()).unwrap().unwrap(), update.file);
}

#[test]
fn a_source_with_nothing_gives_way_to_one_that_has_it() {
    let setting = Setting::new();
    let eodhd = Scripted::new("eodhd", Adjustment::Raw);
    let yahoo = Scripted::new("yahoo", Adjustment::Splits);
    eodhd.change(|state| state.bars.clear());
    let update = setting.update("2025-01-02", "2025-02-28", &[&eodhd, &yahoo]);
    assert_eq!(update.file.meta.source, "yahoo");
}

#[test]
fn faults_follow_their_policies() {
    let mut setting = Setting::new();
    let source = Scripted::new("eodhd", Adjustment::Raw);
    source.change(|state| {
        state.bars.get_mut(&day("2025-01-03")).unwrap().high = 1.0;
        state.bars.get_mut(&day("2025-01-07")).unwrap().close = 101.5;
    });
    let update = setting.update("2025-01-02", "2025-01-08", &[&source]);
    let notes: Vec<&str> = update.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        notes,
        [
            "2025-01-03: the high 1 is below the low 100 (dropped)",
            "2025-01-06: no bar for the session before it, 2025-01-03",
            "2025-01-07: the close 101.5 is outside of low to high, 102 to 104 (dropped)",
            "2025-01-08: no bar for the session before it, 2025-01-07",
        ]
    );
    assert_eq!(setting.dates().unwrap().2, 3);
    setting.checks.impossible = Policy::Fail;
    let fresh = tempfile::tempdir().unwrap();
    setting.cache = PriceCache::open(fresh.path()).unwrap();
    let now = "2025-12-01T00:00:00Z";
    let error = setting.update_at(now, "2025-01-02", "2025-01-08", &[&source]).unwrap_err();
    let want = "BRK.B: 2025-01-03: the high 1 is below the low 100 (and 1 more)";
    assert_eq!(error.to_string(), want);
    assert_eq!(setting.dates(), None);
}

#[test]
fn files_are_read_anew_each_time() {
    let setting = Setting::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BRK.B.csv");
    let head = "date,open,high,low,close,volume\n2025-01-02,9,9,8,8,1\n";
    let update = |more: &str| {
        fs::write(&path, format!("{head}{more}")).unwrap();
        let order = DateOrder::Refuse;
        let opened = FileSource::open(folder.path(), "csv", Adjustment::Raw, &[ticker()], order);
        setting.update("2025-01-01", "2025-01-31", &[&opened.unwrap().0])
    };
    assert_eq!(update("").file.bars.len(), 1);
    let longer = update("2025-01-03,9,9,8,8.5,1\n");
    assert_eq!((longer.file.bars.len(), longer.new_bars), (2, 1));
    assert_eq!(update("2025-01-03,9,9,8,8.25,1\n").file.bars[1].close, 8.25);
    // What is the same is not written again.
    let path = setting.cache.path(&ticker());
    let before = fs::read(&path).unwrap();
    let now = "2025-12-02T00:00:00Z";
    let opened =
        FileSource::open(folder.path(), "csv", Adjustment::Raw, &[ticker()], DateOrder::Refuse);
    let source = opened.unwrap().0;
    setting.update_at(now, "2025-01-01", "2025-01-31", &[&source]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    // A new cache, at another time, has the same bytes.
    let fresh = Setting::new();
    fresh.update_at(now, "2025-01-01", "2025-01-31", &[&source]).unwrap();
    assert_eq!(fs::read(fresh.cache.path(&ticker())).unwrap(), before);
}

#[test]
fn damaged_files_and_those_of_other_programs() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    let path = setting.cache.path(&ticker());
    setting.update("2025-01-02", "2025-01-31", &[&source]);
    let good = fs::read(&path).unwrap();
    for cut in [0, 3, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..cut]).unwrap();
        let update = setting.update("2025-01-02", "2025-01-31", &[&source]);
        assert!(update.notes[0].message.ends_with("its prices are fetched again"), "{cut}");
        assert_eq!(fs::read(&path).unwrap(), good);
    }
    let root =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/prices-parquet/decimal.parquet");
    fs::copy(root, &path).unwrap();
    let foreign = fs::read(&path).unwrap();
    let now = "2025-12-01T00:00:00Z";
    let error = setting.update_at(now, "2025-01-02", "2025-01-31", &[&source]).unwrap_err();
    assert!(matches!(error, PriceError::Columns { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), foreign);
}

#[test]
fn what_a_killed_process_left_is_no_price_and_is_swept() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    setting.update("2025-01-02", "2025-01-31", &[&source]);
    let partial = setting.folder.path().join(".partial-abc123");
    fs::write(&partial, "PAR1 half").unwrap();
    fs::write(setting.folder.path().join(".BRK.B.lock"), "").unwrap();
    let (prices, diagnostics) =
        load_prices(setting.folder.path(), &LoadOptions::default()).unwrap();
    assert_eq!((prices.len(), diagnostics.len()), (1, 0));
    let written: DateTime<Utc> = partial.metadata().unwrap().modified().unwrap().into();
    setting.cache.remove_leftovers(written + chrono::TimeDelta::minutes(59)).unwrap();
    assert!(partial.exists());
    setting.cache.remove_leftovers(written + chrono::TimeDelta::minutes(61)).unwrap();
    assert!(!partial.exists() && setting.dates().is_some());
}

#[test]
fn many_updates_at_once_ask_once_and_lose_nothing() {
    let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
    let months = ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30", "2025-05-30"];
    std::thread::scope(|scope| {
        for to in months.iter().cycle().take(20) {
            let (setting, source) = (&setting, &source);
            scope.spawn(move || {
                setting.update("2025-01-02", to, &[source]);
            });
        }
    });
    assert_eq!(setting.dates(), Some((day("2025-01-02"), day("2025-05-30"), 102)));
    let asked = source.asked();
    assert!((1..=5).contains(&asked.len()), "{asked:?}");
    let names = fs::read_dir(setting.folder.path()).unwrap();
    let mut names: Vec<String> =
        names.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".BRK.B.lock", "BRK.B.parquet"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// However a cache came about, it holds what one fetch of all its days would give, even where
    /// the source rewrites its history in between.
    #[test]
    fn any_way_leads_to_the_same_bars(
        updates in prop::collection::vec((0..180_u64, 0..40_u64, prop::option::of(0..180_u64)), 1..8),
    ) {
        let (setting, source) = (Setting::new(), Scripted::new("eodhd", Adjustment::Raw));
        let date = |n| day("2025-01-01") + chrono::Days::new(n);
        let (mut last, mut asked) = (NaiveDate::MIN, Vec::new());
        for (from, len, dividend) in updates {
            let (from, to) = (date(from), date((from + len).min(179)));
            // A dividend lowers all adjusted closes before it. It is seen with the next new session.
            let sessions = setting.calendar.sessions_between(from, to).unwrap();
            let sees_it = sessions.last().is_some_and(|session| session > last);
            let is_new = |paid: &NaiveDate| sees_it && last < *paid && *paid <= to;
            if let Some(paid) = dividend.map(date).filter(is_new) {
                source.change(|state| {
                    for (_, bar) in state.bars.range_mut(..paid) {
                        bar.adj_close = bar.adj_close.map(|adj| adj * 0.99);
                    }
                });
            }
            setting.update(&from.to_string(), &to.to_string(), &[&source]);
            last = last.max(to);
            asked.push((from, to));
        }
        let bars = source.state.lock().unwrap().bars.clone();
        let of = |first, last| bars.range(first..=last).map(|(_, bar)| *bar).collect::<Vec<_>>();
        let got = setting.cache.read(&ticker()).unwrap().unwrap();
        let known = got.meta.fetched.hull().unwrap();
        prop_assert!(got.bars == of(known.0, known.1), "{:?}", got.meta);
        for (from, to) in asked {
            prop_assert!(of(from, to).iter().all(|bar| got.bars.contains(bar)), "{from}..{to}");
        }
    }
}
