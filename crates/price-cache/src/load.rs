use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use rayon::prelude::*;
use thesis_core::{Bar, DateOrder, Diagnostic, Severity, Ticker};

use crate::error::io_error;
use crate::parquet_rows::{self, BarsByTicker, read_parquet};
use crate::{PriceError, as_of, at_or_after, parse_csv_by_ticker};

/// Bars by ticker, those of a ticker ascending by date.
pub type Prices = BTreeMap<Ticker, Vec<Bar>>;

/// Which prices [`load_prices`] reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Only these tickers; all where it is `None`. One that is not there is an error among the
    /// diagnostics.
    pub tickers: Option<BTreeSet<Ticker>>,
    /// No bar before this day.
    pub from: Option<NaiveDate>,
    /// No bar after this day.
    pub to: Option<NaiveDate>,
    /// How dates such as 03/04/2021 are read.
    pub date_order: DateOrder,
}

/// Reads daily prices from a path: ascending bars by ticker, and a diagnostic for each row or file
/// that was left out or is odd. Files are read in parallel; the result does not depend on it.
///
/// The path is one of
/// - a folder of `.csv` and `.parquet` (or `.pq`) files, the cache's own among them; names that
///   begin with a dot and subfolders are passed over;
/// - a single such file.
///
/// A file with a column `ticker` (or `symbol`) may hold many tickers; one without is named after
/// its ticker, as `AAPL.csv`. Columns are found by the names of the usual exports (see
/// [`parse_csv`](crate::parse_csv)). In Parquet, dates may be dates, timestamps (of those with a time zone the day
/// there), text or numbers such as 20250110, and pandas' index counts as a column; numbers may be
/// of any type. Diagnostics of Parquet files count rows and columns from 1.
///
/// Files that hold a ticker in a column, such as one a year, are put together; of a day that two of
/// them have, the first file's bar is kept, with a diagnostic. Prices are given as they are stored:
/// `adj_close` stands beside them, and [`adjusted`](crate::adjusted) brings them together.
///
/// # Errors
/// [`PriceError::NoPrices`] where the path holds no price file, [`PriceError::Io`] where it cannot
/// be read, [`PriceError::TwoFiles`] where two files are one ticker's by name. A single file that
/// cannot be read is an error; of a folder, it is a diagnostic, and the others are read.
pub fn load_prices(
    path: &Path,
    options: &LoadOptions,
) -> Result<(Prices, Vec<Diagnostic>), PriceError> {
    let Loaded { prices, mut diagnostics, .. } = load(path, options)?;
    for ticker in options.tickers.iter().flatten().filter(|ticker| !prices.contains_key(ticker)) {
        let message = format!("there are no prices of {ticker} in the days that were asked for");
        diagnostics.push(about(path, Severity::Error, message));
    }
    Ok((prices, diagnostics))
}

/// What a path gave.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) prices: Prices,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The files that gave bars.
    pub(crate) files: Vec<PathBuf>,
}

/// As [`load_prices`], without a word on tickers that are not there.
pub(crate) fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, PriceError> {
    let mut merged = Merged::default();
    if fs::metadata(path).map_err(io_error("read", path))?.is_dir() {
        let files = files_of(path)?;
        let read = files.par_iter().map(|file| load_file(file, options));
        let read: Vec<Result<OneFile, PriceError>> = read.collect();
        for (file, of_file) in files.iter().zip(read) {
            match of_file {
                Ok(of_file) => merged.add(file, of_file)?,
                Err(error) => {
                    let diagnostic = about(file, Severity::Error, chain(&error));
                    merged.loaded.diagnostics.push(diagnostic);
                }
            }
        }
    } else {
        merged.add(path, load_file(path, options)?)?;
    }
    let Merged { mut loaded, .. } = merged;
    for bars in loaded.prices.values_mut() {
        cut(bars, options);
    }
    loaded.prices.retain(|_, bars| !bars.is_empty());
    Ok(loaded)
}

/// What one file gave.
struct OneFile {
    /// Whether the file's name, not a column, says the ticker.
    by_name: bool,
    prices: Prices,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Default)]
struct Merged {
    loaded: Loaded,
    /// The file that a ticker came from first, and whether by its name.
    origins: BTreeMap<Ticker, (PathBuf, bool)>,
}

