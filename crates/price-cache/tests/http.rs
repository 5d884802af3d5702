//! Both web services against a local server with answers of the real shapes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[expect(unreachable_pub, reason = "the tests of fetch-prices use it, too")]
mod mock_server;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use mock_server::{MockServer, Reply};
use price_cache::{
    ApiKey, Clock, CorporateAction, Eodhd, Fetched, HttpClient, HttpSettings, PriceSource,
    SourceError, Yahoo,
};
use thesis_core::Ticker;

/// A clock that waiting moves on, and nothing else.
#[derive(Debug)]
struct TestClock(Mutex<(DateTime<Utc>, Vec<Duration>)>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().0
    }

    fn sleep(&self, time: Duration) {
        let mut state = self.0.lock().unwrap();
        state.0 += time;
        state.1.push(time);
    }
}

struct Setting {
    server: MockServer,
    clock: Arc<TestClock>,
    client: Arc<HttpClient>,
}

impl Setting {
    fn new() -> Self {
        Self::with(HttpSettings { rate: 0.0, ..HttpSettings::default() })
    }

    fn with(settings: HttpSettings) -> Self {
        let now = "2020-12-01T00:00:00Z".parse().unwrap();
        let clock = Arc::new(TestClock(Mutex::new((now, Vec::new()))));
        let client = Arc::new(HttpClient::new(settings, Arc::clone(&clock) as Arc<dyn Clock>));
        Self { server: MockServer::start(), clock, client }
    }

    fn eodhd(&self) -> Eodhd {
        let key = ApiKey::new(KEY).unwrap();
        Eodhd::new(Arc::clone(&self.client), &self.server.url(), key).unwrap()
    }

    fn yahoo(&self) -> Yahoo {
        Yahoo::new(Arc::clone(&self.client), &self.server.url())
    }

    fn waits(&self) -> Vec<Duration> {
        std::mem::take(&mut self.clock.0.lock().unwrap().1)
    }
}

/// A key with characters that a query must not hold as they are.
const KEY: &str = "s3cret/key+1";

const EODHD: &str = include_str!("../../../fixtures/prices-http/eodhd-eod.json");
const SPLITS: &str = include_str!("../../../fixtures/prices-http/eodhd-splits.json");
const DIVIDENDS: &str = include_str!("../../../fixtures/prices-http/eodhd-div.json");
const YAHOO: &str = include_str!("../../../fixtures/prices-http/yahoo-chart.json");
const YAHOO_EMPTY: &str = include_str!("../../../fixtures/prices-http/yahoo-empty.json");
const YAHOO_NOT_FOUND: &str = include_str!("../../../fixtures/prices-http/yahoo-not-found.json");
const YAHOO_BEFORE: &str = include_str!("../../../fixtures/prices-http/yahoo-before-listing.json");

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn fetch(source: &dyn PriceSource, ticker: &str) -> Result<Fetched, SourceError> {
    source.fetch(&Ticker::new(ticker).unwrap(), day("2020-08-26"), day("2020-09-02"))
}

/// What went wrong, with the key nowhere in it.
fn error(source: &dyn PriceSource) -> String {
    let error = fetch(source, "AAPL").unwrap_err();
    let texts = [error.to_string(), format!("{error:?}"), format!("{error:#?}")];
    for text in &texts {
        assert!(!text.contains("s3cret"), "{text}");
    }
    error.to_string()
}

fn lines(fetched: &Fetched) -> Vec<String> {
    let bars = fetched.bars.iter().map(|b| {
        let adj_close = b.adj_close.map_or("-".to_owned(), |adj| adj.to_string());
        format!("{} {} {} {} {} {adj_close} {}", b.date, b.open, b.high, b.low, b.close, b.volume)
    });
    bars.chain(fetched.diagnostics.iter().map(ToString::to_string)).collect()
}

