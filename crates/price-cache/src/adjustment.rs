use std::fmt;

use serde::{Deserialize, Serialize};
use thesis_core::Bar;

use crate::PriceError;

/// What a series' open, high, low and close were adjusted for. `adj_close`, where a bar has it, is
/// adjusted for both whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// Nothing: prices as they were paid on the day (EODHD).
    Raw,
    /// Splits (Yahoo).
    Splits,
    /// Splits and dividends.
    SplitsAndDividends,
    /// Not known: a file that does not say.
    Unknown,
}

impl Adjustment {
    /// The word that files hold it under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Splits => "splits",
            Self::SplitsAndDividends => "splits_and_dividends",
            Self::Unknown => "unknown",
        }
    }

    /// The adjustment of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Raw, Self::Splits, Self::SplitsAndDividends, Self::Unknown];
        all.into_iter().find(|adjustment| adjustment.as_str() == word)
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The bars with all four prices scaled by `adj_close / close`, so that an open may be held against
/// an adjusted close. The new close is `adj_close` to the bit, and `adj_close` stays.
///
/// Volume stays as it is. It ought to be divided by the split part of the factor alone, and that
/// part cannot be told from `adj_close`: under [`Adjustment::Splits`] it is 1 and nothing is amiss,
/// under [`Adjustment::Raw`] the volume before a split counts old shares. Price × volume is then
/// off by the dividends' share in the first case, by the whole factor in the second; take it from
/// the bars as they were before.
///
/// # Errors
/// [`PriceError::NotAdjustable`] at the first bar without `adj_close`: a series must not be
/// adjusted in part.
pub fn adjusted(bars: &[Bar]) -> Result<Vec<Bar>, PriceError> {
    let adjust = |bar: &Bar| {
        let close = bar.adj_close.ok_or(PriceError::NotAdjustable { date: bar.date })?;
        let factor = close / bar.close;
        let (open, high, low) = (bar.open * factor, bar.high * factor, bar.low * factor);
        // A close that was the day's high or low is one after the rounding of a product, too.
        let high = if bar.high == bar.close { close } else { high };
        let low = if bar.low == bar.close { close } else { low };
        Ok(Bar { open, high, low, close, ..*bar })
    };
    bars.iter().map(adjust).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact_day::day;

    #[test]
    fn all_four_prices_move_by_one_factor() {
        let bar = Bar {
            date: day(20200828),
            open: 504.05,
            high: 505.77,
            low: 498.31,
            close: 499.23,
            adj_close: Some(121.0),
            volume: 46_907_479.0,
        };
        let unadjusted = Bar { adj_close: Some(bar.close), ..bar };
        let adjusted = adjusted(&[bar, unadjusted]).unwrap();
        // Python 3: 504.05 * (121.0 / 499.23) and so on.
        let want = Bar {
            open: 122.16823908819582,
            high: 122.58512108647315,
            low: 120.77701660557257,
            close: 121.0,
            ..bar
        };
        let close_to = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-12;
        assert!(close_to(adjusted[0].open, want.open), "{:?}", adjusted[0]);
        assert!(close_to(adjusted[0].high, want.high), "{:?}", adjusted[0]);
        assert!(close_to(adjusted[0].low, want.low), "{:?}", adjusted[0]);
        assert_eq!((adjusted[0].close, adjusted[0].volume), (want.close, want.volume));
        assert_eq!(adjusted[1], unadjusted);
    }

    #[test]
    fn a_series_is_not_adjusted_in_part() {
        let bar = Bar {
            date: day(20200828),
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            adj_close: Some(0.5),
            volume: 0.0,
        };
        let without = Bar { date: day(20200831), adj_close: None, ..bar };
        let error = adjusted(&[bar, without]).unwrap_err();
        assert_eq!(error.to_string(), "the bar of 2020-08-31 has no adjusted close");
    }

    #[test]
    fn words_read_back() {
        for word in ["raw", "splits", "splits_and_dividends", "unknown"] {
            assert_eq!(Adjustment::from_word(word).unwrap().to_string(), word);
        }
        assert_eq!(Adjustment::from_word("Raw"), None);
    }
}