impl Merged {
    fn add(&mut self, file: &Path, of_file: OneFile) -> Result<(), PriceError> {
        let OneFile { by_name, prices, diagnostics } = of_file;
        let loaded = &mut self.loaded;
        loaded.diagnostics.extend(diagnostics);
        if !prices.is_empty() {
            loaded.files.push(file.to_owned());
        }
        for (ticker, bars) in prices {
            match self.origins.entry(ticker.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert((file.to_owned(), by_name));
                    loaded.prices.insert(ticker, bars);
                }
                Entry::Occupied(entry) => {
                    let (first, first_by_name) = entry.get();
                    if by_name || *first_by_name {
                        let (first, second) = (first.clone(), file.to_owned());
                        return Err(PriceError::TwoFiles { ticker, first, second });
                    }
                    let kept = loaded.prices.entry(ticker).or_default();
                    join(kept, bars, entry.key(), file, &mut loaded.diagnostics);
                }
            }
        }
        Ok(())
    }
}

/// Adds `more` to `bars`; of a day that both have, the bar that is there stays.
fn join(
    bars: &mut Vec<Bar>,
    more: Vec<Bar>,
    ticker: &Ticker,
    file: &Path,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let earlier = bars.len();
    for bar in more {
        let found = bars[..earlier].binary_search_by_key(&bar.date, |bar| bar.date);
        let Ok(found) = found else {
            bars.push(bar);
            continue;
        };
        let (severity, how) = match bars[found] == bar {
            true => (Severity::Warning, "the same values"),
            false => (Severity::Error, "other values, which are kept"),
        };
        let date = bar.date;
        let message = format!("{ticker} has {date} in an earlier file already, with {how}");
        diagnostics.push(about(file, severity, message));
    }
    bars.sort_by_key(|bar| bar.date);
}

fn load_file(path: &Path, options: &LoadOptions) -> Result<OneFile, PriceError> {
    let kind = Kind::of(path).ok_or_else(|| PriceError::NoPrices {
        path: path.to_owned(),
        reason: "neither a folder nor a file named .csv, .parquet or .pq",
    })?;
    let wanted = |ticker: &Ticker| options.tickers.as_ref().is_none_or(|t| t.contains(ticker));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = Ticker::new(&stem).ok();
    // Of a folder of thousands, the files that nobody asked for are not read to their end.
    let passed_over = || name.as_ref().is_some_and(|name| !wanted(name));
    let (by_ticker, diagnostics): BarsByTicker = match kind {
        Kind::Parquet if passed_over() && !parquet_rows::has_ticker_column(path)? => {
            (BTreeMap::new(), Vec::new())
        }
        Kind::Parquet => read_parquet(path, options.date_order, &wanted)?,
        Kind::Csv => {
            let bytes = fs::read(path).map_err(io_error("read", path))?;
            // What is damaged is told where it stands; the rows beside it are good.
            let text = String::from_utf8_lossy(&bytes);
            match passed_over() && !crate::parse_csv::has_ticker_column(&text) {
                true => (BTreeMap::new(), Vec::new()),
                false => {
                    let file = path.to_string_lossy();
                    parse_csv_by_ticker(&file, &text, options.date_order, &wanted)
                }
            }
        }
    };
    let mut by_name = false;
    let mut prices = BTreeMap::new();
    for (ticker, bars) in by_ticker {
        by_name |= ticker.is_none();
        let ticker = ticker.or_else(|| name.clone());
        let ticker = ticker.ok_or_else(|| PriceError::NoTicker { path: path.to_owned() })?;
        prices.insert(ticker, bars);
    }
    Ok(OneFile { by_name, prices, diagnostics })
}

#[derive(Clone, Copy)]
enum Kind {
    Csv,
    Parquet,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        let is = |known: &str| extension.eq_ignore_ascii_case(known);
        match () {
            () if is("csv") => Some(Self::Csv),
            () if is("parquet") || is("pq") => Some(Self::Parquet),
            () => None,
        }
    }
}

/// The price files of a folder, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, PriceError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error("read", folder))? {
        let path = entry.map_err(io_error("read", folder))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && Kind::of(&path).is_some() && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let reason = "the folder has no file named .csv, .parquet or .pq";
        return Err(PriceError::NoPrices { path: folder.to_owned(), reason });
    }
    files.sort_unstable();
    Ok(files)
}

/// Leaves the bars of the days that were asked for.
fn cut(bars: &mut Vec<Bar>, options: &LoadOptions) {
    let end = options.to.map_or(bars.len(), |to| as_of(bars, to).map_or(0, |last| last + 1));
    bars.truncate(end);
    let begin = options.from.map_or(Some(0), |from| at_or_after(bars, from));
    bars.drain(..begin.unwrap_or(bars.len()));
}

fn about(path: &Path, severity: Severity, message: String) -> Diagnostic {
    let file = path.to_string_lossy().into_owned();
    Diagnostic { file, line: 1, column: 1, severity, message }
}

fn chain(error: &PriceError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
