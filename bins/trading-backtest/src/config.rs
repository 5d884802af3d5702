use anyhow::Context;

use backtest_engine::{
    ActionWeights, BacktestConfig, Conflict, Costs, Delisting, DrawdownStop, EntryPrice, Limits,
    MissingBar, PriceBasis, Sizing,
};
use backtest_study::Windows;
use chrono::NaiveDate;
use clap::ValueEnum;
use eval_metrics::returns::{PeriodsPerYear, ReturnOptions, compound_rate_per_period};
use price_cache::{CheckConfig, Policy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thesis_core::{Bps, DateOrder, Usd};

/// The settings of `configs/backtest.yaml`, which documents each key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BacktestSettings {
    pub(crate) from: Option<NaiveDate>,
    pub(crate) to: Option<NaiveDate>,
    pub(crate) date_order: DateOrder,
    pub(crate) calendar: String,
    pub(crate) prices: PricesSetting,
    pub(crate) stored_basis: PriceBasis,
    pub(crate) checks: CheckConfig,
    pub(crate) conflict: Conflict,
    pub(crate) strength: StrengthSetting,
    pub(crate) min_confidence: f64,
    pub(crate) initial_cash: Usd,
    pub(crate) entry_price: EntryPrice,
    pub(crate) missing_bar: MissingBar,
    pub(crate) shorts: bool,
    pub(crate) action_weights: ActionWeights,
    pub(crate) sizing: SizingSettings,
    pub(crate) holding_sessions: Option<u32>,
    pub(crate) costs: Costs,
    pub(crate) limits: Limits,
    pub(crate) drawdown_stop: Option<DrawdownStop>,
    pub(crate) delisting: Delisting,
    pub(crate) periods_per_year: f64,
    pub(crate) risk_free_annual: f64,
    pub(crate) seed: u64,
    pub(crate) random_draws: u32,
    pub(crate) bootstrap: BootstrapSettings,
    pub(crate) sensitivity: SensitivitySettings,
    pub(crate) walk_forward: Windows,
    pub(crate) grid: Map<String, Value>,
}

/// Which prices are traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PricesSetting {
    /// Open and close scaled by adj_close / close, so that dividends are in the returns.
    Adjusted,
    /// As they stand in the file.
    AsStored,
}

/// What makes a position larger or smaller than its action alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StrengthSetting {
    /// Nothing
    None,
    /// The confidence of the call; of five probabilities, that of the action
    Confidence,
    /// How far the five probabilities lean: |Σ p·c| / 2, c from −2 (strong sell) to 2 (strong buy)
    Conviction,
}

/// `sizing` as one mapping, so that layers of settings can be put together key by key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SizingSettings {
    pub(crate) rule: SizingRule,
    pub(crate) pct: f64,
    pub(crate) annual_target: f64,
    pub(crate) kelly_fraction: f64,
    pub(crate) window: usize,
    pub(crate) max_pct: f64,
}

/// How large a full position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SizingRule {
    FixedPct,
    VolatilityTarget,
    Kelly,
}

/// Intervals around figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BootstrapSettings {
    pub(crate) replicates: usize,
    pub(crate) confidence: f64,
}

/// The costs that `--sensitivity` sweeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SensitivitySettings {
    pub(crate) fee_bps: Vec<Bps>,
    pub(crate) slippage_bps: Vec<Bps>,
}

impl Default for BacktestSettings {
    fn default() -> Self {
        let engine = BacktestConfig::default();
        Self {
            from: None,
            to: None,
            date_order: DateOrder::Refuse,
            calendar: "xnys".to_owned(),
            prices: PricesSetting::Adjusted,
            stored_basis: PriceBasis::Splits,
            checks: CheckConfig {
                duplicate: Policy::Fail,
                no_session: Policy::Drop,
                ..CheckConfig::default()
            },
            conflict: Conflict::Last,
            strength: StrengthSetting::None,
            min_confidence: 0.0,
            initial_cash: engine.initial_cash,
            entry_price: engine.entry_price,
            missing_bar: engine.missing_bar,
            shorts: engine.shorts,
            action_weights: engine.action_weights,
            sizing: SizingSettings::default(),
            holding_sessions: engine.holding_sessions,
            costs: engine.costs,
            limits: engine.limits,
            drawdown_stop: engine.drawdown_stop,
            delisting: engine.delisting,
            periods_per_year: 252.0,
            risk_free_annual: 0.0,
            seed: 7,
            random_draws: 1_000,
            bootstrap: BootstrapSettings::default(),
            sensitivity: SensitivitySettings::default(),
            walk_forward: Windows::default(),
            grid: Map::new(),
        }
    }
}

impl Default for SizingSettings {
    fn default() -> Self {
        Self {
            rule: SizingRule::FixedPct,
            pct: 0.1,
            annual_target: 0.1,
            kelly_fraction: 0.5,
            window: 63,
            max_pct: 0.2,
        }
    }
}

impl Default for BootstrapSettings {
    fn default() -> Self {
        Self { replicates: 2_000, confidence: 0.95 }
    }
}

impl Default for SensitivitySettings {
    fn default() -> Self {
        let bps = |values: [f64; 6]| values.into_iter().flat_map(Bps::new).collect();
        Self {
            fee_bps: bps([0.0, 1.0, 2.0, 5.0, 10.0, 20.0]),
            slippage_bps: bps([0.0, 2.0, 5.0, 10.0, 20.0, 50.0]),
        }
    }
}

impl BacktestSettings {
    /// The rates and levels of statistics.
    ///
    /// # Errors
    /// A setting out of its range.
    pub(crate) fn return_options(&self) -> anyhow::Result<ReturnOptions> {
        let periods_per_year =
            PeriodsPerYear::new(self.periods_per_year).context("`periods_per_year`")?;
        let risk_free = compound_rate_per_period(self.risk_free_annual, periods_per_year)
            .context("`risk_free_annual`")?;
        Ok(ReturnOptions { periods_per_year, risk_free, ..ReturnOptions::default() })
    }

    /// What the prices that are traded are adjusted for.
    pub(crate) fn basis(&self) -> PriceBasis {
        match self.prices {
            PricesSetting::Adjusted => PriceBasis::SplitsAndDividends,
            PricesSetting::AsStored => self.stored_basis,
        }
    }

    /// The engine's share of the settings.
    pub(crate) fn engine(&self) -> BacktestConfig {
        let SizingSettings { rule, pct, annual_target, kelly_fraction, window, max_pct } =
            self.sizing;
        BacktestConfig {
            initial_cash: self.initial_cash,
            entry_price: self.entry_price,
            missing_bar: self.missing_bar,
            shorts: self.shorts,
            action_weights: self.action_weights,
            sizing: match rule {
                SizingRule::FixedPct => Sizing::FixedPct { pct },
                SizingRule::VolatilityTarget => {
                    Sizing::VolatilityTarget { annual_target, window, max_pct }
                }
                SizingRule::Kelly => Sizing::Kelly { fraction: kelly_fraction, window, max_pct },
            },
            holding_sessions: self.holding_sessions,
            costs: self.costs,
            limits: self.limits,
            drawdown_stop: self.drawdown_stop,
            delisting: self.delisting,
        }
    }
}
