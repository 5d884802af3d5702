//! The binary as a person meets it: exit codes, messages, and the files that it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../../../crates/price-cache/tests/mock_server/mod.rs"]
#[expect(dead_code, unreachable_pub, reason = "the tests of price-cache use it, too")]
mod mock_server;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mock_server::{MockServer, Reply};
use price_cache::{Adjustment, LoadOptions, PriceFile, load_prices};
use serde_json::Value;
use tempfile::TempDir;

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The binary in `folder`, with or without a key in the environment.
fn start(folder: &TempDir, key: Option<&str>, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fetch-prices"));
    command.current_dir(folder.path()).args(args).env_remove("EODHD_API_KEY");
    if let Some(key) = key {
        command.env("EODHD_API_KEY", key);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(folder: &TempDir, key: Option<&str>, args: &[&str]) -> Run {
    end(start(folder, key, args))
}

fn fails(folder: &TempDir, args: &[&str], code: i32, want: &[&str]) {
    let run = run(folder, None, args);
    assert_eq!(run.code, code, "{args:?}: {}", run.stderr);
    for want in want {
        assert!(run.stderr.contains(want), "{want}: {}", run.stderr);
    }
}

const KEY: &str = "s3cret+key";
const EODHD: &str = include_str!("../../../fixtures/prices-http/eodhd-eod.json");
const SPLITS: &str = include_str!("../../../fixtures/prices-http/eodhd-splits.json");
const YAHOO: &str = include_str!("../../../fixtures/prices-http/yahoo-chart.json");
const YAHOO_NOT_FOUND: &str = include_str!("../../../fixtures/prices-http/yahoo-not-found.json");

/// Both services: AAPL at both, MSFT at Yahoo alone.
fn services() -> MockServer {
    let server = MockServer::start();
    server.on("/api/eod/AAPL.US", [Reply::json(EODHD)]);
    server.on("/api/splits/AAPL.US", [Reply::json(SPLITS)]);
    server.on("/api/div/AAPL.US", [Reply::json("[]")]);
    server.on("/api/", [Reply::status(404, "Ticker Not Found.")]);
    server.on("/v8/finance/chart/AAPL", [Reply::json(YAHOO)]);
    server.on("/v8/finance/chart/MSFT", [Reply::json(YAHOO)]);
    server.on("/v8/", [Reply::status(404, YAHOO_NOT_FOUND)]);
    server
}

const RANGE: [&str; 4] = ["--from", "2020-08-26", "--to", "2020-09-01"];

/// The flags for these tickers, with both services at `url`.
fn flags<'a>(tickers: &'a str, url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let web = ["--eodhd-url", url, "--yahoo-url", url, "--rate", "0", "--retries", "0"];
    [&["--tickers", tickers, "--cache", "cache"], &RANGE[..], &web, more].concat()
}

fn read(folder: &TempDir, name: &str) -> PriceFile {
    PriceFile::read(&folder.path().join("cache").join(name)).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// All that a run wrote, in one text.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text += &all_text(&path),
            false => text += &String::from_utf8_lossy(&fs::read(path).unwrap()),
        }
    }
    text
}

#[test]
fn eodhd_first_then_yahoo() {
    let (folder, server) = (tempfile::tempdir().unwrap(), services());
    let run = run(&folder, Some(KEY), &flags("aapl,MSFT,XYZ", &server.url(), &[]));
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    for want in ["AAPL", "eodhd", "2020-08-26", "2020-09-01", "3 tickers, 1 failed, 10 new bars"] {
        assert!(run.stdout.contains(want), "{want}: {}", run.stdout);
    }
    for want in [
        "warning: MSFT: eodhd does not know MSFT",
        "error: XYZ: no source gave prices of XYZ: eodhd does not know XYZ; yahoo does not know XYZ",
    ] {
        assert!(run.stderr.contains(want), "{want}: {}", run.stderr);
    }
    let (aapl, msft) = (read(&folder, "AAPL.parquet"), read(&folder, "MSFT.parquet"));
    assert_eq!((aapl.meta.source.as_str(), aapl.meta.adjustment), ("eodhd", Adjustment::Raw));
    assert_eq!((msft.meta.source.as_str(), msft.meta.adjustment), ("yahoo", Adjustment::Splits));
    assert_eq!((aapl.bars.len(), aapl.meta.actions.len(), msft.bars.len()), (5, 1, 5));
    let cache = folder.path().join("cache");
    let (prices, diagnostics) = load_prices(&cache, &LoadOptions::default()).unwrap();
    assert_eq!((prices.len(), diagnostics), (2, vec![]));

    let manifest = json(&cache.join("prices.manifest.json"));
    assert_eq!(manifest["stage"], "fetch-prices");
    let outputs: Vec<&str> = manifest["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["path"].as_str().unwrap())
        .collect();
    assert_eq!(outputs, ["AAPL.parquet", "MSFT.parquet"]);
    // The same again asks for the missing ticker alone.
    server.requests();
    let again = end(start(&folder, Some(KEY), &flags("AAPL,MSFT,XYZ", &server.url(), &[])));
    assert!(again.stdout.contains("0 new bars"), "{}", again.stdout);
    assert!(server.requests().iter().all(|request| request.target.contains("/XYZ")));
}

#[test]
fn the_key_is_in_no_file_and_no_message() {
    let (folder, server) = (tempfile::tempdir().unwrap(), services());
    server.on("/api/eod/BAD.US", [Reply::status(403, "no plan for s3cret+key, s3cret%2Bkey")]);
    fs::write(folder.path().join(".env"), "# keys\nexport EODHD_API_KEY=\"s3cret+key\"\n").unwrap();
    let url = server.url();
    let args = flags("AAPL,BAD", &url, &["--log-level", "debug"]);
    let run = run(&folder, None, &args);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("eodhd refuses access: status 403: `no plan for …, …`"),
        "{}",
        run.stderr
    );
    let requests = server.requests();
    assert!(requests[0].target.ends_with("&api_token=s3cret%2Bkey"));
    for request in requests.iter().filter(|request| request.target.starts_with("/v8/")) {
        assert!(!format!("{request:?}").contains("s3cret"), "{request:?}");
    }
    let text = run.stdout + &run.stderr + &all_text(&folder.path().join("cache"));
    assert!(!text.contains("s3cret"), "{text}");
    // The environment wins over the file.
    let other = end(start(&folder, Some("other"), &flags("MSFT", &server.url(), &[])));
    assert_eq!(other.code, 0, "{}", other.stderr);
    assert!(server.requests()[0].target.ends_with("&api_token=other"));
}