#[test]
fn eodhd_gives_raw_bars_splits_and_dividends() {
    let setting = Setting::new();
    setting.server.on("/api/eod/", [Reply::json(EODHD)]);
    setting.server.on("/api/splits/", [Reply::json(SPLITS)]);
    setting.server.on("/api/div/", [Reply::json(DIVIDENDS)]);
    let fetched = fetch(&setting.eodhd(), "brk.b").unwrap();
    assert_eq!(
        lines(&fetched),
        [
            "2020-08-26 504.72 507.97 500.33 506.09 123.4 40755567",
            "2020-08-27 508.57 509.94 495.33 500.04 121.93 38888096",
            "2020-08-28 504.05 505.77 498.31 499.23 121.73 46907479",
            "2020-08-31 127.58 131 126 129.04 125.86 225702700",
            "2020-09-01 132.76 134.8 130.53 134.18 130.87 151948100",
        ]
    );
    assert_eq!(
        fetched.actions,
        [
            CorporateAction::Dividend { date: day("2020-08-07"), amount: 0.82 },
            CorporateAction::Split { date: day("2020-08-31"), ratio: 4.0 },
        ]
    );
    let requests = setting.server.requests();
    let targets: Vec<&str> = requests.iter().map(|request| request.target.as_str()).collect();
    let query =
        "BRK-B.US?from=2020-08-26&to=2020-09-02&period=d&fmt=json&api_token=s3cret%2Fkey%2B1";
    let want = ["eod", "splits", "div"].map(|list| format!("/api/{list}/{query}"));
    assert_eq!(targets, want);
    assert!(requests.iter().all(|r| r.headers["user-agent"].contains("thesisforge/")));
    assert_eq!(setting.waits(), []);
}

#[test]
fn yahoo_gives_bars_adjusted_for_splits() {
    let setting = Setting::new();
    setting.server.on("/v8/finance/chart/", [Reply::json(YAHOO)]);
    let fetched = fetch(&setting.yahoo(), "AAPL").unwrap();
    assert_eq!(
        lines(&fetched),
        [
            "2020-08-26 126.18 126.9925 125.082497 126.522499 123.4 163022400",
            "2020-08-27 127.142502 127.485001 123.832497 125.010002 121.93 155552400",
            "2020-08-28 126.012497 126.442497 124.577499 124.807503 121.73 187630000",
            "2020-08-31 127.580002 131 126 129.039993 125.86 225702700",
            "2020-09-01 132.759995 134.800003 130.529999 134.179993 130.87 151948100",
            "yahoo/AAPL:1:1: error: 1 row without all four prices, 2020-09-02",
        ]
    );
    let split = CorporateAction::Split { date: day("2020-08-31"), ratio: 4.0 };
    assert_eq!((fetched.actions, fetched.currency.as_deref()), (vec![split], Some("USD")));
    let requests = setting.server.requests();
    assert_eq!(
        requests[0].target,
        "/v8/finance/chart/AAPL?period1=1598313600&period2=1599177600&interval=1d\
         &events=div%2Csplit&includeAdjustedClose=true"
    );
    fetch(&setting.yahoo(), "^GSPC").unwrap();
    assert!(setting.server.requests()[0].target.starts_with("/v8/finance/chart/%5EGSPC?"));
}

#[test]
fn nothing_in_these_days_is_an_answer() {
    let setting = Setting::new();
    setting.server.on("/api/eod/", [Reply::json("[]")]);
    assert_eq!(fetch(&setting.eodhd(), "AAPL").unwrap(), Fetched::default());
    assert_eq!(setting.server.requests().len(), 1);
    setting.server.on("/v8/", [Reply::json(YAHOO_EMPTY), Reply::status(400, YAHOO_BEFORE)]);
    for _ in 0..2 {
        let fetched = fetch(&setting.yahoo(), "AAPL").unwrap();
        assert_eq!((fetched.bars.len(), fetched.diagnostics.len()), (0, 0));
    }
}

#[test]
fn unknown_tickers() {
    let setting = Setting::new();
    setting.server.on("/api/eod/", [Reply::status(404, "Ticker Not Found.")]);
    setting.server.on("/v8/", [Reply::status(404, YAHOO_NOT_FOUND)]);
    for source in [&setting.eodhd() as &dyn PriceSource, &setting.yahoo()] {
        let error = fetch(source, "XYZ").unwrap_err();
        assert!(matches!(error, SourceError::NoSuchTicker { .. }), "{error}");
        assert!(!error.is_transient());
    }
    assert_eq!((setting.server.requests().len(), setting.waits().len()), (2, 0));
}

#[test]
fn a_busy_service_is_asked_again_when_it_says() {
    let setting = Setting::new();
    let busy = |after: &str| Reply::status(429, "slow down").header("Retry-After", after);
    setting
        .server
        .on("/v8/", [busy("7"), busy("Tue, 01 Dec 2020 00:01:00 GMT"), Reply::json(YAHOO)]);
    assert_eq!(fetch(&setting.yahoo(), "AAPL").unwrap().bars.len(), 5);
    // The second asks to wait until a minute past midnight, of which 7 seconds are gone.
    assert_eq!(setting.waits(), [7, 53].map(Duration::from_secs));

    setting.server.on("/v8/", [busy("3600")]);
    let want =
        "yahoo gave no answer in one attempt: status 429; it asks to wait 3600 s, more than 120 s";
    assert_eq!(error(&setting.yahoo()), want);
    assert_eq!(setting.waits(), []);
}

