use backtest_engine::EntryPrice;
use backtest_report::{
    DroppedOrders, MetricRow, MetricSection, MonthlyReturns, Note, Plot, Provenance, TearSheet,
    Tile, Value,
};
use backtest_study::{RandomCalls, Spread};
use eval_metrics::returns::{ReturnStatistics, Unit};
use run_manifest::Manifest;
use serde::Serialize;
use serde_json::Value as Json;

use crate::plots::{NamedPlot, worst_drawdowns};
use crate::study::{Study, name_of};

/// The tear sheet of a study.
pub(crate) fn tear_sheet(
    name: &str,
    study: &Study,
    plots: Vec<NamedPlot>,
    manifest: &Manifest,
) -> TearSheet {
    let dates = study.market.dates();
    let tickers = study.market.tickers();
    let named: Vec<&str> = tickers.iter().take(8).map(|ticker| ticker.as_str()).collect();
    let more = if tickers.len() > named.len() { ", …" } else { "" };
    TearSheet {
        title: name.to_owned(),
        subtitle: format!(
            "Calls: {}. Tickers: {} ({}{more}). Sessions: {}.",
            study.calls.placed,
            tickers.len(),
            named.join(", "),
            study.sessions.len()
        ),
        period: Some((dates[study.sessions.start], dates[study.sessions.end - 1])),
        headline: headline(study),
        notes: notes(study),
        sections: sections(study),
        plots: plots
            .into_iter()
            .map(|NamedPlot { svg, caption, .. }| Plot { svg, caption })
            .collect(),
        // The plot has them.
        monthly: MonthlyReturns::default(),
        drawdowns: worst_drawdowns(&study.strategy),
        fills: fills(study),
        dropped: dropped(study),
        settings: settings(&study.settings),
        provenance: Provenance {
            tool: format!("{} {} {}", manifest.tool.name, manifest.stage, manifest.tool.version),
            git_commit: manifest.tool.git_commit.clone(),
            config_digest: manifest.config_digest.clone(),
            inputs: manifest.inputs.iter().map(|i| (i.path.clone(), i.digest.clone())).collect(),
        },
    }
}

fn headline(study: &Study) -> Vec<Tile> {
    let (own, hold) = (&study.strategy.statistics, study.baselines.first());
    let beside = |value: fn(&ReturnStatistics) -> Option<f64>, shown: fn(f64) -> Value| {
        let hold = hold?;
        let of_hold = value(&hold.performance.statistics).map_or(Value::Missing, shown);
        Some(format!("{} {of_hold}", hold.name.to_lowercase()))
    };
    let tile =
        |label: &str, value: fn(&ReturnStatistics) -> Option<f64>, shown: fn(f64) -> Value| {
            let note = beside(value, shown).unwrap_or_default();
            Tile { label: label.to_owned(), value: value(own).map_or(Value::Missing, shown), note }
        };
    let mut tiles = vec![
        tile("CAGR", |s| s.cagr, Value::Percent),
        tile("Sharpe ratio", |s| s.sharpe, Value::Ratio),
        tile("Max drawdown", |s| s.max_drawdown, Value::Percent),
        tile("Volatility", |s| s.annualized_volatility, Value::Percent),
    ];
    let cash = study.settings.initial_cash.value();
    let last = study.strategy.equity.last().copied().unwrap_or(cash);
    let costs = &study.costs;
    let paid = costs.fees + costs.slippage + costs.borrow + costs.interest;
    let text = |label: &str, value, note| Tile { label: label.to_owned(), value, note };
    tiles.push(text("Final equity", Value::Usd(last), format!("from {} USD", Value::Usd(cash))));
    let turnover = own.turnover.map_or(Value::Missing, Value::Percent);
    tiles.push(text("Turnover a year", turnover, "buys plus sells".to_owned()));
    let share = Value::Percent(paid / cash);
    tiles.push(text("Costs", Value::Usd(paid), format!("{share} of the initial cash")));
    tiles
}

