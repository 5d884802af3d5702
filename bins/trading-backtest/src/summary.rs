use std::path::Path;

use backtest_study::{Baseline, Performance};

use crate::study::{OrderCounts, Study};

/// The table on standard output.
pub(crate) fn summary(study: &Study, out: &Path) -> String {
    let percent = |value: Option<f64>| {
        value.map_or("n/a".to_owned(), |value| format!("{:.2} %", value * 100.0))
    };
    let ratio = |value: Option<f64>| {
        let known = value.filter(|value| !value.is_nan());
        known.map_or("n/a".to_owned(), |value| format!("{value:.3}"))
    };
    let row = |name: &str, of_run: &Performance| {
        let s = &of_run.statistics;
        format!(
            "{name:<24}{:>12}{:>12}{:>10}{:>12}{:>12}\n",
            percent(s.cumulative_return),
            percent(s.cagr),
            ratio(s.sharpe),
            percent(s.max_drawdown),
            percent(s.annualized_volatility),
        )
    };
    let mut text = format!(
        "{:<24}{:>12}{:>12}{:>10}{:>12}{:>12}\n",
        "", "return", "CAGR", "Sharpe", "max DD", "volatility"
    );
    text += &row("Strategy", &study.strategy);
    for Baseline { name, performance, .. } in &study.baselines {
        text += &row(name, performance);
    }
    if let Some(random) = &study.random {
        text += &format!(
            "{:<24}{:>12}{:>12}{:>10}   mean of {} draws; p = {}\n",
            "Random calls",
            percent(Some(random.total_return.mean)),
            "",
            ratio(Some(random.sharpe.mean)),
            random.draws,
            random.p_value.map_or("n/a".to_owned(), |p| format!("{p:.3}")),
        );
    }
    let OrderCounts { fills, dropped, .. } = &study.orders;
    text + &format!("{fills} fills, {dropped} dropped orders, written to {}", out.display())
}
