//! The binary as a person meets it: exit codes, messages, and the files that it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::DateTime;
use price_cache::{Adjustment, DateRanges, PriceFile, PriceMeta, parse_csv};
use serde_json::Value;
use tempfile::TempDir;
use thesis_core::{DateOrder, Ticker};

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &TempDir, args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_trading-backtest"))
        .current_dir(folder.path())
        .args(args)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn works(folder: &TempDir, args: &[&str]) -> Run {
    let run = run(folder, args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

#[track_caller]
fn fails(folder: &TempDir, args: &[&str], want: &[&str]) {
    let run = run(folder, args);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    for want in want {
        assert!(run.stderr.contains(want), "{want}: {}", run.stderr);
    }
    let out = args.iter().skip_while(|arg| **arg != "--out").nth(1).unwrap();
    assert!(!folder.path().join(out).exists());
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn text(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).unwrap()
}

fn json(folder: &TempDir, name: &str) -> Value {
    serde_json::from_str(&text(folder, name)).unwrap()
}

/// Every call of the two stocks of fixtures/prices, in turn, and the folder of their prices.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut calls = "as_of_date,ticker,pred_action,confidence\n".to_owned();
    for ticker in ["AAPL", "NFLX"] {
        let prices = fs::read_to_string(fixture(&format!("prices/{ticker}.csv"))).unwrap();
        let dates = prices.lines().skip(1).map(|line| line.split(',').next().unwrap());
        for (i, date) in dates.enumerate().filter(|(i, _)| i % 3 == 0) {
            let action = ["STRONG_BUY", "HOLD", "buy", "SELL", "strong-sell"][(i / 3) % 5];
            writeln!(calls, "{date},{ticker},{action},0.{}", 5 + i % 4).unwrap();
        }
        fs::create_dir_all(folder.path().join("prices")).unwrap();
        fs::write(folder.path().join(format!("prices/{ticker}.csv")), prices).unwrap();
    }
    fs::write(folder.path().join("calls.csv"), calls).unwrap();
    folder
}

const BASIC: [&str; 6] = ["--eval-csv", "calls.csv", "--prices", "prices", "--out", "out/a.json"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    BASIC.iter().chain(more).copied().collect()
}

#[test]
fn the_documented_configuration_is_the_default() {
    let folder = folder();
    works(&folder, &BASIC);
    let default = json(&folder, "out/a.json")["config"].clone();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/backtest.yaml");
    works(&folder, &with(&["--config", file.to_str().unwrap()]));
    assert_eq!(json(&folder, "out/a.json")["config"], default);
    // Every key of the settings stands in the file.
    let documented = fs::read_to_string(file).unwrap();
    for key in default.as_object().unwrap().keys() {
        assert!(documented.lines().any(|line| line.starts_with(&format!("{key}:"))), "{key}");
    }
}

#[test]
fn a_reference_case_through_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("weights.yaml"),
        "calendar: none\nsizing: {pct: 0.02}\ncosts: {fee_bps: 5, slippage_bps: 10}\nrandom_draws: 3\n",
    )
    .unwrap();
    let calls = fixture("backtest/next_open_long.csv");
    let args =
        ["--eval-csv", calls.to_str().unwrap(), "--out", "a.json", "--config", "weights.yaml"];
    works(&folder, &args);
    let want = fs::read_to_string(fixture("backtest/next_open_long.json")).unwrap();
    let want: Value = serde_json::from_str(&want).unwrap();
    let days = text(&folder, "a.days.csv");
    let mut compared = 0;
    for (line, (equity, cash)) in days
        .lines()
        .skip(1)
        .zip(want["equity"].as_array().unwrap().iter().zip(want["cash"].as_array().unwrap()))
    {
        let fields: Vec<&str> = line.split(',').collect();
        for (got, want) in [(fields[1], equity), (fields[2], cash)] {
            let (got, want): (f64, f64) = (got.parse().unwrap(), want.as_f64().unwrap());
            assert!((got / want - 1.0).abs() < 1e-9, "{line}");
            compared += 1;
        }
    }
    assert_eq!(compared, 500);
    assert_eq!(json(&folder, "a.json")["orders"]["fills"], want["fills"]);
}