fn notes(study: &Study) -> Vec<Note> {
    let warnings = study.warnings.iter().cloned();
    let mut notes: Vec<Note> = warnings.map(|text| Note { is_warning: true, text }).collect();
    let mut note = |text: String| notes.push(Note { is_warning: false, text });
    let fills = match study.settings.entry_price {
        EntryPrice::NextOpen => {
            "A call uses data up to the close of its day and fills at the open after"
        }
        EntryPrice::Close => {
            "A call fills at the close of its own day, whose data it may have used: optimistic"
        }
    };
    note(format!(
        "{fills}. Orders are sized by the equity and the closes known before the day's first fill, \
         sales come first, and equity is cash plus positions at their last known closes."
    ));
    let uncertainty = &study.uncertainty;
    if let Some(interval) = &uncertainty.interval {
        note(format!(
            "Sharpe ratio {}, {:.0} % interval {} to {}: stationary block bootstrap, percentile, \
             {} replicates, mean block {:.1} sessions, seed {}.",
            Value::Ratio(interval.estimate),
            uncertainty.confidence * 100.0,
            Value::Ratio(interval.lower),
            Value::Ratio(interval.upper),
            interval.replicates,
            uncertainty.mean_block.unwrap_or(f64::NAN),
            uncertainty.seed
        ));
    }
    if let Some(probability) = uncertainty.probability_above_zero {
        note(format!(
            "Probability that the true Sharpe ratio is above 0: {:.1} % (Bailey and López de Prado, \
             2012, with skewness and kurtosis).",
            probability * 100.0
        ));
    }
    if let Some(grid) = &study.grid {
        let deflated = grid.deflated_sharpe_of_best.map_or("n/a".to_owned(), |p| format!("{p:.3}"));
        note(format!(
            "{} configurations were tried; the deflated Sharpe ratio of the best is {deflated} (the \
             probability that it beats the best of as many without skill).",
            grid.results.len()
        ));
    }
    notes
}

fn sections(study: &Study) -> Vec<MetricSection> {
    let mut columns = vec!["Strategy".to_owned()];
    columns.extend(study.baselines.iter().map(|baseline| baseline.name.to_owned()));
    let mut runs = vec![study.strategy.statistics.lines()];
    runs.extend(study.baselines.iter().map(|baseline| baseline.performance.statistics.lines()));
    let row = |index: usize| {
        let convention = runs[0][index].convention;
        let shown = |value: f64| match convention.unit {
            Unit::Percent => Value::Percent(value),
            Unit::Ratio => Value::Ratio(value),
            Unit::Periods => Value::Number(value, 0, "sessions".to_owned()),
        };
        let values = runs.iter().map(|run| run[index].value.map_or(Value::Missing, shown));
        MetricRow {
            name: convention.name.to_owned(),
            values: values.collect(),
            convention: format!("{}. {}", convention.formula, convention.note),
        }
    };
    let rate = study.settings.risk_free_annual;
    let mut sections = vec![MetricSection {
        title: "Returns".to_owned(),
        note: format!(
            "Simple daily returns after costs; P = {} periods a year, risk-free rate {} a year; \
             the benchmark is buy and hold.",
            study.settings.periods_per_year,
            Value::Percent(rate)
        ),
        columns,
        rows: (0..runs[0].len()).map(row).collect(),
    }];
    sections.extend(study.random.as_ref().map(random_calls));
    if let Some(found) = &study.walk_forward {
        sections.push(MetricSection {
            title: "Walk-forward".to_owned(),
            note: "All test windows one after the other, each begun in cash.".to_owned(),
            columns: vec!["Out of sample".to_owned()],
            rows: [
                ("Return", found.statistics.cumulative_return.map(Value::Percent), ""),
                ("CAGR", found.statistics.cagr.map(Value::Percent), ""),
                ("Sharpe ratio", found.statistics.sharpe.map(Value::Ratio), ""),
                ("Max drawdown", found.statistics.max_drawdown.map(Value::Percent), ""),
                ("Windows", Some(Value::Count(found.folds.len() as u64)), ""),
            ]
            .into_iter()
            .map(|(name, value, convention)| MetricRow {
                name: name.to_owned(),
                values: vec![value.unwrap_or(Value::Missing)],
                convention: convention.to_owned(),
            })
            .collect(),
        });
    }
    sections
}

