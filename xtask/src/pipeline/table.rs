use std::fmt::Write;

use super::StageName;
use super::results::{Judgement, Results, Test};
use super::time::duration;

/// The short table at the end of a run.
pub(super) fn table(results: &Results, seconds: &[(StageName, f64)]) -> String {
    let mut text = String::new();
    if let Some(rows) = &results.rows {
        let (train, validation, test) = (rows.train, rows.validation, rows.test);
        let _ = writeln!(text, "rows        train {train}, validation {validation}, test {test}\n");
    }
    if let Some(test) = &results.test {
        add_test(&mut text, test);
    }
    if let Some(backtest) = &results.backtest {
        let _ = writeln!(
            text,
            "{:<24}{:>10}{:>10}{:>14}",
            format!("{} to {}", backtest.first_session, backtest.last_session),
            "return",
            "Sharpe",
            "max drawdown"
        );
        for portfolio in &backtest.portfolios {
            let _ = writeln!(
                text,
                "{:<24}{:>10}{:>10}{:>14}",
                portfolio.name,
                percent(portfolio.total_return, 2),
                number(portfolio.sharpe, 3),
                percent(portfolio.max_drawdown, 2)
            );
        }
        text.push('\n');
    }
    for (stage, seconds) in seconds {
        let _ = writeln!(text, "{:<24}{:>10}", stage.as_str(), duration(*seconds));
    }
    text
}

fn add_test(text: &mut String, test: &Test) {
    let title = format!("test, {} rows", test.rows);
    let _ = writeln!(text, "{title:<24}{:>10}{:>10}", "base", "tuned");
    for (name, show) in TEST_FIGURES {
        let base = test.base.as_ref().map_or(UNKNOWN.to_owned(), show);
        let _ = writeln!(text, "{name:<24}{base:>10}{:>10}", show(&test.tuned));
    }
    text.push('\n');
}

/// Writes a figure of a model.
type Show = fn(&Judgement) -> String;

/// The figures of a model: name, and how it is written.
pub(super) const TEST_FIGURES: [(&str, Show); 5] = [
    ("loss, nats a token", |model| number(model.loss, 4)),
    ("perplexity", |model| number(model.perplexity, 3)),
    ("accuracy", |model| percent(model.accuracy, 1)),
    ("macro F1", |model| number(model.macro_f1, 3)),
    ("valid tags", |model| percent(model.valid_tags, 1)),
];

const UNKNOWN: &str = "n/a";

pub(super) fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or(UNKNOWN.to_owned(), |value| format!("{value:.decimals$}"))
}

pub(super) fn percent(value: Option<f64>, decimals: usize) -> String {
    value.map_or(UNKNOWN.to_owned(), |value| format!("{:.decimals$} %", 100.0 * value))
}

/// A count with commas between thousands.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
