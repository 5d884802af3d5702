use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Parser, ValueEnum};
use serde::Serialize;
use serde_json::{Map, Value, json};
use stage_cli::CommonArgs;

use crate::config::StrengthSetting;

/// Trade daily calls over real prices and write an equity curve, figures and a tear sheet
///
/// A call uses data up to the close of its day and fills at the next open. Orders are sized by the
/// equity and the closes known before, sales come first, and cash never goes below zero without
/// leverage. Every fill and every dropped order is written down. Beside OUT.json stand OUT.html
/// (the tear sheet), OUT.days.csv, OUT.fills.csv, OUT.dropped.csv and OUT.plots/*.svg. This is
/// research software; nothing that it writes is investment advice.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Calls: columns as_of_date (or date), ticker, pred_action (or signal), optionally confidence
    /// or five probabilities; bars may stand in the same file
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) eval_csv: PathBuf,
    /// Daily bars: a folder of CSV or Parquet files, or one such file; without it, those of the
    /// calls' own file
    #[arg(long, value_name = "DIR_OR_FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Corporate actions: columns date, ticker, event (split, dividend, delisting) and value
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) events: Option<PathBuf>,
    /// The result is written here; its other files are named after it
    #[arg(long, value_name = "FILE.json")]
    pub(crate) out: PathBuf,
    /// Sweep fees and slippage and plot the net Sharpe ratio over them
    #[arg(long, help_heading = STUDIES)]
    pub(crate) sensitivity: bool,
    /// Judge on windows that follow each other, with the best of the grid of each training window
    #[arg(long, help_heading = STUDIES)]
    pub(crate) walk_forward: bool,
    /// Sessions to choose on [default: 252]
    #[arg(long, value_name = "N", help_heading = STUDIES)]
    pub(crate) train_sessions: Option<usize>,
    /// Sessions to judge on, after them [default: 63]
    #[arg(long, value_name = "N", help_heading = STUDIES)]
    pub(crate) test_sessions: Option<usize>,
    /// Draws of random calls with the same class mix; 0 for none [default: 1000]
    #[arg(long, value_name = "N", help_heading = STUDIES)]
    pub(crate) random_draws: Option<u32>,
    /// Seed of random calls and bootstrap intervals [default: 7]
    #[arg(long, value_name = "N", help_heading = STUDIES)]
    pub(crate) seed: Option<u64>,
    /// First session
    #[arg(long, value_name = "DATE", help_heading = DATA)]
    pub(crate) from: Option<NaiveDate>,
    /// Last session
    #[arg(long, value_name = "DATE", help_heading = DATA)]
    pub(crate) to: Option<NaiveDate>,
    /// Days that are sessions: xnys, weekdays, none (every day that has a bar), or a file
    /// [default: xnys]
    #[arg(long, value_name = "NAME_OR_FILE", help_heading = DATA)]
    pub(crate) calendar: Option<String>,
    /// Prices to trade [default: adjusted]
    #[arg(long, value_enum, value_name = "BASIS", help_heading = DATA)]
    pub(crate) price_basis: Option<PricesArg>,
    /// Which call counts where several stand for one ticker and day [default: last]
    #[arg(long, value_enum, value_name = "RULE", help_heading = DATA)]
    pub(crate) conflict: Option<ConflictArg>,
    /// Calls with less confidence count as HOLD [default: 0]
    #[arg(long, value_name = "P", help_heading = DATA)]
    pub(crate) min_confidence: Option<f64>,
    /// A factor on the size of each position [default: none]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = RULES)]
    pub(crate) strength: Option<StrengthSetting>,
    /// Dollars to begin with [default: 1000000]
    #[arg(long, value_name = "USD", help_heading = RULES)]
    pub(crate) initial_cash: Option<f64>,
    /// Where a call fills [default: next_open]
    #[arg(long, value_enum, value_name = "PRICE", help_heading = RULES)]
    pub(crate) entry_price: Option<EntryArg>,
    /// An order that finds no bar [default: drop]
    #[arg(long, value_enum, value_name = "POLICY", help_heading = RULES)]
    pub(crate) missing_bar: Option<MissingBarArg>,
    /// SELL and STRONG_SELL open short positions
    #[arg(long, help_heading = RULES)]
    pub(crate) shorts: bool,
    /// How large a full position is [default: fixed_pct]
    #[arg(long, value_enum, value_name = "RULE", help_heading = RULES)]
    pub(crate) sizing: Option<SizingArg>,
    /// Share of equity of a full position under fixed_pct [default: 0.1]
    #[arg(long, value_name = "SHARE", help_heading = RULES)]
    pub(crate) position_pct: Option<f64>,
    /// Close a position so many sessions after its last call
    #[arg(long, value_name = "N", help_heading = RULES)]
    pub(crate) holding_sessions: Option<u32>,
    /// Largest share of equity in one position
    #[arg(long, value_name = "SHARE", help_heading = RULES)]
    pub(crate) max_position: Option<f64>,
    /// Largest gross exposure as a share of equity
    #[arg(long, value_name = "SHARE", help_heading = RULES)]
    pub(crate) max_gross: Option<f64>,
    /// 1 borrows nothing [default: 1]
    #[arg(long, value_name = "X", help_heading = RULES)]
    pub(crate) leverage: Option<f64>,
    /// Shares come in multiples of this
    #[arg(long, value_name = "SHARES", help_heading = RULES)]
    pub(crate) lot: Option<f64>,
    /// Largest share of the average daily volume in one order
    #[arg(long, value_name = "SHARE", help_heading = RULES)]
    pub(crate) adv_fraction: Option<f64>,
    /// Leave the market after this loss from the peak: 0.2 for a fifth
    #[arg(long, value_name = "SHARE", help_heading = RULES)]
    pub(crate) stop_depth: Option<f64>,
    /// Sessions out of the market after a stop; for good, without
    #[arg(long, value_name = "N", help_heading = RULES, requires = "stop_depth")]
    pub(crate) stop_reentry: Option<u32>,
    /// Fee on an order's value, in basis points [default: 1]
    #[arg(long, value_name = "BPS", help_heading = COSTS)]
    pub(crate) fee_bps: Option<f64>,
    /// Fee per order, in dollars [default: 0]
    #[arg(long, value_name = "USD", help_heading = COSTS)]
    pub(crate) fixed_fee: Option<f64>,
    /// How much worse than the bar's price orders fill, in basis points [default: 5]
    #[arg(long, value_name = "BPS", help_heading = COSTS)]
    pub(crate) slippage_bps: Option<f64>,
    /// Yearly fee on short positions, in basis points [default: 50]
    #[arg(long, value_name = "BPS", help_heading = COSTS)]
    pub(crate) borrow_bps: Option<f64>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const STUDIES: &str = "Studies";
