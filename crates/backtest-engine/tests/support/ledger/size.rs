//! What a call asks for: its weight, and the estimates of sizing and volume.

use backtest_engine::{EntryPrice, Sizing};
use thesis_core::Action;

use super::Books;

impl Books<'_> {
    /// The call, HOLD aside, that a fill of this session is for.
    pub(super) fn call_for(&self, index: usize, asset: usize) -> Option<(Action, f64)> {
        let day = match self.world.config.entry_price {
            EntryPrice::NextOpen => index.checked_sub(1)?,
            EntryPrice::Close => index,
        };
        self.calls.get(&(day, asset)).copied().filter(|(action, _)| *action != Action::Hold)
    }

    pub(super) fn action_weight(&self, action: Action) -> Option<f64> {
        let weights = &self.world.config.action_weights;
        let weight = match action {
            Action::StrongBuy => weights.strong_buy,
            Action::Buy => weights.buy,
            Action::Hold => return None,
            Action::Sell => weights.sell,
            Action::StrongSell => weights.strong_sell,
        };
        Some(if self.world.config.shorts || weight > 0.0 { weight } else { 0.0 })
    }

    /// The share of equity that a call asks for; `None` where nothing can be estimated.
    pub(super) fn weight(&self, index: usize, asset: usize, call: (Action, f64)) -> Option<f64> {
        let weight = self.action_weight(call.0)?;
        let unit = match self.world.config.sizing {
            Sizing::FixedPct { pct } => pct,
            _ if weight == 0.0 => 0.0,
            Sizing::VolatilityTarget { annual_target, window, max_pct } => {
                let (_, variance) = self.estimate(index, asset, window)?;
                (annual_target / variance.sqrt() / 252_f64.sqrt()).min(max_pct)
            }
            Sizing::Kelly { fraction, window, max_pct } => {
                let (mean, variance) = self.estimate(index, asset, window)?;
                let edge = if weight > 0.0 { mean } else { -mean };
                (fraction * edge / variance).clamp(0.0, max_pct)
            }
        };
        let most = self.world.config.limits.max_position.unwrap_or(f64::INFINITY);
        Some((weight * unit * call.1).clamp(-most, most))
    }

    /// Mean and variance of the last returns before a session, from closes in shares of that day.
    pub(super) fn estimate(&self, index: usize, asset: usize, window: usize) -> Option<(f64, f64)> {
        let closes: Vec<f64> = (0..index)
            .filter(|day| !self.world.close[*day][asset].is_nan())
            .map(|day| self.world.close[day][asset] / self.ratio(asset, day, index))
            .collect();
        let returns: Vec<f64> = closes.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        let returns = &returns[returns.len().checked_sub(window)?..];
        let mean = returns.iter().sum::<f64>() / window as f64;
        let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
        let variance = squares / (window as f64 - 1.0);
        (variance > 1e-22).then_some((mean, variance))
    }

    /// What a share of the close of session `from` has become before the open of `to`.
    pub(super) fn ratio(&self, asset: usize, from: usize, to: usize) -> f64 {
        let ratio = |split: &(usize, usize, f64)| {
            if split.1 == asset && from < split.0 && split.0 <= to { split.2 } else { 1.0 }
        };
        self.splits.iter().map(ratio).product()
    }

    pub(super) fn average_volume(&self, index: usize, asset: usize) -> f64 {
        let known: Vec<f64> = (0..index)
            .map(|day| self.world.volume[day][asset] * self.ratio(asset, day, index))
            .filter(|volume| !volume.is_nan())
            .collect();
        let window = &known[known.len().saturating_sub(self.world.config.limits.adv_window)..];
        window.iter().sum::<f64>() / window.len().max(1) as f64
    }
}
