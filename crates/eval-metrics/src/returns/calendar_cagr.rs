use chrono::NaiveDate;

use crate::MetricError;
use crate::returns::cagr::annual_growth;
use crate::returns::dates::check_dates;
use crate::returns::statistic::Statistic;
use crate::returns::wealth::final_wealth;
use crate::returns::{Convention, Unit};

const DAYS_PER_YEAR: f64 = 365.25;

pub(crate) const STATISTIC: Statistic = Statistic {
    convention: Convention {
        name: "CAGR (calendar)",
        unit: Unit::Percent,
        formula: "(∏(1 + r))^(365.25/days) − 1",
        note: "Calendar days from the first return's to the last one's, both included.",
    },
    compute: |sample| calendar_cagr(sample.returns, sample.dates()?),
};

/// Compound annual growth rate by the calendar: `(∏(1 + r))^(365.25/days) − 1`, from −1 up.
///
/// `days` runs from the first return's day to the last one's, both included, since the first
/// return took (at least) its day to happen. Holidays and halts count here, but not in
/// [`cagr`](crate::returns::cagr()).
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; dates that do not ascend or are not as many
/// as returns; no values, or values that are not finite.
pub fn calendar_cagr(returns: &[f64], dates: &[NaiveDate]) -> Result<f64, MetricError> {
    check_dates(dates, returns.len())?;
    let wealth = final_wealth(returns)?;
    let days = match (dates.first(), dates.last()) {
        (Some(first), Some(last)) => (*last - *first).num_days() + 1,
        _ => return Err(MetricError::TooFew { needed: 1, got: 0 }),
    };
    annual_growth(wealth, days as f64 / DAYS_PER_YEAR)
}
