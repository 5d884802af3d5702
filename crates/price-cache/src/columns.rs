use thesis_core::DateOrder;

/// Where an export keeps what a bar needs: indices into the fields of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) date: usize,
    pub(crate) open: usize,
    pub(crate) high: usize,
    pub(crate) low: usize,
    pub(crate) close: usize,
    pub(crate) adj_close: Option<usize>,
    pub(crate) volume: Option<usize>,
    /// Where one file holds many tickers.
    pub(crate) ticker: Option<usize>,
    /// How the export's own dates are written, where its header gives it away.
    pub(crate) date_order: Option<DateOrder>,
}

/// The names that exports use, without case, spaces and signs: Yahoo, EODHD, Alpha Vantage,
/// Tiingo, Stooq (whose bulk files write `<VOL>`) and Nasdaq.
///
/// The first name of a list that a header has is taken; pandas writes an index without a name as
/// `__index_level_0__`, and as `index` where it was made a column.
const DATE: &[&str] = &["date", "timestamp", "datetime", "day", "indexlevel0", "index"];
const OPEN: &[&str] = &["open"];
const HIGH: &[&str] = &["high"];
const LOW: &[&str] = &["low"];
const CLOSE: &[&str] = &["close", "closelast"];
const ADJ_CLOSE: &[&str] = &["adjclose", "adjustedclose", "closeadj", "closeadjusted"];
const VOLUME: &[&str] = &["volume", "vol"];
const TICKER: &[&str] = &["ticker", "symbol"];

impl Columns {
    /// Finds the columns in a header.
    ///
    /// # Errors
    /// The names of the required columns that it lacks.
    pub(crate) fn find<'a>(
        header: impl Iterator<Item = &'a str>,
    ) -> Result<Self, Vec<&'static str>> {
        let names: Vec<String> = header.map(plain).collect();
        let find = |known: &[&str]| {
            known.iter().find_map(|known| names.iter().position(|name| name == known))
        };
        let columns = (find(DATE), find(OPEN), find(HIGH), find(LOW), find(CLOSE));
        let (Some(date), Some(open), Some(high), Some(low), Some(close)) = columns else {
            let found = [columns.0, columns.1, columns.2, columns.3, columns.4];
            let required = ["date", "open", "high", "low", "close"];
            let missing = required.into_iter().zip(found).filter(|(_, found)| found.is_none());
            return Err(missing.map(|(name, _)| name).collect());
        };
        Ok(Self {
            date,
            open,
            high,
            low,
            close,
            adj_close: find(ADJ_CLOSE),
            volume: find(VOLUME),
            ticker: find(TICKER),
            // Only Nasdaq heads a column `Close/Last`, and it writes 01/04/2021 for January 4th.
            date_order: (names[close] == "closelast").then_some(DateOrder::MonthFirst),
        })
    }

    /// The highest index in use: a row must have one field more.
    pub(crate) fn last(&self) -> usize {
        let Self { date, open, high, low, close, adj_close, volume, ticker, date_order: _ } = *self;
        let optional = [adj_close, volume, ticker].into_iter().flatten();
        [date, open, high, low, close].into_iter().chain(optional).fold(0, usize::max)
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str) -> Result<Columns, Vec<&'static str>> {
        Columns::find(header.split(','))
    }

    #[test]
    fn headers_of_the_usual_exports() {
        for (header, adjusted, volume) in [
            ("Date,Open,High,Low,Close,Adj Close,Volume", Some(5), Some(6)),
            ("date,open,high,low,close,adj_close,volume", Some(5), Some(6)),
            ("Date,Open,High,Low,Close,Adjusted_close,Volume", Some(5), Some(6)),
            ("timestamp,open,high,low,close,adjusted_close,volume,dividend", Some(5), Some(6)),
            ("Date,Open,High,Low,Close*,Adj Close**,Volume", Some(5), Some(6)),
            ("Date,Open,High,Low,Close,Volume", None, Some(5)),
            ("<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>", None, Some(5)),
            (" DATE , OPEN , HIGH , LOW , CLOSE ", None, None),
        ] {
            let columns = find(header).unwrap_or_else(|e| panic!("{header} {e:?}"));
            assert_eq!((columns.adj_close, columns.volume), (adjusted, volume), "{header}");
            assert_eq!((columns.date, columns.close, columns.date_order), (0, 4, None), "{header}");
        }
        let nasdaq = find("Date,Close/Last,Volume,Open,High,Low").unwrap();
        assert_eq!((nasdaq.close, nasdaq.open, nasdaq.last()), (1, 3, 5));
        assert_eq!(nasdaq.date_order, Some(DateOrder::MonthFirst));
    }

    #[test]
    fn many_tickers_and_indices_without_a_name() {
        let stooq = find("<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>").unwrap();
        assert_eq!((stooq.ticker, stooq.date, stooq.last()), (Some(0), 2, 8));
        let pandas = find("open,high,low,close,__index_level_0__").unwrap();
        assert_eq!((pandas.ticker, pandas.date), (None, 4));
        assert_eq!(find("index,timestamp,date,open,high,low,close").unwrap().date, 2);
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = find("Date,Price,High,Low").unwrap_err();
        assert_eq!(missing, ["open", "close"]);
    }
}