#[test]
fn without_a_key_yahoo_alone() {
    let (folder, server) = (tempfile::tempdir().unwrap(), services());
    let run = run(&folder, None, &flags("AAPL", &server.url(), &[]));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let want =
        "warning: there is no EODHD_API_KEY in the environment or in .env; Yahoo alone is asked";
    assert!(run.stderr.contains(want), "{}", run.stderr);
    assert_eq!(read(&folder, "AAPL.parquet").meta.source, "yahoo");
    // Now with one: the other source's history replaces this one.
    let url = server.url();
    let mut args = flags("AAPL", &url, &[]);
    let from = args.iter_mut().find(|arg| **arg == "2020-08-26");
    *from.unwrap() = "2020-08-25";
    let switched = end(start(&folder, Some(KEY), &args));
    assert_eq!(switched.code, 0, "{}", switched.stderr);
    let want = "AAPL: the whole history was fetched again: the source changed from yahoo to eodhd";
    assert!(switched.stderr.contains(want), "{}", switched.stderr);
    assert_eq!(read(&folder, "AAPL.parquet").meta.adjustment, Adjustment::Raw);
}

const CSV: &str = "date,open,high,low,close,volume\n2020-08-27,9,9,8,8,1\n2020-08-28,9,8,9,8,1\n\
                   2020-08-31,20,20,20,20,1\n";

#[test]
fn files_as_a_source() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/A.csv"), CSV).unwrap();
    fs::write(folder.path().join("tickers.txt"), "# mine\nA, B # two\n").unwrap();
    let base =
        ["--tickers-file", "tickers.txt", "--cache", "cache", "--source", "csv", "--input", "in"];
    let args = [&base[..], &RANGE, &["--adjustment", "raw"]].concat();
    let done = run(&folder, None, &args);
    assert_eq!(done.code, 1);
    for want in [
        "error: in/A.csv:3:14: the high 8 is below the low 9",
        "warning: A: 2020-08-31: the close moved by +150.0 % from 8 to 20, with no corporate action",
        "warning: A: 2020-08-31: no bar for the session before it, 2020-08-28",
        "error: B: no source gave prices of B: csv does not know B",
    ] {
        assert!(done.stderr.contains(want), "{want}: {}", done.stderr);
    }
    let file = read(&folder, "A.parquet");
    assert_eq!((file.meta.source.as_str(), file.meta.adjustment), ("csv", Adjustment::Raw));
    let manifest = json(&folder.path().join("cache/prices.manifest.json"));
    assert_eq!(manifest["inputs"][0]["path"], "in/A.csv");
    assert_eq!(manifest["config"]["adjustment"], "raw");

    let strict = [&args[..], &["--policy", "jump=fail", "--tickers", "A"]].concat();
    fs::remove_file(folder.path().join("cache/A.parquet")).unwrap();
    fails(&folder, &strict, 1, &["error: A: A: 2020-08-31: the close moved by +150.0 %"]);
    assert!(!folder.path().join("cache/A.parquet").exists());
    let wide = [&args[..], &["--max-jump", "2", "--calendar", "none"]].concat();
    let wide = run(&folder, None, &wide);
    assert!(!wide.stderr.contains("2020-08-31"), "{}", wide.stderr);
}

