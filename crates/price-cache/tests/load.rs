//! Prices from files as other programs write them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use expect_test::{Expect, expect};
use price_cache::{LoadOptions, PriceError, load_prices};
use thesis_core::{Bar, Ticker};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn only(tickers: &[&str]) -> LoadOptions {
    let tickers: BTreeSet<Ticker> = tickers.iter().map(|t| Ticker::new(t).unwrap()).collect();
    LoadOptions { tickers: Some(tickers), ..LoadOptions::default() }
}

/// Bars and diagnostics in lines, without the folder of files.
fn show(path: &Path, options: &LoadOptions) -> Result<String, PriceError> {
    let (prices, diagnostics) = load_prices(path, options)?;
    let mut lines = Vec::new();
    for (ticker, bars) in &prices {
        for Bar { date, open, high, low, close, adj_close, volume } in bars {
            let adj = adj_close.map_or("-".to_owned(), |adj| adj.to_string());
            lines.push(format!("{ticker} {date} {open} {high} {low} {close} {adj} {volume}"));
        }
    }
    lines.extend(diagnostics.iter().map(ToString::to_string));
    let folder = if path.is_dir() { path } else { path.parent().unwrap() };
    Ok(lines
        .join("\n")
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), "DIR"))
}

fn check(path: &Path, options: &LoadOptions, want: &Expect) {
    want.assert_eq(&show(path, options).unwrap());
}

const MSFT: &str = "\
2022-11-03 142.0625 142.75 138.75 138.875 - 97918500
2022-11-04 142 142.625 134.375 138.375 - 140814800
2022-11-07 137.125 139.125 135.625 138.875 - 83374600";

