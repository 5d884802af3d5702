use eval_metrics::ranking::{
    Coefficient, ScoredOutcome, average_ranks, information_coefficients, spearman,
};
use serde::Serialize;

use crate::dates::Dates;
use crate::{Estimate, EvaluatedRow, StudyError};

/// How well scores order forward returns: rank information coefficients (Spearman's).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InformationJudgement {
    /// Rows with a score and a known return.
    pub rows: u64,
    /// The coefficient of all of them together; `None` where all scores or all returns are equal. In
    /// its interval, ranks are those of all rows and are not taken anew in each replicate.
    pub pooled: Option<Estimate>,
    /// Its two-sided p-value by Student's t. It takes rows for independent: believe the interval.
    pub pooled_p_value: Option<f64>,
    /// The coefficient of each month of as-of dates that has one, in order.
    pub months: Vec<MonthCoefficient>,
    /// The mean of the months; `None` without one.
    pub month_mean: Option<f64>,
    /// Their standard deviation (ddof 1).
    pub month_std: Option<f64>,
    /// mean / (std / √months); it takes months for independent.
    pub month_t_statistic: Option<f64>,
    /// Months without a coefficient: fewer than three rows, or all scores or all returns equal.
    pub months_left_out: u64,
}

/// The coefficient of one month.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonthCoefficient {
    /// Such as `2023-04`.
    pub month: String,
    /// −1 to 1.
    pub coefficient: f64,
    /// Rows with a score and a known return.
    pub rows: u64,
}

/// `None` where no row has both a score and a known return.
pub(crate) fn judge_information(
    rows: &[&EvaluatedRow],
    scores: &[Option<f64>],
    returns: &[f64],
    sessions: u32,
    dates: &Dates,
) -> Result<Option<InformationJudgement>, StudyError> {
    let places: Vec<usize> =
        (0..rows.len()).filter(|row| scores[*row].is_some() && !returns[*row].is_nan()).collect();
    if places.is_empty() {
        return Ok(None);
    }
    let (x, y): (Vec<f64>, Vec<f64>) =
        places.iter().filter_map(|row| Some((scores[*row]?, returns[*row]))).unzip();
    let months: Vec<ScoredOutcome<String>> = places
        .iter()
        .zip(x.iter().zip(&y))
        .map(|(row, (score, outcome))| ScoredOutcome {
            period: rows[*row].as_of_date.day().format("%Y-%m").to_string(),
            score: *score,
            outcome: *outcome,
        })
        .collect();
    let by_month = information_coefficients(&months, Coefficient::Spearman)
        .map_err(|source| StudyError::Metric { what: "the coefficients of months", source })?;
    let month = |period: eval_metrics::ranking::PeriodCoefficient<String>| MonthCoefficient {
        month: period.period,
        coefficient: period.coefficient,
        rows: period.names,
    };
    Ok(Some(InformationJudgement {
        rows: places.len() as u64,
        pooled: pooled(&places, &x, &y, sessions, dates),
        pooled_p_value: spearman(&x, &y).ok().map(|correlation| correlation.p_value),
        month_mean: by_month.mean,
        month_std: by_month.std,
        month_t_statistic: by_month.t_statistic,
        months_left_out: by_month.left_out.len() as u64,
        months: by_month.series.into_iter().map(month).collect(),
    }))
}

/// Sums of a date: count, x, y, x², y², xy, of ranks less their mean.
type Moments = [f64; 6];

fn pooled(
    places: &[usize],
    x: &[f64],
    y: &[f64],
    sessions: u32,
    dates: &Dates,
) -> Option<Estimate> {
    let exact = spearman(x, y).ok()?.coefficient;
    let middle = (x.len() as f64 + 1.0) / 2.0;
    let mut by_date = vec![Moments::default(); dates.count()];
    for (row, (x, y)) in places.iter().zip(average_ranks(x).iter().zip(average_ranks(y))) {
        let (x, y) = (x - middle, y - middle);
        let moments = [1.0, x, y, x * x, y * y, x * y];
        for (sum, moment) in by_date[dates.place(*row)].iter_mut().zip(moments) {
            *sum += moment;
        }
    }
    by_date.retain(|moments| moments[0] > 0.0);
    let found = dates.of_dates(&by_date, x.len() as u64, Some(sessions), |drawn| {
        let mut all = Moments::default();
        for moments in drawn {
            for (all, moment) in all.iter_mut().zip(moments) {
                *all += moment;
            }
        }
        correlation(all)
    })?;
    Some(Estimate { value: exact, ..found })
}

fn correlation([count, x, y, xx, yy, xy]: Moments) -> Option<f64> {
    let (var_x, var_y) = (xx - x * x / count, yy - y * y / count);
    let r = (xy - x * y / count) / (var_x * var_y).sqrt();
    (var_x > 0.0 && var_y > 0.0).then_some(r.clamp(-1.0, 1.0))
}
