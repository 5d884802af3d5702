use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::CoreError;

/// An analyst's call on a stock, in five classes.
///
/// Ordered by conviction: `StrongSell < Sell < Hold < Buy < StrongBuy`. Parsing accepts the
/// spellings that desks use, whatever their case, spaces, hyphens or underscores:
///
/// ```
/// use thesis_core::Action;
/// assert_eq!("strong-buy".parse(), Ok(Action::StrongBuy));
/// assert_eq!("Overweight".parse(), Ok(Action::Buy));
/// assert!("moon".parse::<Action>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// Sell with conviction.
    StrongSell,
    /// Sell, underweight, underperform.
    Sell,
    /// Hold, neutral, market perform.
    Hold,
    /// Buy, overweight, outperform.
    Buy,
    /// Buy with conviction.
    StrongBuy,
}

impl Action {
    /// All classes in the order of reports, of class indices and of probability vectors.
    pub const ALL: [Self; 5] =
        [Self::StrongBuy, Self::Buy, Self::Hold, Self::Sell, Self::StrongSell];

    /// The canonical spelling, as records, completions and reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StrongBuy => "STRONG_BUY",
            Self::Buy => "BUY",
            Self::Hold => "HOLD",
            Self::Sell => "SELL",
            Self::StrongSell => "STRONG_SELL",
        }
    }

    /// The single token that stands for this action where a tokenizer has structure tokens.
    pub const fn token(self) -> &'static str {
        match self {
            Self::StrongBuy => "<STRONG_BUY>",
            Self::Buy => "<BUY>",
            Self::Hold => "<HOLD>",
            Self::Sell => "<SELL>",
            Self::StrongSell => "<STRONG_SELL>",
        }
    }

    /// Position in [`Action::ALL`], 0 to 4.
    pub const fn index(self) -> usize {
        match self {
            Self::StrongBuy => 0,
            Self::Buy => 1,
            Self::Hold => 2,
            Self::Sell => 3,
            Self::StrongSell => 4,
        }
    }

    /// Direction of the call: 1 for both buys, 0 for hold, −1 for both sells.
    pub const fn polarity(self) -> i8 {
        self.conviction().signum()
    }

    /// Direction and strength of the call, −2 (strong sell) to 2 (strong buy).
    pub const fn conviction(self) -> i8 {
        2 - self.index() as i8
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Action {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        let mut key = String::with_capacity(text.len().min(32));
        for c in text.chars().filter(|c| c.is_alphanumeric()).take(32) {
            key.push(c.to_ascii_lowercase());
        }
        match key.as_str() {
            "strongbuy" | "convictionbuy" | "toppick" | "strongoutperform" | "actionlistbuy" => {
                Ok(Self::StrongBuy)
            }
            "buy" | "outperform" | "overweight" | "accumulate" | "add" | "moderatebuy"
            | "longtermbuy" | "speculativebuy" | "marketoutperform" | "sectoroutperform"
            | "industryoutperform" | "outperformer" | "positive" | "attractive" | "long" => {
                Ok(Self::Buy)
            }
            "hold" | "neutral" | "equalweight" | "marketperform" | "marketweight"
            | "sectorperform" | "sectorweight" | "peerperform" | "inline" | "perform"
            | "marketperformer" | "mixed" => Ok(Self::Hold),
            "sell"
            | "underperform"
            | "underweight"
            | "reduce"
            | "trim"
            | "moderatesell"
            | "weaksell"
            | "marketunderperform"
            | "sectorunderperform"
            | "industryunderperform"
            | "underperformer"
            | "negative"
            | "unattractive"
            | "short" => Ok(Self::Sell),
            "strongsell" | "convictionsell" | "strongunderperform" | "actionlistsell" => {
                Ok(Self::StrongSell)
            }
            _ => Err(CoreError::Action { text: text.trim().to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_desks_use() {
        let check = |text: &str, want: Action| assert_eq!(text.parse(), Ok(want), "{text}");
        for text in ["STRONG_BUY", "strong-buy", "Strong Buy", "StrongBuy", " strong\tbuy "] {
            check(text, Action::StrongBuy);
        }
        for text in ["buy", "Overweight", "out-perform", "ACCUMULATE", "Add", "Moderate Buy"] {
            check(text, Action::Buy);
        }
        for text in ["hold", "Neutral", "equal-weight", "Market Perform", "in-line"] {
            check(text, Action::Hold);
        }
        for text in ["Sell", "underweight", "REDUCE", "Underperform", "trim"] {
            check(text, Action::Sell);
        }
        for text in ["strong-sell", "StrongSell", "Conviction Sell"] {
            check(text, Action::StrongSell);
        }
    }

    #[test]
    fn unknown_is_an_error_that_names_it() {
        for text in ["", "buy!!sell", "maybe", "買い", "strong"] {
            let error = text.parse::<Action>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn order_polarity_and_index_agree() {
        let mut sorted = Action::ALL;
        sorted.sort();
        sorted.reverse();
        assert_eq!(sorted, Action::ALL);
        assert_eq!(Action::ALL.map(Action::index), [0, 1, 2, 3, 4]);
        assert_eq!(Action::ALL.map(Action::conviction), [2, 1, 0, -1, -2]);
        assert_eq!(Action::ALL.map(Action::polarity), [1, 1, 0, -1, -1]);
        for action in Action::ALL {
            assert_eq!(serde_json::to_string(&action).unwrap(), format!("\"{action}\""));
            assert_eq!(action.as_str().parse(), Ok(action));
            assert_eq!(action.token(), format!("<{action}>"));
        }
    }
}