#[test]
fn two_processes_at_once() {
    let (folder, server) = (tempfile::tempdir().unwrap(), services());
    let url = server.url();
    let args = flags("AAPL", &url, &[]);
    let children: Vec<Child> = (0..6).map(|_| start(&folder, Some(KEY), &args)).collect();
    let new = |run: &Run| run.stdout.contains("5 new bars");
    let runs: Vec<Run> = children.into_iter().map(end).collect();
    for run in &runs {
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(runs.iter().filter(|run| new(run)).count(), 1);
    let asked = server.requests().iter().filter(|r| r.target.starts_with("/api/eod/")).count();
    assert_eq!((asked, read(&folder, "AAPL.parquet").bars.len()), (1, 5));
}

#[test]
fn settings_that_make_no_sense() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.yaml"), "fromm: 2020-01-01\n").unwrap();
    fs::write(folder.path().join("words.txt"), "A\nno|ticker\n").unwrap();
    let with = |more: &[&'static str]| [&["--cache", "cache"], more].concat();
    let range = with(&["--tickers", "A", "--from", "2020-01-01"]);
    let and = |more: &[&'static str]| [&range[..], more].concat();
    fails(&folder, &[], 2, &["--cache"]);
    fails(&folder, &with(&[]), 1, &["nothing says which tickers", "hint: give --tickers"]);
    fails(
        &folder,
        &with(&["--tickers", "A"]),
        1,
        &["nothing says from when on", "hint: give --from"],
    );
    fails(&folder, &with(&["--tickers", "A|B"]), 2, &["`A|B` is not a ticker"]);
    fails(&folder, &with(&["--tickers-file", "words.txt"]), 1, &["words.txt:2", "`no|ticker`"]);
    fails(&folder, &with(&["--tickers-file", "no.txt"]), 1, &["cannot read no.txt", "hint:"]);
    fails(&folder, &and(&["--to", "2019-01-01"]), 1, &["`from` (2020-01-01) lies after `to`"]);
    fails(&folder, &and(&["--source", "bloomberg"]), 2, &["bloomberg", "eodhd"]);
    fails(&folder, &and(&["--source", "eodhd"]), 1, &["there is no EODHD_API_KEY", "hint: set"]);
    fails(&folder, &and(&["--source", "csv"]), 1, &["--source csv needs --input", "hint: --input"]);
    fails(
        &folder,
        &and(&["--source", "csv", "--input", "no"]),
        1,
        &["cannot read no", "hint: --input"],
    );
    fails(&folder, &and(&["--source", "csv", "--input", "cache"]), 1, &["are the same folder"]);
    fails(&folder, &and(&["--input", "x"]), 1, &["--input is of use with --source csv"]);
    fails(&folder, &and(&["--policy", "jump=maybe"]), 2, &["maybe", "keep"]);
    fails(&folder, &and(&["--policy", "jumps=drop"]), 2, &["jumps", "missing_session"]);
    fails(&folder, &and(&["--max-jump", "0"]), 1, &["`max_jump` (0) must be above 0"]);
    fails(&folder, &and(&["--timeout", "0"]), 1, &["`timeout_seconds` (0) must be above 0"]);
    fails(&folder, &and(&["--rate=-1"]), 1, &["`rate` (-1) must not be below 0"]);
    fails(&folder, &and(&["--calendar", "nyse"]), 1, &["cannot read the calendar nyse", "hint:"]);
    fails(&folder, &and(&["--config", "bad.yaml"]), 1, &["fromm", "bad.yaml"]);
    fs::write(folder.path().join("file"), "").unwrap();
    fails(
        &folder,
        &["--tickers", "A", "--from", "2020-01-01", "--cache", "file"],
        1,
        &["cannot create file", "hint: --cache must be"],
    );
    let args = [&range[..], &["--eodhd-url", "http://eodhd.com"]].concat();
    let plain = run(&folder, Some(KEY), &args);
    assert!(
        plain.code == 1 && plain.stderr.contains("it must begin with https://"),
        "{}",
        plain.stderr
    );
}

#[test]
fn the_documented_settings_are_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/A.csv"), CSV).unwrap();
    let yaml = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/prices.yaml");
    let yaml = yaml.to_str().unwrap();
    let base = ["--tickers", "A", "--cache", "cache", "--source", "csv", "--input", "in"];
    let config = |more: &[&str]| {
        assert_eq!(run(&folder, None, &[&base[..], &RANGE, more].concat()).code, 0);
        json(&folder.path().join("cache/prices.manifest.json"))["config"].clone()
    };
    assert_eq!(config(&[]), config(&["--config", yaml]));
    let text = fs::read_to_string(yaml).unwrap();
    for key in config(&[]).as_object().unwrap().keys() {
        assert!(text.lines().any(|line| line.starts_with(&format!("{key}:"))), "{key}");
    }
    for key in config(&[])["checks"].as_object().unwrap().keys() {
        assert!(text.lines().any(|line| line.starts_with(&format!("  {key}:"))), "{key}");
    }
}

#[test]
fn help_has_examples() {
    let help = run(&tempfile::tempdir().unwrap(), None, &["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("--source yahoo"));
}