const DATA: &str = "Data";
const RULES: &str = "Rules";
const COSTS: &str = "Costs";

const EXAMPLES: &str = "\
Examples:
  trading-backtest --eval-csv predictions.csv --prices prices --out backtests/first.json \\
      --config configs/backtest.yaml
  trading-backtest --eval-csv predictions.csv --prices cache --out backtests/shorts.json \\
      --shorts --holding-sessions 21 --fee-bps 2 --slippage-bps 10 --sensitivity
  trading-backtest --eval-csv predictions.csv --prices cache --out backtests/wf.json \\
      --walk-forward --train-sessions 252 --test-sessions 63 --config grid.yaml

Every setting, its default and the parameter grid are documented in configs/backtest.yaml.";

/// Prices to trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum PricesArg {
    /// Open and close scaled by adj_close / close: dividends are in the returns
    Adjusted,
    /// As they stand in the file
    AsStored,
}

/// Which of several calls counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConflictArg {
    /// The latest
    Last,
    /// The action nearest to the mean
    Mean,
    /// The action named most often
    Majority,
}

/// Where a call fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum EntryArg {
    /// At the open of the session after
    NextOpen,
    /// At the close of its own day: optimistic
    Close,
}

/// An order that finds no bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MissingBarArg {
    /// Is dropped and counted
    Drop,
    /// Is tried again on each session
    Carry,
}

