use std::fmt;

use eval_metrics::calibration::TemperatureBound;
use serde::Serialize;
use thesis_core::Action;

/// Something that a reader should know before believing a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Warning {
    /// A model says nearly always the same.
    Collapsed {
        /// Which model.
        model: ModelName,
        /// What it says.
        action: Action,
        /// In which share of its calls.
        share: f64,
    },
    /// Answers of the tuned model break the grammar.
    InvalidTags {
        /// Answers.
        count: u64,
        /// Of all.
        rows: u64,
    },
    /// Answers of the tuned model have no action, and count as wrong.
    WithoutAction {
        /// Answers.
        count: u64,
        /// Of all.
        rows: u64,
    },
    /// Rows without any forward return: their dates or tickers are outside of the prices.
    OutsidePrices {
        /// Rows.
        count: u64,
        /// Of all.
        rows: u64,
    },
    /// Rows whose shortest return is known and this one is not: the prices end before.
    PricesEnd {
        /// The window.
        sessions: u32,
        /// Rows.
        count: u64,
        /// Of all.
        rows: u64,
    },
    /// Rows of the tuned model without probabilities.
    WithoutProbabilities {
        /// Rows.
        count: u64,
        /// Of all.
        rows: u64,
    },
    /// No temperature could be fitted for want of validation rows.
    NoTemperature,
    /// A temperature ran to the end of its range.
    TemperatureBound {
        /// Which model.
        model: ModelName,
        /// Which end.
        bound: TemperatureBound,
        /// The temperature.
        temperature: f64,
    },
    /// Too few dates for intervals to be taken at their word.
    FewDates {
        /// Dates.
        dates: u64,
    },
    /// Actions that no label has: nothing can be said about them.
    AbsentLabels {
        /// Which.
        actions: Vec<Action>,
    },
    /// The tuned model is right no more often than always saying the commonest label would be.
    NoBetterThanMajority {
        /// Its accuracy.
        accuracy: f64,
        /// The commonest label.
        action: Action,
        /// That label's share.
        share: f64,
    },
    /// Rows that have the `uid` of another one, and so count twice.
    RepeatedUids {
        /// Rows.
        count: u64,
    },
}

/// One of the two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelName {
    /// The model under test.
    Tuned,
    /// The model that it was trained from.
    Base,
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tuned => "tuned model",
            Self::Base => "base model",
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let of = |count: &u64, rows: &u64| {
            format!("{count} of {rows} rows ({})", percent(*count as f64 / *rows as f64))
        };
        match self {
            Self::Collapsed { model, action, share } => write!(
                f,
                "The {model} has collapsed: {} of its calls are {action}.",
                percent(*share)
            ),
            Self::InvalidTags { count, rows } => {
                write!(
                    f,
                    "Answers of the tuned model break the tag grammar in {}.",
                    of(count, rows)
                )
            }
            Self::WithoutAction { count, rows } => write!(
                f,
                "No action can be read in {} of the tuned model; they count as wrong.",
                of(count, rows)
            ),
            Self::OutsidePrices { count, rows } => write!(
                f,
                "{} have no forward return at all: their dates or tickers are outside of the prices.",
                of(count, rows)
            ),
            Self::PricesEnd { sessions, count, rows } => write!(
                f,
                "The prices end within {sessions} sessions of {}; they are left out there.",
                of(count, rows)
            ),
            Self::WithoutProbabilities { count, rows } => {
                write!(f, "{} of the tuned model have no probabilities.", of(count, rows))
            }
            Self::NoTemperature => f.write_str(
                "No temperature could be fitted: there are no validation rows with probabilities.",
            ),
            Self::TemperatureBound { model, bound, temperature } => {
                let why = match bound {
                    TemperatureBound::Least => {
                        "its most probable action is right on all validation rows, or nearly so"
                    }
                    TemperatureBound::Most => "its probabilities say less than none",
                };
                write!(f, "The {model}'s temperature ran to the bound {temperature}: {why}.")
            }
            Self::FewDates { dates: 1 } => {
                f.write_str("All rows are of one date: there are no intervals.")
            }
            Self::FewDates { dates } => write!(
                f,
                "There are {dates} dates only: intervals are made of dates drawn again, and are too \
                 narrow."
            ),
            Self::AbsentLabels { actions } => {
                let names: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
                write!(f, "No row has the label {}.", names.join(" or "))
            }
            Self::NoBetterThanMajority { accuracy, action, share } => write!(
                f,
                "The tuned model is right in {} of rows; always saying {action} would be in {}.",
                percent(*accuracy),
                percent(*share)
            ),
            Self::RepeatedUids { count } => {
                write!(f, "{count} rows have the uid of another row, and so count twice.")
            }
        }
    }
}
