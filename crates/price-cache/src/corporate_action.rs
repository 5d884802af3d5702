use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Something a company did by which its price moved without a gain or loss to holders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CorporateAction {
    /// One share became `ratio` shares: 4 for a 4:1 split, 0.1 for a 1:10 reverse split.
    Split {
        /// The first day on which the price is that of new shares.
        date: NaiveDate,
        /// New shares for an old one.
        ratio: f64,
    },
    /// Cash a share.
    Dividend {
        /// The ex-date: the first day on which a buyer does not get it.
        date: NaiveDate,
        /// In the currency of the listing, under the same adjustment as the prices beside it.
        amount: f64,
    },
}

impl CorporateAction {
    /// The first day on which the price reflects it.
    pub fn date(&self) -> NaiveDate {
        match self {
            Self::Split { date, .. } | Self::Dividend { date, .. } => *date,
        }
    }
}