#[test]
fn parquet_of_pandas_in_its_many_types() {
    for name in ["new-york", "tokyo", "decimal", "numbers"] {
        let path = fixture(&format!("prices-parquet/{name}.parquet"));
        let want: Vec<String> =
            MSFT.lines().map(|line| format!("{} {line}", name.to_uppercase())).collect();
        assert_eq!(show(&path, &LoadOptions::default()).unwrap(), want.join("\n"), "{name}");
    }
    check(
        &fixture("prices-parquet/float32.parquet"),
        &LoadOptions::default(),
        &expect![[r#"
        FLOAT32 2022-11-03 142.0625 142.75 138.75 138.875 138.5 97918500
        FLOAT32 2022-11-04 142 142.625 134.375 138.375 - 140814800
        FLOAT32 2022-11-07 137.125 139.125 135.625 138.875 138.5 0
        float32.parquet:3:5: warning: no volume, read as 0"#]],
    );
}

#[test]
fn a_long_file_holds_many_tickers() {
    let path = fixture("prices-parquet/long.parquet");
    let (prices, diagnostics) = load_prices(&path, &LoadOptions::default()).unwrap();
    assert_eq!(diagnostics, []);
    let tickers: Vec<&str> = prices.keys().map(Ticker::as_str).collect();
    assert_eq!(tickers, ["AAPL", "MSFT"]);
    for (aapl, msft) in
        prices[&Ticker::new("AAPL").unwrap()].iter().zip(&prices[&Ticker::new("MSFT").unwrap()])
    {
        assert_eq!(
            (aapl.date, aapl.open, aapl.close),
            (msft.date, 2.0 * msft.open, 2.0 * msft.close)
        );
    }
    let cut = LoadOptions {
        from: Some(day("2022-11-04")),
        to: Some(day("2022-11-06")),
        ..only(&["MSFT", "TSLA"])
    };
    check(
        &path,
        &cut,
        &expect![[r#"
        MSFT 2022-11-04 142 142.625 134.375 138.375 - 140814800
        long.parquet:1:1: error: there are no prices of TSLA in the days that were asked for"#]],
    );
}

#[test]
fn a_folder_of_csv() {
    let (prices, diagnostics) = load_prices(&fixture("prices"), &LoadOptions::default()).unwrap();
    assert_eq!(diagnostics, []);
    let counts: BTreeMap<&str, usize> =
        prices.iter().map(|(t, bars)| (t.as_str(), bars.len())).collect();
    assert_eq!(counts, BTreeMap::from([("AAPL", 90), ("NFLX", 90)]));
    let (prices, _) = load_prices(&fixture("prices"), &only(&["NFLX"])).unwrap();
    assert_eq!(prices.len(), 1);
    let (prices, _) = load_prices(&fixture("prices/AAPL.csv"), &LoadOptions::default()).unwrap();
    assert_eq!(prices.into_keys().collect::<Vec<_>>(), [Ticker::new("AAPL").unwrap()]);
}

const HEAD: &str = "date,open,high,low,close,volume\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn what_cannot_be_read_of_a_folder_is_told_and_the_rest_is_read() {
    let good = format!("{HEAD}2021-01-04,9,9,8,8,1\n2021-01-05,9,8,9,8,1\n");
    let folder = folder(&[
        ("A.csv", &good),
        ("bad name!.csv", &good),
        ("C.parquet", "no Parquet"),
        ("D.csv", "Day;Open\n"),
        (".E.csv", &good),
        ("notes.txt", "x"),
    ]);
    check(
        folder.path(),
        &only(&["A", "B"]),
        &expect![[r#"
            A 2021-01-04 9 9 8 8 - 1
            A.csv:3:14: error: the high 8 is below the low 9
            C.parquet:1:1: error: cannot read C.parquet as Parquet: Parquet error: Invalid Parquet file. Corrupt footer
            bad name!.csv:1:1: error: bad name!.csv names no ticker: it has no column `ticker`, and its name is none
            DIR:1:1: error: there are no prices of B in the days that were asked for"#]],
    );
    check(
        folder.path(),
        &LoadOptions::default(),
        &expect![[r#"
        A 2021-01-04 9 9 8 8 - 1
        A.csv:3:14: error: the high 8 is below the low 9
        C.parquet:1:1: error: cannot read C.parquet as Parquet: Parquet error: Invalid Parquet file. Corrupt footer
        D.csv:1:1: error: missing columns: date, open, high, low, close; found: Day;Open
        bad name!.csv:1:1: error: bad name!.csv names no ticker: it has no column `ticker`, and its name is none"#]],
    );
}

#[test]
fn files_that_hold_the_same_ticker() {
    let head = "ticker,date,open,high,low,close,volume\n";
    let first =
        format!("{head}A,2020-12-31,9,9,8,8,1\nA,2021-01-04,9,9,8,8,1\nB,2020-12-31,9,9,8,8,1\n");
    let second =
        format!("{head}A,2021-01-05,9,9,8,8,1\nA,2021-01-04,9,9,8,8.5,1\nA,2020-12-31,9,9,8,8,1\n");
    let years = folder(&[("2020.csv", &first), ("2021.csv", &second)]);
    check(
        years.path(),
        &LoadOptions::default(),
        &expect![[r#"
        A 2020-12-31 9 9 8 8 - 1
        A 2021-01-04 9 9 8 8 - 1
        A 2021-01-05 9 9 8 8 - 1
        B 2020-12-31 9 9 8 8 - 1
        2021.csv:1:1: warning: A has 2020-12-31 in an earlier file already, with the same values
        2021.csv:1:1: error: A has 2021-01-04 in an earlier file already, with other values, which are kept"#]],
    );

    let one = format!("{HEAD}2021-01-04,9,9,8,8,1\n");
    let twice = folder(&[("A.csv", &one), ("a.csv", &one)]);
    let error = show(twice.path(), &LoadOptions::default()).unwrap_err();
    assert!(
        matches!(&error, PriceError::TwoFiles { ticker, .. } if ticker.as_str() == "A"),
        "{error}"
    );
}

#[test]
fn paths_without_prices() {
    let folder = folder(&[("prices.xlsx", "x"), ("D.csv", ""), ("no ticker.csv", HEAD)]);
    let error = |name: &str| show(&folder.path().join(name), &LoadOptions::default()).unwrap_err();
    assert!(matches!(error("prices.xlsx"), PriceError::NoPrices { .. }));
    assert!(matches!(error("none.csv"), PriceError::Io { action: "read", .. }));
    assert!(matches!(error("none.parquet"), PriceError::Io { action: "read", .. }));
    check(
        &folder.path().join("D.csv"),
        &LoadOptions::default(),
        &expect!["D.csv:1:1: error: no header: the file is empty"],
    );
    let empty = tempfile::tempdir().unwrap();
    let error = show(empty.path(), &LoadOptions::default()).unwrap_err().to_string();
    assert!(error.ends_with("the folder has no file named .csv, .parquet or .pq"), "{error}");
}

#[test]
fn damaged_parquet_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("X.parquet");
    for name in ["new-york", "long", "decimal"] {
        let good = fs::read(fixture(&format!("prices-parquet/{name}.parquet"))).unwrap();
        for at in (0..good.len()).step_by(11) {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&path, &bytes).unwrap();
            let _ = load_prices(&path, &LoadOptions::default());
        }
        for at in (0..good.len()).step_by(97) {
            fs::write(&path, &good[..at]).unwrap();
            assert!(load_prices(&path, &LoadOptions::default()).is_err(), "{name} cut at {at}");
        }
    }
}