#[test]
fn failures_are_waited_out_ever_longer_and_given_up() {
    let setting = Setting::new();
    setting
        .server
        .on("/api/", [Reply::status(503, "x"), Reply::status(500, "x"), Reply::json("[]")]);
    fetch(&setting.eodhd(), "AAPL").unwrap();
    assert_eq!(setting.waits().len(), 2);
    setting.server.on("/api/", [Reply::status(503, "x")]);
    assert_eq!(error(&setting.eodhd()), "eodhd gave no answer in 5 attempts: status 503");
    let waits = setting.waits();
    for (wait, longest) in waits.iter().zip([500, 1000, 2000, 4000]) {
        let longest = Duration::from_millis(longest);
        assert!(longest / 2 <= *wait && *wait <= longest, "{waits:?}");
    }
    assert_eq!(waits.len(), 4);
}

#[test]
fn a_service_that_is_down_is_not_waited_for_again_and_again() {
    let setting = Setting::new();
    setting.server.on("/v8/", [Reply::status(503, "x")]);
    let attempts = |_| {
        fetch(&setting.yahoo(), "AAPL").unwrap_err();
        setting.server.requests().len()
    };
    assert_eq!([0; 5].map(attempts), [5, 5, 5, 1, 1]);
    // An answer, whatever it says, brings the patience back.
    setting.server.on("/v8/", [Reply::status(404, YAHOO_NOT_FOUND), Reply::status(503, "x")]);
    assert_eq!([0; 2].map(attempts), [1, 5]);
}

#[test]
fn half_an_answer_is_none() {
    let setting = Setting::new();
    setting.server.on("/v8/", [Reply::json(YAHOO).broken_off(), Reply::json(YAHOO)]);
    assert_eq!(fetch(&setting.yahoo(), "AAPL").unwrap().bars.len(), 5);
    setting.server.on("/api/", [Reply::json(EODHD).broken_off()]);
    let text = error(&setting.eodhd());
    assert!(text.starts_with("eodhd gave no answer in 5 attempts: the answer broke off"), "{text}");
    // Nobody listens there.
    drop(setting.server);
    let nobody = Yahoo::new(Arc::clone(&setting.client), "http://127.0.0.1:9");
    assert!(error(&nobody).starts_with("yahoo gave no answer in 5 attempts: "));
}

