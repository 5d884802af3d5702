use std::collections::BTreeMap;
use std::ops::Range;

use backtest_engine::{DropReason, Market, Outcome, PlacedCalls};
use backtest_study::{
    Baseline, CostSweep, Grid, Performance, RandomCalls, SharpeUncertainty, WalkForward,
};
use eval_metrics::returns::ReturnOptions;
use serde::Serialize;
use serde_json::Value;

use crate::call_file::CallFile;
use crate::config::BacktestSettings;
use crate::grid::Parameters;
use crate::order_files::RoundTripSummary;

/// Everything that a run found: the JSON, and what the tear sheet is made of.
pub(crate) struct Study {
    pub(crate) settings: BacktestSettings,
    pub(crate) sessions: Range<usize>,
    pub(crate) options: ReturnOptions,
    pub(crate) market: Market,
    pub(crate) outcome: Outcome,
    pub(crate) strategy: Performance,
    pub(crate) uncertainty: SharpeUncertainty,
    pub(crate) baselines: Vec<Baseline>,
    pub(crate) random: Option<RandomCalls>,
    pub(crate) sensitivity: Option<CostSweep>,
    pub(crate) walk_forward: Option<WalkForward<Parameters>>,
    pub(crate) grid: Option<Grid<Parameters>>,
    pub(crate) calls: CallCounts,
    pub(crate) orders: OrderCounts,
    pub(crate) costs: CostTotals,
    pub(crate) round_trips: RoundTripSummary,
    /// What a reader must know before believing a figure.
    pub(crate) warnings: Vec<String>,
}

/// What became of the rows of the calls' file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CallCounts {
    pub(crate) rows: usize,
    pub(crate) without_action: usize,
    pub(crate) below_min_confidence: usize,
    pub(crate) placed: usize,
    pub(crate) conflicting: usize,
    pub(crate) moved_to_a_session: usize,
}

/// Fills by cause, and dropped orders by reason.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OrderCounts {
    pub(crate) fills: usize,
    pub(crate) fills_by_cause: BTreeMap<String, usize>,
    pub(crate) fills_cut_by: BTreeMap<String, usize>,
    pub(crate) dropped: usize,
    pub(crate) dropped_by_reason: BTreeMap<DropReason, usize>,
}

/// Dollars over the whole run.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct CostTotals {
    pub(crate) traded: f64,
    pub(crate) fees: f64,
    pub(crate) slippage: f64,
    pub(crate) borrow: f64,
    pub(crate) interest: f64,
    pub(crate) dividends: f64,
}

impl CallCounts {
    pub(crate) fn of(file: &CallFile, placed: &PlacedCalls) -> Self {
        Self {
            rows: file.rows,
            without_action: file.without_action,
            below_min_confidence: file.unsure,
            placed: placed.calls,
            conflicting: placed.conflicting,
            moved_to_a_session: placed.moved,
        }
    }
}

impl OrderCounts {
    pub(crate) fn of(outcome: &Outcome, placed: &PlacedCalls) -> Self {
        let mut dropped_by_reason = BTreeMap::new();
        let unplaced = placed.dropped.iter().map(|(_, reason)| *reason);
        let reasons = unplaced.chain(outcome.dropped.iter().map(|dropped| dropped.reason));
        for reason in reasons {
            *dropped_by_reason.entry(reason).or_default() += 1;
        }
        let (mut fills_by_cause, mut fills_cut_by) = (BTreeMap::new(), BTreeMap::new());
        for fill in &outcome.fills {
            *fills_by_cause.entry(name_of(&fill.cause)).or_default() += 1;
            if let Some(cut) = &fill.cut {
                *fills_cut_by.entry(name_of(cut)).or_default() += 1;
            }
        }
        Self {
            fills: outcome.fills.len(),
            fills_by_cause,
            fills_cut_by,
            dropped: dropped_by_reason.values().sum(),
            dropped_by_reason,
        }
    }
}

impl CostTotals {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        outcome.days.iter().fold(Self::default(), |total, day| Self {
            traded: total.traded + day.traded,
            fees: total.fees + day.fees,
            slippage: total.slippage + day.slippage,
            borrow: total.borrow + day.borrow,
            interest: total.interest + day.interest,
            dividends: total.dividends + day.dividends,
        })
    }
}

/// The name under which a variant is written to files.
pub(crate) fn name_of(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(name)) => name,
        other => format!("{other:?}"),
    }
}
