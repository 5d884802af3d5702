use chrono::{Datelike, NaiveDate};
use serde::Serialize;

use crate::MetricError;
use crate::returns::dates::check_dates;
use crate::returns::wealth::check_compoundable;

/// The returns of one calendar year, compounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct YearOfReturns {
    /// The year.
    pub year: i32,
    /// January to December; `None` for a month without a return.
    pub months: [Option<f64>; 12],
    /// All returns of the year.
    pub total: f64,
}

/// Returns by year and month, compounded, oldest year first; years without a return are left out.
///
/// The first and the last month may be cut off by the series. quantstats shows a month without
/// returns as 0; here it is `None`.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; dates that do not ascend or are not as many
/// as returns; no values, or values that are not finite.
pub fn monthly_returns(
    returns: &[f64],
    dates: &[NaiveDate],
) -> Result<Vec<YearOfReturns>, MetricError> {
    check_dates(dates, returns.len())?;
    check_compoundable(returns, 1)?;
    let mut years: Vec<YearOfReturns> = Vec::new();
    let mut rest = returns;
    for month in dates.chunk_by(|a, b| (a.year(), a.month()) == (b.year(), b.month())) {
        let Some((of_month, later)) = rest.split_at_checked(month.len()) else { break };
        rest = later;
        let Some(first) = month.first() else { continue };
        let year = match years.last_mut() {
            Some(last) if last.year == first.year() => last,
            _ => {
                years.push_mut(YearOfReturns { year: first.year(), months: [None; 12], total: 0.0 })
            }
        };
        let growth: f64 = of_month.iter().map(|value| 1.0 + value).product();
        year.months[first.month0() as usize] = Some(growth - 1.0);
        year.total = (1.0 + year.total) * growth - 1.0;
    }
    Ok(years)
}
