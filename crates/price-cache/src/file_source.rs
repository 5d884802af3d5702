use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use thesis_core::{DateOrder, Diagnostic, Ticker};

use crate::load::{Loaded, Prices, load};
use crate::{
    Adjustment, Fetched, LoadOptions, PriceError, PriceSource, SourceError, as_of, at_or_after,
};

/// Files of CSV or Parquet as a source; [`load_prices`](crate::load_prices) says which.
#[derive(Debug, Clone)]
pub struct FileSource {
    name: String,
    adjustment: Adjustment,
    prices: Prices,
    files: Vec<PathBuf>,
}

impl FileSource {
    /// Reads the prices of `tickers`, once for all of them. `name` is what the source is called;
    /// files do not say what they are adjusted for, so the caller does.
    ///
    /// A class share is found under either spelling, `BRK.B` or `BRK-B`.
    ///
    /// # Errors
    /// Those of [`load_prices`](crate::load_prices); faults of rows are diagnostics.
    pub fn open(
        path: &Path,
        name: &str,
        adjustment: Adjustment,
        tickers: &[Ticker],
        date_order: DateOrder,
    ) -> Result<(Self, Vec<Diagnostic>), PriceError> {
        let spellings = tickers.iter().cloned().chain(tickers.iter().filter_map(other_spelling));
        let tickers = Some(spellings.collect());
        let options = LoadOptions { tickers, date_order, ..LoadOptions::default() };
        let Loaded { prices, diagnostics, files } = load(path, &options)?;
        Ok((Self { name: name.to_owned(), adjustment, prices, files }, diagnostics))
    }

    /// The files that the prices came from, by name.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl PriceSource for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn adjustment(&self) -> Adjustment {
        self.adjustment
    }

    fn is_local(&self) -> bool {
        true
    }

    fn fetch(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched, SourceError> {
        let find = |ticker: &Ticker| self.prices.get(ticker);
        let bars = find(ticker).or_else(|| find(&other_spelling(ticker)?));
        let bars = bars.ok_or_else(|| SourceError::NoSuchTicker {
            source_name: self.name.clone(),
            ticker: ticker.clone(),
        })?;
        let begin = at_or_after(bars, from).unwrap_or(bars.len());
        let end = as_of(bars, to).map_or(0, |last| last + 1);
        let bars = bars.get(begin..end).unwrap_or_default().to_vec();
        Ok(Fetched { bars, ..Fetched::default() })
    }
}

/// `BRK-B` for `BRK.B`, and the other way round.
fn other_spelling(ticker: &Ticker) -> Option<Ticker> {
    let text = ticker.as_str();
    let (root, class) = text.rsplit_once(['.', '-']).filter(|(_, class)| class.len() == 1)?;
    let sign = if text.contains('.') { '-' } else { '.' };
    Ticker::new(&format!("{root}{sign}{class}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact_day::day;

    #[test]
    fn a_folder_as_a_source() {
        let folder = tempfile::tempdir().unwrap();
        let text = "date,open,high,low,close,volume\n2021-01-04,9,9,8,8,1\n2021-01-05,9,8,9,8,1\n";
        for name in ["BRK-B.csv", "A.csv"] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let tickers = ["BRK.B", "X"].map(|ticker| Ticker::new(ticker).unwrap());
        let opened =
            FileSource::open(folder.path(), "csv", Adjustment::Raw, &tickers, DateOrder::Refuse);
        let (source, diagnostics) = opened.unwrap();
        assert_eq!((diagnostics.len(), source.files().len(), source.name()), (1, 1, "csv"));
        let fetch = |ticker, from, to| source.fetch(ticker, day(from), day(to));
        assert_eq!(fetch(&tickers[0], 20210101, 20210131).unwrap().bars.len(), 1);
        assert_eq!(fetch(&tickers[0], 20210105, 20210131).unwrap().bars.len(), 0);
        assert_eq!(fetch(&tickers[0], 20210131, 20210105).unwrap().bars.len(), 0);
        let error = fetch(&tickers[1], 20210101, 20210131).unwrap_err();
        assert_eq!(error.to_string(), "csv does not know X");
    }
}
