use chrono::NaiveDate;

/// One session's prices and volume of one security.
///
/// All four prices share one adjustment; `adj_close`, where a source gives it, is the close
/// adjusted for splits and dividends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// The session's calendar day.
    pub date: NaiveDate,
    /// First price, in the currency of the listing.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Last price adjusted for splits and dividends, where known.
    pub adj_close: Option<f64>,
    /// Shares traded.
    pub volume: f64,
}
