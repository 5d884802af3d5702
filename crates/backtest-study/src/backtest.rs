use std::ops::Range;

use backtest_engine::{
    BacktestConfig, Calls, EngineError, Market, Outcome, Record, simulate_between,
};
use eval_metrics::MetricError;
use eval_metrics::returns::{ReturnOptions, sharpe};

use crate::{Performance, returns_of};

/// What all studies of one backtest share.
#[derive(Debug, Clone)]
pub struct Backtest<'a> {
    /// The bars.
    pub market: &'a Market,
    /// The strategy's calls.
    pub calls: &'a Calls,
    /// The strategy's rules.
    pub config: &'a BacktestConfig,
    /// The sessions to trade, by index in the market; bars before them are history.
    pub sessions: Range<usize>,
    /// Rates and levels of the statistics.
    pub options: ReturnOptions,
}

impl Backtest<'_> {
    /// Runs the strategy itself.
    ///
    /// # Errors
    /// As [`simulate_between`].
    pub fn run(&self, record: Record) -> Result<Outcome, EngineError> {
        simulate_between(self.market, self.calls, self.config, record, self.sessions.clone())
    }

    /// A run's returns and statistics, held against a benchmark's returns of the same sessions where
    /// there is one.
    pub fn performance(&self, outcome: &Outcome, benchmark: Option<&[f64]>) -> Performance {
        let cash = self.config.initial_cash.value();
        Performance::of(outcome, cash, benchmark, self.options)
    }

    /// Runs other calls or other rules through the same sessions, for the days alone.
    pub(crate) fn run_other(
        &self,
        calls: &Calls,
        config: &BacktestConfig,
    ) -> Result<Outcome, EngineError> {
        simulate_between(self.market, calls, config, Record::Days, self.sessions.clone())
    }

    /// The annualized Sharpe ratio of a run that began with this cash.
    pub(crate) fn sharpe_of(
        &self,
        outcome: &Outcome,
        initial_cash: f64,
    ) -> Result<f64, MetricError> {
        let equity: Vec<f64> = outcome.days.iter().map(|day| day.equity).collect();
        let ReturnOptions { risk_free, periods_per_year, .. } = self.options;
        sharpe(&returns_of(&equity, initial_cash), risk_free, periods_per_year)
    }
}
