use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thesis_core::Ticker;

/// What the prices of a market are adjusted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// As traded: splits change the number of shares, dividends pay cash.
    Raw,
    /// Adjusted for splits: dividends pay cash.
    Splits,
    /// Adjusted for splits and dividends: neither may be paid again.
    #[default]
    SplitsAndDividends,
}

/// What happens to a holding before the open of a session.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorporateAction {
    /// Each share becomes so many; below 1 for a reverse split. Fractions of shares are kept.
    Split(f64),
    /// Dollars a share, paid on the ex-date; a short position owes them.
    Dividend(f64),
    /// The holding is paid out at its last close times 1 plus this return, without costs: −1 for a
    /// total loss.
    Delisting(f64),
}

/// A corporate action with its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The session before whose open it takes effect; on a day without one, the next.
    pub date: NaiveDate,
    /// The security.
    pub ticker: Ticker,
    /// What happens.
    pub action: CorporateAction,
}

impl PriceBasis {
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Splits => "adjusted for splits",
            Self::SplitsAndDividends => "adjusted for splits and dividends",
        }
    }

    /// The name of an action that prices of this basis hold already.
    pub(crate) const fn holds(self, action: CorporateAction) -> Option<&'static str> {
        match (self, action) {
            (Self::Splits | Self::SplitsAndDividends, CorporateAction::Split(_)) => Some("a split"),
            (Self::SplitsAndDividends, CorporateAction::Dividend(_)) => Some("a dividend"),
            _ => None,
        }
    }
}