#[test]
fn a_run_leaves_figures_books_and_pictures() {
    let folder = folder();
    fs::write(
        folder.path().join("grid.yaml"),
        "grid:\n  sizing.pct: [0.05, 0.2]\n  holding_sessions: [2, 10, null]\n",
    )
    .unwrap();
    let run = works(
        &folder,
        &with(&[
            "--sensitivity",
            "--walk-forward",
            "--train-sessions",
            "30",
            "--test-sessions",
            "20",
            "--random-draws",
            "50",
            "--config",
            "grid.yaml",
        ]),
    );
    assert!(run.stdout.contains("Strategy") && run.stdout.contains("Buy and hold"));
    let report = json(&folder, "out/a.json");
    assert!(report["notice"].as_str().unwrap().contains("investment advice"));
    assert_eq!(report["sensitivity"]["sharpe"].as_array().unwrap().len(), 6);
    assert_eq!(report["grid"]["results"].as_array().unwrap().len(), 6);
    assert_eq!(report["walk_forward"]["folds"].as_array().unwrap().len(), 3);
    assert_eq!(report["random_calls"]["draws"], 50);
    assert_eq!(report["manifest"]["inputs"].as_array().unwrap().len(), 3);
    let outputs = report["manifest"]["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 15, "{outputs:?}");
    for output in outputs {
        let path = folder.path().join("out").join(output["path"].as_str().unwrap());
        assert_eq!(fs::metadata(path).unwrap().len(), output["bytes"].as_u64().unwrap());
    }

    let fills = text(&folder, "out/a.fills.csv").lines().count() - 1;
    assert_eq!(report["orders"]["fills"].as_u64().unwrap() as usize, fills);
    let dropped = text(&folder, "out/a.dropped.csv").lines().count() - 1;
    assert_eq!(report["orders"]["dropped"].as_u64().unwrap() as usize, dropped);
    let days = text(&folder, "out/a.days.csv");
    assert_eq!(days.lines().count() - 1, report["sessions"].as_u64().unwrap() as usize);

    let page = text(&folder, "out/a.html");
    assert!(page.contains("ddof 1") && page.contains("not investment advice"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
    for plot in ["equity", "drawdown", "monthly_returns", "rolling_sharpe", "return_histogram"] {
        let svg = text(&folder, &format!("out/a.plots/{plot}.svg"));
        roxmltree::Document::parse(&svg).unwrap();
    }
}

#[test]
fn the_number_of_threads_changes_no_figure() {
    let folder = folder();
    let files = ["out/a.days.csv", "out/a.fills.csv", "out/a.plots/equity.svg"];
    let results = ["1", "3"].map(|threads| {
        works(&folder, &with(&["--threads", threads, "--random-draws", "40", "--sensitivity"]));
        let mut report = json(&folder, "out/a.json");
        report["manifest"] = Value::Null;
        (files.map(|file| text(&folder, file)), report)
    });
    assert!(results[0] == results[1]);
}

#[test]
fn rows_after_a_date_change_nothing_before_it() {
    let folder = folder();
    works(&folder, &BASIC);
    let before = text(&folder, "out/a.days.csv");
    let adjusted = json(&folder, "out/a.json")["config"]["prices"] == "adjusted";
    assert!(adjusted && before.lines().count() > 80);
    let (keep, path) = (60, folder.path().join("prices/AAPL.csv"));
    let changed: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .enumerate()
        .map(|(i, line)| match line.split(',').collect::<Vec<_>>()[..] {
            // Line 0 is the header, and line n the session n - 1.
            [date, ..] if i > keep => format!("{date},700,990,600,900,850,12345"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(&path, changed.join("\n")).unwrap();
    works(&folder, &BASIC);
    let after = text(&folder, "out/a.days.csv");
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    assert_eq!(before[..=keep], after[..=keep]);
    assert_ne!(before, after);
}

#[test]
fn calls_that_have_no_place_are_told() {
    let folder = folder();
    let mut calls = text(&folder, "calls.csv");
    calls += "2022-12-25,AAPL,BUY,0.9\n2022-11-01,ZZZZ,BUY,0.9\n2023-02-24,AAPL,STRONG_BUY,0.9\n";
    calls += "2001-01-02,AAPL,BUY,0.9\n2022-11-02,AAPL,,0.9\n";
    fs::write(folder.path().join("calls.csv"), calls).unwrap();
    let run = works(&folder, &BASIC);
    assert!(run.stderr.contains("no prices of ZZZZ: its calls (1) are dropped"), "{}", run.stderr);
    let report = json(&folder, "out/a.json");
    assert_eq!(report["calls"]["moved_to_a_session"], 1);
    assert_eq!(report["calls"]["without_action"], 1);
    let dropped = text(&folder, "out/a.dropped.csv");
    for want in [
        "2022-11-01,ZZZZ,unknown_ticker,false,",
        "2001-01-02,AAPL,before_first_session,false,",
        "2023-02-24,AAPL,no_next_session,false,",
    ] {
        assert!(dropped.contains(want), "{want}: {dropped}");
    }
}

#[test]
fn corporate_actions_count_once() {
    let folder = folder();
    let events = "date,ticker,event,value\n2022-12-01,AAPL,split,2\n2022-12-05,NFLX,dividend,0.5\n";
    fs::write(folder.path().join("events.csv"), events).unwrap();
    let with_events = with(&["--events", "events.csv"]);
    fails(&folder, &with_events, &["AAPL on 2022-12-01", "a split is in them already", "hint:"]);
    fs::write(folder.path().join("raw.yaml"), "prices: as_stored\nstored_basis: raw\n").unwrap();
    let raw: Vec<&str> = with_events.iter().chain(&["--config", "raw.yaml"]).copied().collect();
    works(&folder, &raw);
    assert!(json(&folder, "out/a.json")["costs"]["dividends"].as_f64().unwrap() > 0.0);
    fs::write(folder.path().join("events.csv"), "date,ticker,event,value\nx,AAPL,merger,1\n")
        .unwrap();
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    fails(&folder, &raw, &["events.csv: row 2", "hint:"]);
}

#[test]
fn the_cache_knows_what_its_prices_are_adjusted_for() {
    let folder = folder();
    for ticker in ["AAPL", "NFLX"] {
        let csv = folder.path().join(format!("prices/{ticker}.csv"));
        let (bars, _) = parse_csv(ticker, &fs::read_to_string(&csv).unwrap(), DateOrder::Refuse);
        let meta = PriceMeta {
            ticker: Ticker::new(ticker).unwrap(),
            source: "eodhd".to_owned(),
            adjustment: Adjustment::Raw,
            fetched_at: DateTime::UNIX_EPOCH,
            currency: None,
            fetched: DateRanges::default(),
            actions: Vec::new(),
        };
        PriceFile { meta, bars }.write(&csv.with_extension("parquet")).unwrap();
        fs::remove_file(csv).unwrap();
    }
    fails(&folder, &with(&["--price-basis", "as_stored"]), &["AAPL", "stored_basis: raw", "hint:"]);
    works(&folder, &BASIC);
    fs::write(folder.path().join("raw.yaml"), "stored_basis: raw\n").unwrap();
    works(&folder, &with(&["--price-basis", "as_stored", "--config", "raw.yaml"]));
}

#[test]
fn odd_bars_are_told_and_dropped() {
    let folder = folder();
    let path = folder.path().join("prices/AAPL.csv");
    let prices = fs::read_to_string(&path).unwrap();
    // A Sunday, and a series without volume.
    let sunday = prices.clone() + "2022-12-18,100,101,99,100,100,5\n";
    fs::write(&path, sunday).unwrap();
    works(&folder, &BASIC);
    let warnings = json(&folder, "out/a.json")["warnings"].to_string();
    assert!(warnings.contains("2022-12-18") && warnings.contains("no session"), "{warnings}");
    let days = text(&folder, "out/a.days.csv");
    assert!(!days.contains("2022-12-18"));
    let without_volume: Vec<&str> =
        prices.lines().map(|line| line.rsplit_once(',').unwrap().0).collect();
    fs::write(&path, without_volume.join("\n")).unwrap();
    works(&folder, &BASIC);
    assert!(text(&folder, "out/a.fills.csv").contains("AAPL"));
}

#[test]
fn confidence_and_conflicts_have_rules() {
    let folder = folder();
    works(&folder, &with(&["--min-confidence", "0.7", "--conflict", "majority"]));
    let report = json(&folder, "out/a.json");
    assert!(report["calls"]["below_min_confidence"].as_u64().unwrap() > 10);
    let calls = text(&folder, "calls.csv").replace(",confidence", ",sureness");
    fs::write(folder.path().join("calls.csv"), calls).unwrap();
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    fails(&folder, &with(&["--min-confidence", "0.7"]), &["has no confidence", "hint:"]);
}

#[test]
fn positions_scale_with_confidence_or_conviction() {
    let folder = tempfile::tempdir().unwrap();
    let bars = "2024-01-02,A,BUY,0.5,0.1,0.6,0.2,0.1,0,100,100,100,100\n\
                2024-01-03,A,,,,,,,,100,100,100,100\n";
    let header = "date,ticker,signal,confidence,p_STRONG_BUY,p_BUY,p_HOLD,p_SELL,p_STRONG_SELL,open,high,low,close\n";
    fs::write(folder.path().join("calls.csv"), header.to_owned() + bars).unwrap();
    let args = ["--eval-csv", "calls.csv", "--out", "out/a.json", "--calendar", "none"];
    let free = ["--fee-bps", "0", "--slippage-bps", "0", "--random-draws", "0", "--strength"];
    let quantity = |strength: &str| -> f64 {
        let args: Vec<&str> = args.iter().chain(&free).copied().chain([strength]).collect();
        works(&folder, &args);
        let fills = text(&folder, "out/a.fills.csv");
        let mut lines = fills.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let at = lines.next().unwrap().iter().position(|name| *name == "quantity").unwrap();
        lines.next().unwrap()[at].parse().unwrap()
    };
    // 10 % of a million for a full position, half of it for BUY, at 100 dollars.
    let none = quantity("none");
    assert_eq!(none, 500.0);
    assert_eq!(quantity("confidence"), 250.0);
    // |2·0.1 + 0.6 − 0.1| / 2
    assert!((quantity("conviction") - 175.0).abs() < 1e-9);
    let of_file = ["--eval-csv", "calls.csv", "--out", "out/b.json", "--calendar", "none"];
    let write = |text: String| fs::write(folder.path().join("calls.csv"), text).unwrap();
    write(header.replace("p_", "q_") + bars);
    fails(
        &folder,
        &[&of_file[..], &["--strength", "conviction"]].concat(),
        &["no probabilities", "p_STRONG_BUY"],
    );
    write(header.to_owned() + &bars.replace("0.1,0.6,0.2,0.1,0,", ",,,,,"));
    let missing = ["calls.csv:2: there are no probabilities", "hint: correct these rows"];
    fails(&folder, &[&of_file[..], &["--strength", "conviction"]].concat(), &missing);
}

#[test]
fn rubbish_gets_an_error_that_says_what_to_do() {
    let folder = folder();
    let args = |csv: &'static str| ["--eval-csv", csv, "--prices", "prices", "--out", "out/a.json"];
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fails(&folder, &args("none.csv"), &["none.csv", "hint:"]);
    write("empty.csv", "");
    fails(&folder, &args("empty.csv"), &["no column `as_of_date` or `date`", "hint:"]);
    write("header.csv", "date,ticker,signal\n");
    fails(&folder, &args("header.csv"), &["has no calls"]);
    write(
        "bad.csv",
        "date,ticker,signal\n2022-11-01,AAPL,moon\n03/04/2022,AAPL,BUY\n2022-11-01,,BUY\n",
    );
    fails(
        &folder,
        &args("bad.csv"),
        &["3 of 3 rows", "bad.csv:2", "moon", "bad.csv:3", "bad.csv:4"],
    );
    write("ragged.csv", "date,ticker,signal\n2022-11-01,AAPL\n");
    fails(&folder, &args("ragged.csv"), &["1 of 1 rows"]);
    write("binary.csv", "date,ticker,signal\n2022-11-01,\u{0}AAPL,BUY\n");
    fails(&folder, &args("binary.csv"), &["binary.csv:2"]);
    write("far.csv", "date,ticker,signal\n2031-11-03,AAPL,BUY\n");
    fails(&folder, &args("far.csv"), &["no call stands on a session"]);
    write("unknown.csv", "date,ticker,signal\n2022-11-01,ZZZZ,BUY\n");
    fails(&folder, &args("unknown.csv"), &["no prices of the tickers", "hint:"]);
    fails(&folder, &with(&["--leverage", "0.5"]), &["`limits.leverage` is 0.5", "at least 1"]);
    fails(&folder, &with(&["--fee-bps=-1"]), &["fee_bps"]);
    fails(&folder, &with(&["--walk-forward"]), &["do not fit", "hint:"]);
    fails(&folder, &with(&["--calendar", "nowhere.txt"]), &["nowhere.txt", "hint:"]);
    let wrong_end = ["--eval-csv", "calls.csv", "--prices", "prices", "--out", "out/a.txt"];
    fails(&folder, &wrong_end, &["does not end in .json"]);
    write("typo.yaml", "slipage: 3\n");
    fails(&folder, &with(&["--config", "typo.yaml"]), &["slipage"]);
    write("grid.yaml", "grid: {seed: [1, 2]}\n");
    fails(&folder, &with(&["--config", "grid.yaml"]), &["`grid` cannot vary `seed`", "hint:"]);
}

#[test]
fn a_run_that_fails_leaves_the_earlier_result() {
    let folder = folder();
    works(&folder, &BASIC);
    let before = text(&folder, "out/a.json");
    fs::write(folder.path().join("calls.csv"), "date,ticker,signal\nx,y,z\n").unwrap();
    assert_eq!(run(&folder, &BASIC).code, 1);
    assert_eq!(text(&folder, "out/a.json"), before);
}
