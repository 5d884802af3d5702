use chrono::NaiveDate;

use crate::MetricError;
use crate::returns::checks::check_lengths;

/// Refuses dates that are not `count` many or that do not ascend strictly.
pub(crate) fn check_dates(dates: &[NaiveDate], count: usize) -> Result<(), MetricError> {
    check_lengths(count, dates.len())?;
    if dates.is_sorted_by(|earlier, later| earlier < later) {
        Ok(())
    } else {
        Err(MetricError::Undefined { reason: "the dates do not ascend, or one is there twice" })
    }
}
