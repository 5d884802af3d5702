use chrono::NaiveDate;
use serde::Serialize;

use crate::MetricError;
use crate::returns::dates::check_dates;
use crate::returns::drawdown_series;

/// What rounding alone may keep a wealth below its peak; it has recovered then.
const ROUNDING: f64 = 1e-12;

/// A fall of the wealth from a peak, until that peak is reached again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Drawdown {
    /// The lowest wealth over the peak's, minus 1: from −1 to below 0.
    pub depth: f64,
    /// The last peak before the fall.
    pub peak: Moment,
    /// The lowest point, the first one where there are several.
    pub trough: Moment,
    /// When the wealth was back at the peak; `None` where the series ends before.
    pub recovery: Option<Moment>,
    /// Periods from the peak to the recovery, or to the end of the series.
    pub periods: usize,
}

/// A moment at which the wealth is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// Returns that have happened by then: 0 is the start, before the first return.
    pub period: usize,
    /// The day of the last of them; `None` for the start, and where no dates were given.
    pub date: Option<NaiveDate>,
}

/// Every drawdown, in the order of time.
///
/// The wealth of 1 before the first return is a peak like any other, so that a loss on the first
/// day begins a drawdown; its peak has no date. A wealth within one part in 10¹² of the peak has
/// recovered. A peak is dated by the last day on which it stood: where the wealth rests at its
/// peak, the drawdown begins with the first loss.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a return below −1; dates that do not ascend or are not as many
/// as returns; no values, or values that are not finite.
pub fn drawdowns(
    returns: &[f64],
    dates: Option<&[NaiveDate]>,
) -> Result<Vec<Drawdown>, MetricError> {
    if let Some(dates) = dates {
        check_dates(dates, returns.len())?;
    }
    let moment = |period: usize| {
        let date = period.checked_sub(1).and_then(|index| dates?.get(index).copied());
        Moment { period, date }
    };
    let mut found = Vec::new();
    let mut open: Option<Drawdown> = None;
    for (index, depth) in drawdown_series(returns)?.into_iter().enumerate() {
        let now = moment(index + 1);
        let is_below = depth < -ROUNDING;
        match &mut open {
            None if is_below => {
                let peak = moment(index);
                open = Some(Drawdown { depth, peak, trough: now, recovery: None, periods: 1 });
            }
            None => {}
            Some(drawdown) => {
                drawdown.periods += 1;
                if !is_below {
                    found.push(Drawdown { recovery: Some(now), ..*drawdown });
                    open = None;
                } else if depth < drawdown.depth {
                    (drawdown.depth, drawdown.trough) = (depth, now);
                }
            }
        }
    }
    found.extend(open);
    Ok(found)
}

/// The `count` deepest drawdowns, deepest first, and the earlier one where two are as deep; fewer
/// where there are not as many.
///
/// # Errors
/// As [`drawdowns`].
pub fn worst_drawdowns(
    returns: &[f64],
    dates: Option<&[NaiveDate]>,
    count: usize,
) -> Result<Vec<Drawdown>, MetricError> {
    let mut found = drawdowns(returns, dates)?;
    found.sort_by(|left, right| left.depth.total_cmp(&right.depth));
    found.truncate(count);
    Ok(found)
}
