use serde::{Deserialize, Serialize};
use thesis_core::Usd;

use crate::{ActionWeights, Costs, DrawdownStop, EngineError, Limits, Sizing};

/// When a call is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryPrice {
    /// At the open of the session after the call's.
    #[default]
    NextOpen,
    /// At the close of the call's own session, whose data the call may have used: optimistic.
    Close,
}

/// What becomes of an order whose ticker has no bar, or no volume, on the day of the fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingBar {
    /// It is dropped and counted.
    #[default]
    Drop,
    /// It is tried on each session until it fills or a newer call takes its place.
    Carry,
}

/// What becomes of a holding whose bars stop.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delisting {
    /// Sessions without a bar after which a holding counts as delisted; never, without a number.
    pub after_sessions: Option<u32>,
    /// It is then paid out at its last close times 1 plus this: −1 for a total loss.
    pub payout_return: f64,
}

/// The rules of a backtest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BacktestConfig {
    /// Cash before the first session.
    pub initial_cash: Usd,
    /// When a call is filled.
    pub entry_price: EntryPrice,
    /// What becomes of an order that finds no bar.
    pub missing_bar: MissingBar,
    /// Whether SELL and STRONG_SELL open short positions; otherwise they close long ones.
    pub shorts: bool,
    /// The share of a full position that each action asks for.
    pub action_weights: ActionWeights,
    /// How large a full position is.
    pub sizing: Sizing,
    /// Sessions after which a position that a call opened or renewed is closed; never, without.
    pub holding_sessions: Option<u32>,
    /// What trading costs.
    pub costs: Costs,
    /// What an order may not exceed.
    pub limits: Limits,
    /// Whether to leave the market after losses.
    pub drawdown_stop: Option<DrawdownStop>,
    /// What becomes of a holding whose bars stop.
    pub delisting: Delisting,
}

impl Default for BacktestConfig {
    fn default() -> Self {
        Self {
            initial_cash: Usd::new(1_000_000.0).unwrap_or_default(),
            entry_price: EntryPrice::default(),
            missing_bar: MissingBar::default(),
            shorts: false,
            action_weights: ActionWeights::default(),
            sizing: Sizing::default(),
            holding_sessions: None,
            costs: Costs::default(),
            limits: Limits::default(),
            drawdown_stop: None,
            delisting: Delisting::default(),
        }
    }
}

impl BacktestConfig {
    /// # Errors
    /// The first setting that is out of its range.
    pub fn validate(&self) -> Result<(), EngineError> {
        let cash = self.initial_cash.value();
        let checks = [
            ("initial_cash", cash, cash > 0.0, "an amount above 0"),
            (
                "costs.slippage_bps",
                self.costs.slippage_bps.value(),
                self.costs.slippage_bps.value() < 10_000.0,
                "below 10000: a sale at no price at all",
            ),
            (
                "costs.fixed_fee",
                self.costs.fixed_fee.value(),
                self.costs.fixed_fee.value() >= 0.0,
                "an amount of at least 0",
            ),
            (
                "holding_sessions",
                self.holding_sessions.map_or(1.0, f64::from),
                self.holding_sessions != Some(0),
                "a number of at least 1",
            ),
            (
                "delisting.after_sessions",
                self.delisting.after_sessions.map_or(1.0, f64::from),
                self.delisting.after_sessions != Some(0),
                "a number of at least 1",
            ),
            (
                "delisting.payout_return",
                self.delisting.payout_return,
                self.delisting.payout_return >= -1.0 && self.delisting.payout_return.is_finite(),
                "a return of at least -1",
            ),
        ];
        if let Some((key, value, _, expected)) = checks.into_iter().find(|check| !check.2) {
            return Err(EngineError::Setting { key, value, expected });
        }
        self.action_weights.validate()?;
        self.sizing.validate()?;
        self.limits.validate()?;
        self.drawdown_stop.map_or(Ok(()), |stop| stop.validate())
    }
}
