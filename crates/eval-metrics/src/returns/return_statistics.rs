use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use crate::MetricError;
use crate::returns::statistic::Statistic;
use crate::returns::{
    Convention, Drawdown, ReturnSample, YearOfReturns, monthly_returns, worst_drawdowns,
};

/// Drawdowns that a report lists.
const LISTED_DRAWDOWNS: usize = 5;

/// A statistic that has no value, and why.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Missing {
    /// Its field in [`ReturnStatistics`].
    pub statistic: &'static str,
    /// Why; serialized as its text.
    #[serde(serialize_with = "as_text")]
    pub reason: MetricError,
}

/// A line of a report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StatisticLine {
    /// The field in [`ReturnStatistics`].
    pub statistic: &'static str,
    /// What it means and how it is shown.
    pub convention: Convention,
    /// Its value, or why there is none.
    pub value: Result<f64, MetricError>,
}

/// Names a field for each statistic; the module of that name holds its formula and convention.
macro_rules! return_statistics {
    ($($statistic:ident),+ $(,)?) => {
        /// All statistics of a series of returns. What has no value is `None`, with the reason in
        /// `missing`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct ReturnStatistics {
            /// Returns.
            pub periods: usize,
            /// The day of the first return, where dates were given.
            pub first_date: Option<NaiveDate>,
            /// The day of the last return, where dates were given.
            pub last_date: Option<NaiveDate>,
            $(
                #[doc = concat!("See [`", stringify!($statistic), "`](crate::returns::", stringify!($statistic), "()).")]
                pub $statistic: Option<f64>,
            )+
            /// The five deepest drawdowns, deepest first; empty where the series never falls.
            pub worst_drawdowns: Option<Vec<Drawdown>>,
            /// Returns by year and month, where dates were given.
            pub monthly_returns: Option<Vec<YearOfReturns>>,
            /// What has no value, and why.
            pub missing: Vec<Missing>,
        }

        /// Every statistic that can be computed from the sample.
        ///
        /// Statistics do not depend on each other: one that has no value leaves the others theirs.
        pub fn return_statistics(sample: &ReturnSample<'_>) -> ReturnStatistics {
            let mut missing = Vec::new();
            ReturnStatistics {
                periods: sample.returns.len(),
                first_date: sample.dates.and_then(|dates| dates.first().copied()),
                last_date: sample.dates.and_then(|dates| dates.last().copied()),
                $($statistic: {
                    const STATISTIC: Statistic = crate::returns::$statistic::STATISTIC;
                    note(&mut missing, stringify!($statistic), (STATISTIC.compute)(sample))
                },)+
                worst_drawdowns: {
                    let found = worst_drawdowns(sample.returns, sample.dates, LISTED_DRAWDOWNS);
                    note(&mut missing, "worst_drawdowns", found)
                },
                monthly_returns: {
                    let dates = sample.dates();
                    let found = dates.and_then(|dates| monthly_returns(sample.returns, dates));
                    note(&mut missing, "monthly_returns", found)
                },
                missing,
            }
        }

        impl ReturnStatistics {
            /// The field and the convention of each statistic, in the order of a report.
            pub const CONVENTIONS: &'static [(&'static str, Convention)] = &[
                $((stringify!($statistic), crate::returns::$statistic::STATISTIC.convention),)+
            ];

            /// Each statistic with its convention, and its value or why it has none.
            pub fn lines(&self) -> Vec<StatisticLine> {
                let values = [$(self.$statistic),+];
                let lines = Self::CONVENTIONS.iter().zip(values);
                lines.map(|(&(name, convention), value)| StatisticLine {
                    statistic: name,
                    convention,
                    value: value.ok_or_else(|| self.reason(name)),
                }).collect()
            }
        }
    };
}

// A new statistic is a file of its name, which has its function and its `STATISTIC`, and a line here;
// `mod.rs` names the file and its function.
return_statistics! {
    cumulative_return,
    cagr,
    calendar_cagr,
    annualized_volatility,
    sharpe,
    sortino,
    calmar,
    downside_risk,
    max_drawdown,
    longest_drawdown,
    ulcer_index,
    value_at_risk,
    conditional_value_at_risk,
    omega,
    tail_ratio,
    stability,
    skewness,
    excess_kurtosis,
    win_rate,
    payoff_ratio,
    profit_factor,
    kelly_fraction,
    best_day,
    worst_day,
    alpha,
    beta,
    tracking_error,
    information_ratio,
    hit_ratio,
    turnover,
}

impl ReturnStatistics {
    fn reason(&self, statistic: &str) -> MetricError {
        let missing = self.missing.iter().find(|missing| missing.statistic == statistic);
        let unknown = MetricError::Undefined { reason: "it was not computed" };
        missing.map_or(unknown, |missing| missing.reason)
    }
}

fn note<T>(
    missing: &mut Vec<Missing>,
    statistic: &'static str,
    found: Result<T, MetricError>,
) -> Option<T> {
    found.map_err(|reason| missing.push(Missing { statistic, reason })).ok()
}

fn as_text<S: Serializer>(reason: &MetricError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}
