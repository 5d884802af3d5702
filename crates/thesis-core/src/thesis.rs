use crate::{Action, AsOfDate, Completion, Indicators, Ticker};

/// One analyst's view of one stock on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Thesis {
    /// The stock.
    pub ticker: Ticker,
    /// The day up to whose close the thesis uses data.
    pub as_of_date: AsOfDate,
    /// Figures known at that close.
    pub indicators: Indicators,
    /// Why; never empty.
    pub reasoning: String,
    /// The points that carry it, joined by [`SUPPORT_SEPARATOR`](crate::SUPPORT_SEPARATOR); empty
    /// where the source has none.
    pub support: String,
    /// The call.
    pub action: Action,
    /// Who or what wrote it.
    pub generated_by: Option<String>,
    /// The version that the source gives.
    pub version: Option<String>,
}

impl Thesis {
    /// What a model should write when it is shown the indicators.
    pub fn completion(&self) -> Completion {
        Completion {
            reasoning: self.reasoning.clone(),
            support: self.support.clone(),
            action: self.action,
        }
    }
}
