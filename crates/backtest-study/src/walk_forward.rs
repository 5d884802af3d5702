use std::ops::Range;

use backtest_engine::BacktestConfig;
use chrono::NaiveDate;
use eval_metrics::returns::{ReturnSample, ReturnStatistics, return_statistics};
use serde::{Deserialize, Serialize};
use thesis_core::Usd;

use crate::{Backtest, GridPoint, StudyError, returns_of, run_grid};

/// The sessions of a training window and of the test window after it, by index in the market.
pub type TrainAndTest = (Range<usize>, Range<usize>);

/// The windows of a walk-forward, in sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Windows {
    /// To choose on; of the first window where it expands.
    pub train_sessions: usize,
    /// To judge on, after them. The last window may be shorter.
    pub test_sessions: usize,
    /// Whether training keeps its beginning and grows, or keeps its length and moves along.
    pub expanding: bool,
}

/// Windows that follow each other, each judged with what the one before it chose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WalkForward<P> {
    /// In the order of time.
    pub folds: Vec<Fold<P>>,
    /// Of all test windows one after the other.
    pub statistics: ReturnStatistics,
    /// The sessions of all test windows.
    #[serde(skip)]
    pub dates: Vec<NaiveDate>,
    /// Equity at the close of each, in US dollars.
    #[serde(skip)]
    pub equity: Vec<f64>,
}

/// A training window and the test window after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fold<P> {
    /// First and last session of training.
    pub train: (NaiveDate, NaiveDate),
    /// First and last session of the test.
    pub test: (NaiveDate, NaiveDate),
    /// The best point's parameters.
    pub chosen: P,
    /// Annualized, of the best point in training.
    pub train_sharpe: Option<f64>,
    /// Annualized, of the same point in the test.
    pub test_sharpe: Option<f64>,
    /// Return over the test, as a fraction.
    pub test_return: f64,
}

impl Default for Windows {
    fn default() -> Self {
        Self { train_sessions: 252, test_sessions: 63, expanding: false }
    }
}

impl Windows {
    /// The training and test windows within the sessions, in the order of time.
    ///
    /// # Errors
    /// Windows that are too short to choose and judge, or too long to fit once.
    pub fn folds(&self, sessions: &Range<usize>) -> Result<Vec<TrainAndTest>, StudyError> {
        let Self { train_sessions: train, test_sessions: test, expanding } = *self;
        if train < 3 || test < 1 {
            return Err(StudyError::WindowsTooShort { train, test });
        }
        if train.saturating_add(test) > sessions.len() {
            let sessions = sessions.len();
            return Err(StudyError::WindowsTooLong { train, test, sessions });
        }
        let starts = (sessions.start + train..sessions.end).step_by(test);
        let fold = |start: usize| {
            let first = if expanding { sessions.start } else { start - train };
            (first..start, start..(start + test).min(sessions.end))
        };
        Ok(starts.map(fold).collect())
    }
}

/// Chooses on each training window the configuration with the highest Sharpe ratio and trades it
/// through the test window after it, which begins in cash with the equity of the one before. `done` is
/// told of each window.
///
/// # Errors
/// Windows that do not fit, no points, or a run that cannot be simulated.
pub fn walk_forward<P: Clone + Send + Sync>(
    backtest: &Backtest<'_>,
    points: &[GridPoint<P>],
    windows: Windows,
    done: &dyn Fn(),
) -> Result<WalkForward<P>, StudyError> {
    let mut cash = points.first().ok_or(StudyError::NoConfiguration)?.config.initial_cash;
    let initial_cash = cash.value();
    let dates_of = backtest.market.dates();
    let (mut folds, mut dates, mut equity) = (Vec::new(), Vec::new(), Vec::new());
    for (train, test) in windows.folds(&backtest.sessions)? {
        let training = Backtest { sessions: train.clone(), ..backtest.clone() };
        let grid = run_grid(&training, points)?;
        let best = grid.best.unwrap_or(0);
        let config = BacktestConfig { initial_cash: cash, ..points[best].config };
        let testing = Backtest { sessions: test.clone(), ..backtest.clone() };
        let outcome = testing.run_other(backtest.calls, &config)?;
        let end = outcome.days.last().map_or(cash.value(), |day| day.equity);
        let ends = |range: &Range<usize>| (dates_of[range.start], dates_of[range.end - 1]);
        folds.push(Fold {
            train: ends(&train),
            test: ends(&test),
            chosen: points[best].parameters.clone(),
            train_sharpe: grid.results[best].sharpe,
            test_sharpe: testing.sharpe_of(&outcome, cash.value()).ok(),
            test_return: end / cash.value() - 1.0,
        });
        dates.extend(outcome.days.iter().map(|day| day.date));
        equity.extend(outcome.days.iter().map(|day| day.equity));
        done();
        if outcome.ended.is_some() {
            break;
        }
        cash = Usd::new(end)?;
    }
    let returns = returns_of(&equity, initial_cash);
    let sample = ReturnSample {
        returns: &returns,
        dates: Some(&dates),
        options: backtest.options,
        ..ReturnSample::default()
    };
    let statistics = return_statistics(&sample);
    Ok(WalkForward { folds, statistics, dates, equity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_follow_each_other_and_training_comes_before() {
        let windows = Windows { train_sessions: 4, test_sessions: 3, expanding: false };
        let folds = windows.folds(&(10..20)).unwrap();
        assert_eq!(folds, [(10..14, 14..17), (13..17, 17..20)]);
        let growing = Windows { expanding: true, ..windows };
        assert_eq!(growing.folds(&(10..19)).unwrap(), [(10..14, 14..17), (10..17, 17..19)]);
        assert_eq!(
            windows.folds(&(0..6)),
            Err(StudyError::WindowsTooLong { train: 4, test: 3, sessions: 6 })
        );
        assert!(Windows { test_sessions: 0, ..windows }.folds(&(0..6)).is_err());
    }
}