fn random_calls(random: &RandomCalls) -> MetricSection {
    let row = |name: &str, spread: &Spread, shown: fn(f64) -> Value, convention: &str| MetricRow {
        name: name.to_owned(),
        values: [spread.mean, spread.low, spread.high].map(shown).to_vec(),
        convention: convention.to_owned(),
    };
    let p_value = random.p_value.map_or(Value::Missing, Value::Ratio);
    MetricSection {
        title: "Random calls".to_owned(),
        note: format!(
            "The same calls dealt anew among their places, {} draws under the strategy's rules and \
             costs, seed {}.",
            random.draws, random.seed
        ),
        columns: ["Mean", "5 %", "95 %"].map(str::to_owned).to_vec(),
        rows: vec![
            row("Cumulative return", &random.total_return, Value::Percent, "Of all sessions."),
            row("Sharpe ratio", &random.sharpe, Value::Ratio, "As above."),
            MetricRow {
                name: "p-value of the strategy".to_owned(),
                values: vec![p_value, Value::Text(String::new()), Value::Text(String::new())],
                convention: "(k + 1) / (n + 1), where k of n draws have at least the strategy's \
                             Sharpe ratio."
                    .to_owned(),
            },
        ],
    }
}

fn fills(study: &Study) -> Vec<(String, Value)> {
    let (costs, trips) = (&study.costs, &study.round_trips);
    let missing = |value: Option<f64>, shown: fn(f64) -> Value| value.map_or(Value::Missing, shown);
    let mut rows = vec![
        ("Fills".to_owned(), Value::Count(study.orders.fills as u64)),
        ("Value traded, USD".to_owned(), Value::Usd(costs.traded)),
        ("Fees, USD".to_owned(), Value::Usd(costs.fees)),
        ("Slippage, USD".to_owned(), Value::Usd(costs.slippage)),
        ("Borrow fees, USD".to_owned(), Value::Usd(costs.borrow)),
        ("Interest, USD".to_owned(), Value::Usd(costs.interest)),
        ("Round trips".to_owned(), Value::Count(trips.count as u64)),
        ("Round trips with a profit".to_owned(), missing(trips.win_rate, Value::Percent)),
        ("Mean return of a round trip".to_owned(), missing(trips.mean_return, Value::Percent)),
        (
            "Mean length of a round trip".to_owned(),
            missing(trips.mean_sessions, |n| Value::Number(n, 1, "sessions".to_owned())),
        ),
    ];
    let count = |(name, count): (&String, &usize)| (words(name), Value::Count(*count as u64));
    rows.extend(
        study.orders.fills_by_cause.iter().map(count).map(|(n, v)| (format!("Because of: {n}"), v)),
    );
    rows.extend(
        study.orders.fills_cut_by.iter().map(count).map(|(n, v)| (format!("Cut by: {n}"), v)),
    );
    rows
}

fn dropped(study: &Study) -> Vec<DroppedOrders> {
    let of_reason = |(reason, count): (&backtest_engine::DropReason, &usize)| {
        let first = study.outcome.dropped.iter().find(|dropped| dropped.reason == *reason);
        let example = first.map(|dropped| {
            let ticker = &study.market.tickers()[dropped.asset as usize];
            format!("{ticker} {}", study.market.dates()[dropped.day as usize])
        });
        DroppedOrders {
            reason: words(&name_of(reason)),
            count: *count as u64,
            example: example.unwrap_or_default(),
        }
    };
    study.orders.dropped_by_reason.iter().map(of_reason).collect()
}

/// Every setting under its key, nested ones with dots.
fn settings(settings: &impl Serialize) -> Vec<(String, String)> {
    fn flatten(prefix: &str, value: &Json, rows: &mut Vec<(String, String)>) {
        match value {
            Json::Object(map) => {
                for (key, value) in map {
                    let dot = if prefix.is_empty() { "" } else { "." };
                    flatten(&format!("{prefix}{dot}{key}"), value, rows);
                }
            }
            Json::Null => rows.push((prefix.to_owned(), "none".to_owned())),
            Json::String(text) => rows.push((prefix.to_owned(), text.clone())),
            other => rows.push((prefix.to_owned(), other.to_string())),
        }
    }
    let mut rows = Vec::new();
    flatten("", &serde_json::to_value(settings).unwrap_or(Json::Null), &mut rows);
    rows
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}