#[test]
fn answers_that_are_none() {
    let setting = Setting::new();
    let html = "<!DOCTYPE html>\n<html><title>Will be right back</title></html>";
    let many = format!("[{}]", "1,".repeat(200));
    for (reply, want) in [
        (
            Reply::status(200, html),
            "HTML where JSON should be: `<!DOCTYPE html> <html><title>Will be",
        ),
        (Reply::json(""), "EOF while parsing a value at line 1 column 0: ``"),
        (Reply::json(&many), "trailing comma at line 1 column 402: `[1,1,1"),
        (Reply::json("{\"x\":1}"), "no list of rows: `{\"x\":1}`"),
        (Reply::json("[1, null]"), "no row has a date: `1`"),
        (Reply::json(r#"[{"date":"2020-13-01","open":1}]"#), "no row has a date"),
        (Reply::status(422, "bad from"), "status 422: `bad from`"),
        (Reply::status(302, "").header("Location", "http://evil.example/"), "status 302: it sends"),
    ] {
        setting.server.on("/api/eod/", [reply]);
        let text = error(&setting.eodhd());
        assert!(text.starts_with("eodhd gave an answer that cannot be read: "), "{text}");
        assert!(text.contains(want), "{text}");
    }
    for (reply, want) in [
        (Reply::status(200, html), "HTML where JSON should be"),
        (Reply::status(404, html), "status 404: `<!DOCTYPE html>"),
        (Reply::json(r#"{"chart":{"result":[],"error":null}}"#), "no chart"),
        (Reply::json(r#"{"finance":{}}"#), "no chart"),
        (
            Reply::json(&YAHOO.replace("\"1d\", \"range\"", "\"1mo\", \"range\"")),
            "bars of 1mo where 1d",
        ),
        (Reply::json(&YAHOO.replace("\"low\": [", "\"low\": [1,")), "7 days and 8 prices"),
        (
            Reply::status(
                422,
                r#"{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"x"}}}"#,
            ),
            "Unprocessable Entity: `x`",
        ),
    ] {
        setting.server.on("/v8/", [reply]);
        let text = error(&setting.yahoo());
        assert!(text.starts_with("yahoo gave an answer that cannot be read: "), "{text}");
        assert!(text.contains(want), "{want}: {text}");
    }
    assert_eq!(setting.waits(), []);
}

#[test]
fn rows_that_cannot_be_read_are_counted() {
    let setting = Setting::new();
    let rows = r#"[{"date":"2020-08-26","open":"504.72","high":507,"low":500,"close":506,"volume":"7"},
        {"date":"2020-08-27","open":{},"high":507,"low":500,"close":506,"volume":null},
        {"date":"2020-08-28","open":null,"high":null,"low":null,"close":null},
        {"warning":"Data is limited by one year as you have free subscription"}]"#;
    setting.server.on("/api/eod/", [Reply::json(rows)]);
    setting.server.on("/api/splits/", [Reply::status(403, "Forbidden. Please upgrade")]);
    setting.server.on("/api/div/", [Reply::json(r#"[{"date":"2020-08-07","value":true}]"#)]);
    let fetched = fetch(&setting.eodhd(), "AAPL").unwrap();
    assert_eq!(
        lines(&fetched),
        [
            "2020-08-26 504.72 507 500 506 - 7",
            "eodhd/AAPL:1:1: warning: Data is limited by one year as you have free subscription",
            "eodhd/AAPL:1:1: error: 2 rows without all four prices, 2020-08-27 to 2020-08-28",
            "eodhd/AAPL:1:1: warning: without `splits`: eodhd refuses access: status 403: `Forbidden. \
             Please upgrade`",
            "eodhd/AAPL:1:1: warning: 1 rows of `div` cannot be read",
        ]
    );
}

#[test]
fn the_key_is_in_no_text() {
    let setting = Setting::new();
    // Services repeat the key, as it is or as it was sent.
    for echo in ["s3cret/key+1", "s3cret%2Fkey%2B1"] {
        for status in [200, 401, 402, 403, 422] {
            let body = format!("Invalid token: {echo}");
            setting.server.on("/api/", [Reply::status(status, &body)]);
            let text = error(&setting.eodhd());
            assert!(text.contains("Invalid token: …"), "{text}");
        }
    }
    let key = ApiKey::new(KEY).unwrap();
    let bad = Eodhd::new(Arc::clone(&setting.client), "https://bad host", key).unwrap();
    assert!(error(&bad).ends_with("the base URL cannot be used"));
    let shown = format!("{:?} {:?}", setting.eodhd(), setting.client);
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn large_answers_and_slow_ones_are_cut_off() {
    let small = HttpSettings { rate: 0.0, max_bytes: 1000, ..HttpSettings::default() };
    let setting = Setting::with(small);
    setting.server.on("/v8/", [Reply::json(YAHOO)]);
    assert!(error(&setting.yahoo()).ends_with("the answer is larger than 1000 bytes"));
    assert_eq!(setting.server.requests().len(), 1);

    let timeout = Duration::from_millis(50);
    let hasty =
        Setting::with(HttpSettings { timeout, retries: 0, rate: 0.0, ..HttpSettings::default() });
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let text = error(&Yahoo::new(Arc::clone(&hasty.client), &url));
    assert!(text.starts_with("yahoo gave no answer in one attempt: timeout"), "{text}");
    // A service that begins and never ends does not hold the client for ever. The first connection
    // is that of the attempt before.
    let dripping = std::thread::spawn(move || {
        let streams = [silent.accept().unwrap().0, silent.accept().unwrap().0];
        let _ = (&streams[1]).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[");
        streams
    });
    let text = error(&Yahoo::new(Arc::clone(&hasty.client), &url));
    assert!(text.contains("the answer broke off: timeout"), "{text}");
    drop(dripping.join());
}

#[test]
fn a_name_that_no_header_can_hold_is_no_panic() {
    let user_agent = "a\nb: é".to_owned();
    let setting = Setting::with(HttpSettings { user_agent, rate: 0.0, ..HttpSettings::default() });
    setting.server.on("/v8/", [Reply::json(YAHOO)]);
    fetch(&setting.yahoo(), "AAPL").unwrap();
    assert_eq!(setting.server.requests()[0].headers["user-agent"], "ab:");
}

#[test]
fn requests_are_spaced() {
    let setting = Setting::with(HttpSettings { rate: 4.0, ..HttpSettings::default() });
    setting.server.on("/v8/", [Reply::json(YAHOO)]);
    for _ in 0..3 {
        fetch(&setting.yahoo(), "AAPL").unwrap();
    }
    assert_eq!(setting.waits(), [250, 250].map(Duration::from_millis));
}
