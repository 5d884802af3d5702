use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use thesis_core::{AsOfDate, DateOrder};

use crate::NewsError;

/// How news is read and which records are made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewsConfig {
    /// The zone of stamps without an offset and of bare dates, and the one in which the input shows
    /// times. Default `America/New_York`.
    pub zone: Tz,
    /// How a bare date written with two small numbers is read. Default: refused.
    pub date_order: DateOrder,
    /// The first as-of date. Default: that of the prices.
    pub from: Option<AsOfDate>,
    /// The last as-of date. Default: that of the prices.
    pub to: Option<AsOfDate>,
    /// How many sessions a record shows and measures volatility on, the as-of session being the
    /// last. At least 3; default 20.
    pub bars: usize,
    /// How many sessions after the as-of close the label looks. At least 1; default 5.
    pub horizon: usize,
    /// For how many days of 24 hours before the close an item is shown. What became known since the
    /// close before is shown in any case. Default 7.
    pub news_days: u32,
    /// How many items the input shows, the newest. At least 1; default 10.
    pub max_items: usize,
    /// To how many characters a title is shortened. Default 160.
    pub title_chars: usize,
    /// To how many characters a summary is shortened; 0 leaves summaries out. Default 240.
    pub summary_chars: usize,
    /// On which scale levels and targets stand. Default: the as-of close is 100.
    pub levels: Levels,
    /// Where one action ends and the next begins.
    pub thresholds: Thresholds,
    /// What the model is asked to do.
    pub instruction: String,
}

/// The scale of levels and targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Levels {
    /// The as-of close is 100. Later splits and dividends leave every figure as it is.
    #[default]
    Indexed,
    /// The as-of close is the close as quoted. From a source that adjusts closes for splits, levels
    /// tell of later splits.
    Quoted,
}

/// Bounds on the forward return in units of trailing volatility, descending.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// From here up it is a strong buy. Default 1.5.
    pub strong_buy: f64,
    /// From here up it is a buy. Default 0.5.
    pub buy: f64,
    /// From here down it is a sell. Default −0.5.
    pub sell: f64,
    /// From here down it is a strong sell. Default −1.5.
    pub strong_sell: f64,
}

impl Default for NewsConfig {
    fn default() -> Self {
        Self {
            zone: chrono_tz::America::New_York,
            date_order: DateOrder::default(),
            from: None,
            to: None,
            bars: 20,
            horizon: 5,
            news_days: 7,
            max_items: 10,
            title_chars: 160,
            summary_chars: 240,
            levels: Levels::default(),
            thresholds: Thresholds::default(),
            instruction:
                "Given these prices and the news known by the close, write your reasoning, \
                a price target and your confidence as support, and one action: STRONG_BUY, BUY, \
                HOLD, SELL or STRONG_SELL."
                    .to_owned(),
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { strong_buy: 1.5, buy: 0.5, sell: -0.5, strong_sell: -1.5 }
    }
}

impl NewsConfig {
    /// Checks what no type can.
    ///
    /// # Errors
    /// [`NewsError::Config`] for the first key that is out of range.
    pub fn validate(&self) -> Result<(), NewsError> {
        let Thresholds { strong_buy, buy, sell, strong_sell } = self.thresholds;
        let descending = strong_buy > buy && buy > sell && sell > strong_sell;
        let finite = strong_buy.is_finite() && strong_sell.is_finite();
        for (key, holds, reason) in [
            ("bars", self.bars >= 3, "a volatility needs at least 3 sessions"),
            ("horizon", self.horizon >= 1, "it is 0"),
            ("max_items", self.max_items >= 1, "it is 0"),
            ("title_chars", self.title_chars >= 1, "it is 0"),
            ("thresholds", descending && finite, "they do not descend from strong_buy on"),
            ("from", self.from.zip(self.to).is_none_or(|(from, to)| from <= to), "it is after to"),
        ] {
            if !holds {
                return Err(NewsError::Config { key, reason });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked() {
        let read = |text| serde_json::from_str::<NewsConfig>(text);
        assert_eq!(read("{}").unwrap(), NewsConfig::default());
        assert_eq!(NewsConfig::default().validate(), Ok(()));
        let config = read(r#"{"zone": "Europe/London", "levels": "quoted", "from": "2021-01-04"}"#);
        assert_eq!(config.unwrap().zone, chrono_tz::Europe::London);
        for text in [r#"{"bar": 3}"#, r#"{"thresholds": {"hold": 0}}"#, r#"{"zone": "Moon"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
        for (text, want) in [
            (r#"{"bars": 2}"#, "bars"),
            (r#"{"horizon": 0}"#, "horizon"),
            (r#"{"max_items": 0}"#, "max_items"),
            (r#"{"title_chars": 0}"#, "title_chars"),
            (r#"{"thresholds": {"buy": -1}}"#, "thresholds"),
            (r#"{"from": "2021-01-05", "to": "2021-01-04"}"#, "from"),
        ] {
            let error = read(text).unwrap().validate().unwrap_err();
            assert!(matches!(error, NewsError::Config { key, .. } if key == want), "{error}");
        }
    }
}
