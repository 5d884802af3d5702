use chrono::NaiveDate;
use thesis_core::{Bar, Diagnostic, Ticker};

use crate::{Adjustment, CorporateAction, PriceError};

/// Where daily prices come from: a folder, a web service.
///
/// A new source is one file with one implementation of this.
pub trait PriceSource: Send + Sync {
    /// The word that flags, files and messages call it by.
    fn name(&self) -> &str;

    /// What open, high, low and close of its bars are adjusted for.
    fn adjustment(&self) -> Adjustment;

    /// Whether asking costs nothing, as it does of files: the history is then always taken anew,
    /// whatever days are known.
    fn is_local(&self) -> bool {
        false
    }

    /// The bars of `ticker` from `from` to `to`, both included, as the source has them: unchecked,
    /// and today's unfinished one among them. No bars is an answer, too: it has the ticker, but
    /// nothing in these days.
    ///
    /// # Errors
    /// [`SourceError::NoSuchTicker`] where it does not know the ticker; the others where it could
    /// not answer.
    fn fetch(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Fetched, SourceError>;
}

/// What a source answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fetched {
    /// The bars.
    pub bars: Vec<Bar>,
    /// Splits and dividends of the same days, as far as the source tells them.
    pub actions: Vec<CorporateAction>,
    /// The currency of the prices, where the source tells it.
    pub currency: Option<String>,
    /// What was left out of the answer, or is odd about it.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why a source gave no prices.
///
/// No text in here holds an API key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source answered, and does not know the ticker.
    #[error("{source_name} does not know {ticker}")]
    NoSuchTicker {
        /// The source.
        source_name: String,
        /// The ticker.
        ticker: Ticker,
    },
    /// The source wants another key, or a better plan.
    #[error("{source_name} refuses access: {reason}")]
    Refused {
        /// The source.
        source_name: String,
        /// Its status, and what it says.
        reason: String,
    },
    /// The source could not be reached or was overloaded, time and again; later it may answer.
    #[error("{source_name} gave no answer in {}: {reason}", in_words(*.attempts))]
    Unavailable {
        /// The source.
        source_name: String,
        /// How often it was asked.
        attempts: u32,
        /// How the last attempt failed.
        reason: String,
    },
    /// The source's answer is not what it ought to be; asking again would not help.
    #[error("{source_name} gave an answer that cannot be read: {reason}")]
    Malformed {
        /// The source.
        source_name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The source's files could not be read.
    #[error("{source_name} cannot be read")]
    Files {
        /// The source.
        source_name: String,
        /// Why not.
        #[source]
        source: Box<PriceError>,
    },
}

impl SourceError {
    /// Whether asking again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

fn in_words(attempts: u32) -> String {
    if attempts == 1 { "one attempt".to_owned() } else { format!("{attempts} attempts") }
}
