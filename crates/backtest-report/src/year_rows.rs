use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::series::is_drawable;

/// Returns by month, for a table of years.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MonthlyReturns {
    /// Any day of the month, and the month's simple return as a fraction. A month that comes twice
    /// is compounded; what is not finite leaves its month empty.
    pub months: Vec<(NaiveDate, f64)>,
}

/// One year of months.
pub(crate) struct YearRow {
    pub(crate) year: i32,
    pub(crate) months: [Option<f64>; 12],
}

pub(crate) const MONTH_NAMES: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl YearRow {
    /// The months compounded: ∏(1 + r) − 1 over those that have a return.
    pub(crate) fn total(&self) -> Option<f64> {
        self.months.iter().flatten().copied().reduce(compound).filter(|total| is_drawable(*total))
    }
}

/// Years in ascending order; those without a return are left out.
pub(crate) fn year_rows(returns: &MonthlyReturns) -> Vec<YearRow> {
    let mut years: BTreeMap<i32, [Option<f64>; 12]> = BTreeMap::new();
    for (day, value) in returns.months.iter().filter(|(_, value)| is_drawable(*value)) {
        let month = &mut years.entry(day.year()).or_default()[day.month0() as usize];
        let both = month.map_or(*value, |before| compound(before, *value));
        *month = Some(both).filter(|both| is_drawable(*both));
    }
    years.into_iter().map(|(year, months)| YearRow { year, months }).collect()
}

fn compound(a: f64, b: f64) -> f64 {
    (1.0 + a) * (1.0 + b) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_compound_their_months() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let months = vec![
            (day("2021-02-26"), 0.10),
            (day("2021-01-29"), -0.05),
            (day("2020-12-31"), 0.02),
            (day("2019-06-28"), f64::NAN),
            (day("2021-02-01"), 0.10),
        ];
        let rows = year_rows(&MonthlyReturns { months });
        assert_eq!(rows.iter().map(|row| row.year).collect::<Vec<_>>(), [2020, 2021]);
        assert_eq!(rows[0].months[11], Some(0.02));
        assert!((rows[1].months[1].unwrap() - 0.21).abs() < 1e-12);
        assert!((rows[1].total().unwrap() - (0.95 * 1.21 - 1.0)).abs() < 1e-12);
    }
}
