use serde::{Deserialize, Serialize};
use thesis_core::AsOfDate;

use crate::{Cut, SplitError};

/// How walk-forward folds are laid over time. All figures are calendar days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkForward {
    /// Whether training moves along or grows.
    pub mode: FoldMode,
    /// Training days of the first fold, and of every other one where they roll.
    pub train_days: u32,
    /// Validation days; none for 0.
    pub val_days: u32,
    /// Test days.
    pub test_days: u32,
    /// Days from the beginning of one fold's test to that of the next; tests overlap where it is
    /// less than `test_days`.
    pub step_days: u32,
    /// Days to keep free before validation and before test.
    pub embargo_days: u32,
}

/// What happens to the training window from fold to fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoldMode {
    /// It keeps its length and moves along.
    Rolling,
    /// It keeps its beginning and grows.
    Expanding,
}

/// One training and test of a walk forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fold {
    /// Its number, from 0.
    pub index: usize,
    /// Its days.
    pub cut: Cut,
}

impl Fold {
    /// `fold-000` and so on; in the order of the folds up to the thousandth.
    pub fn name(&self) -> String {
        format!("fold-{:03}", self.index)
    }
}

/// The folds over these dates, oldest first: as many as have a whole test window.
///
/// The first fold begins on the earliest date. Dates may stand in any order and repeat; a window
/// in which none of them lies makes an empty split, not an error.
///
/// # Errors
/// [`SplitError::ZeroDays`] where training, test or step has no days, [`SplitError::LongEmbargo`]
/// where the embargo would empty training or validation, [`SplitError::NoRecords`] without dates,
/// [`SplitError::ShortSpan`] where not even one fold fits.
pub fn walk_forward(dates: &[AsOfDate], config: &WalkForward) -> Result<Vec<Fold>, SplitError> {
    let WalkForward { mode, train_days, val_days, test_days, step_days, embargo_days } = *config;
    check(config)?;
    let (Some(first), Some(last)) = (dates.iter().min(), dates.iter().max()) else {
        return Err(SplitError::NoRecords);
    };
    let span_days = (last.day() - first.day()).num_days() + 1;
    let fold_days = i64::from(train_days) + i64::from(val_days) + i64::from(test_days);
    if span_days < fold_days {
        return Err(SplitError::ShortSpan { span_days, fold_days });
    }
    // A span of dates that exist fits into u32 by far.
    let folds = ((span_days - fold_days) / i64::from(step_days)) as u32 + 1;
    let cut = |index: u32| {
        let moved = index * step_days;
        let (begin, train_days) = match mode {
            FoldMode::Rolling => (first.plus_days(moved), train_days),
            FoldMode::Expanding => (*first, train_days + moved),
        };
        Cut::windows(begin, train_days, val_days, test_days, embargo_days)
    };
    Ok((0..folds).map(|index| Fold { index: index as usize, cut: cut(index) }).collect())
}

fn check(config: &WalkForward) -> Result<(), SplitError> {
    let WalkForward { mode: _, train_days, val_days, test_days, step_days, embargo_days } = *config;
    let days = [("train", train_days), ("test", test_days), ("step", step_days)];
    if let Some((window, _)) = days.into_iter().find(|(_, days)| *days == 0) {
        let setting = match window {
            "train" => "fold_train_days",
            "test" => "fold_test_days",
            _ => "fold_step_days",
        };
        return Err(SplitError::ZeroDays { setting });
    }
    let windows = [("fold_train_days", train_days), ("fold_val_days", val_days)];
    match windows.into_iter().find(|(_, days)| *days > 0 && embargo_days >= *days) {
        Some((setting, days)) => Err(SplitError::LongEmbargo { embargo_days, setting, days }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DateRange, Split};

    fn day(text: &str) -> AsOfDate {
        AsOfDate::parse(text).unwrap()
    }

    const CONFIG: WalkForward = WalkForward {
        mode: FoldMode::Rolling,
        train_days: 10,
        val_days: 0,
        test_days: 5,
        step_days: 5,
        embargo_days: 0,
    };

    fn ranges(config: &WalkForward, split: Split) -> Vec<String> {
        let dates = [day("2024-01-27"), day("2024-01-01"), day("2024-01-09")];
        let folds = walk_forward(&dates, config).unwrap();
        folds.iter().map(|f| f.cut.range(split).unwrap_or_default().to_string()).collect()
    }

    #[test]
    fn rolling_keeps_the_length() {
        let train =
            ["2024-01-01 to 2024-01-10", "2024-01-06 to 2024-01-15", "2024-01-11 to 2024-01-20"];
        assert_eq!(ranges(&CONFIG, Split::Train), train);
        let test =
            ["2024-01-11 to 2024-01-15", "2024-01-16 to 2024-01-20", "2024-01-21 to 2024-01-25"];
        assert_eq!(ranges(&CONFIG, Split::Test), test);
        assert_eq!(ranges(&CONFIG, Split::Validation), vec![DateRange::default().to_string(); 3]);
    }

    #[test]
    fn expanding_keeps_the_beginning() {
        let config = WalkForward { mode: FoldMode::Expanding, val_days: 2, ..CONFIG };
        let train =
            ["2024-01-01 to 2024-01-10", "2024-01-01 to 2024-01-15", "2024-01-01 to 2024-01-20"];
        assert_eq!(ranges(&config, Split::Train), train);
        assert_eq!(ranges(&config, Split::Validation)[2], "2024-01-21 to 2024-01-22");
        assert_eq!(ranges(&config, Split::Test)[2], "2024-01-23 to 2024-01-27");
    }

    #[test]
    fn settings_that_make_no_fold() {
        let dates = [day("2024-01-01"), day("2024-01-27")];
        let check = |config: WalkForward, want: &str| {
            let error = walk_forward(&dates, &config).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        };
        check(WalkForward { train_days: 0, ..CONFIG }, "`fold_train_days`");
        check(WalkForward { test_days: 0, ..CONFIG }, "`fold_test_days`");
        check(WalkForward { step_days: 0, ..CONFIG }, "`fold_step_days`");
        check(WalkForward { embargo_days: 10, ..CONFIG }, "`fold_train_days`");
        check(WalkForward { embargo_days: 2, val_days: 2, ..CONFIG }, "`fold_val_days`");
        check(WalkForward { train_days: u32::MAX, ..CONFIG }, "span 27 days");
        assert!(matches!(walk_forward(&[], &CONFIG), Err(SplitError::NoRecords)));
    }
}