/// How large a full position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum SizingArg {
    /// The same share of equity each time
    FixedPct,
    /// The share at which it has a certain volatility
    VolatilityTarget,
    /// A fraction of Kelly's bet
    Kelly,
}

impl Args {
    /// The settings that flags give.
    pub(crate) fn flags(&self) -> Map<String, Value> {
        let Self {
            eval_csv: _,
            prices: _,
            events: _,
            out: _,
            sensitivity: _,
            walk_forward: _,
            train_sessions,
            test_sessions,
            random_draws,
            seed,
            from,
            to,
            calendar,
            price_basis,
            conflict,
            min_confidence,
            strength,
            initial_cash,
            entry_price,
            missing_bar,
            shorts,
            sizing,
            position_pct,
            holding_sessions,
            max_position,
            max_gross,
            leverage,
            lot,
            adv_fraction,
            stop_depth,
            stop_reentry,
            fee_bps,
            fixed_fee,
            slippage_bps,
            borrow_bps,
            common: _,
        } = self;
        let given = [
            (&["walk_forward", "train_sessions"][..], train_sessions.map(|v| json!(v))),
            (&["walk_forward", "test_sessions"], test_sessions.map(|v| json!(v))),
            (&["random_draws"], random_draws.map(|v| json!(v))),
            (&["seed"], seed.map(|v| json!(v))),
            (&["from"], from.map(|v| json!(v))),
            (&["to"], to.map(|v| json!(v))),
            (&["calendar"], calendar.as_ref().map(|v| json!(v))),
            (&["prices"], price_basis.map(|v| json!(v))),
            (&["conflict"], conflict.map(|v| json!(v))),
            (&["min_confidence"], min_confidence.map(|v| json!(v))),
            (&["strength"], strength.map(|v| json!(v))),
            (&["initial_cash"], initial_cash.map(|v| json!(v))),
            (&["entry_price"], entry_price.map(|v| json!(v))),
            (&["missing_bar"], missing_bar.map(|v| json!(v))),
            (&["shorts"], shorts.then(|| json!(true))),
            (&["sizing", "rule"], sizing.map(|v| json!(v))),
            (&["sizing", "pct"], position_pct.map(|v| json!(v))),
            (&["holding_sessions"], holding_sessions.map(|v| json!(v))),
            (&["limits", "max_position"], max_position.map(|v| json!(v))),
            (&["limits", "max_gross"], max_gross.map(|v| json!(v))),
            (&["limits", "leverage"], leverage.map(|v| json!(v))),
            (&["limits", "lot"], lot.map(|v| json!(v))),
            (&["limits", "adv_fraction"], adv_fraction.map(|v| json!(v))),
            (&["drawdown_stop", "depth"], stop_depth.map(|v| json!(v))),
            (&["drawdown_stop", "reentry_after"], stop_reentry.map(|v| json!(v))),
            (&["costs", "fee_bps"], fee_bps.map(|v| json!(v))),
            (&["costs", "fixed_fee"], fixed_fee.map(|v| json!(v))),
            (&["costs", "slippage_bps"], slippage_bps.map(|v| json!(v))),
            (&["costs", "borrow_bps"], borrow_bps.map(|v| json!(v))),
        ];
        let mut flags = Map::new();
        for (path, value) in given {
            if let Some(value) = value {
                set(&mut flags, path, value);
            }
        }
        flags
    }
}

/// Sets a value in nested mappings, which are made on the way.
pub(crate) fn set(mapping: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => {
            mapping.insert((*key).to_owned(), value);
        }
        [key, rest @ ..] => {
            let inner = mapping.entry((*key).to_owned()).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}
