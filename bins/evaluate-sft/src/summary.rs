use std::path::Path;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Cell, CellAlignment, LineStyle, Table};
use evaluation_study::{Estimate, EvaluationStudy, ModelJudgement};

/// The table on standard output: the tuned model, and the base beside it.
pub(crate) fn summary(study: &EvaluationStudy, out: &Path) -> String {
    let mut table = Table::new();
    let style = UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    let models = [Some(&study.tuned), study.base.as_ref()];
    let names = match study.base {
        Some(_) => vec!["", "tuned", "base"],
        None => vec!["", "model"],
    };
    table.load_style(style).set_header(names.into_iter().map(right));
    let mut row = |name: String, cell: &dyn Fn(&ModelJudgement) -> String| {
        let cells = models.into_iter().flatten().map(|model| right(&cell(model)));
        table.add_row([Cell::new(name)].into_iter().chain(cells));
    };
    row("loss, nats a token".to_owned(), &|model| {
        model.language.map_or_else(none, |language| number(language.loss.value))
    });
    row("perplexity".to_owned(), &|model| {
        model.language.map_or_else(none, |language| number(language.perplexity.value))
    });
    row("accuracy".to_owned(), &|model| with_interval(Some(model.calls.accuracy)));
    row("macro F1".to_owned(), &|model| number(model.calls.macro_f1.value));
    row("valid tags".to_owned(), &|model| percent(model.tags.valid.value));
    row("calibration error".to_owned(), &|model| {
        model.calibration.as_ref().map_or_else(none, |calibration| {
            let before = calibration.before.expected_calibration_error;
            let after = calibration.after.as_ref().map(|after| after.expected_calibration_error);
            let after = after.map(|after| format!(" → {}", number(after))).unwrap_or_default();
            format!("{}{after}", number(before))
        })
    });
    for (window, returns) in study.returns.iter().enumerate() {
        let name = format!("hit rate, {} sessions", returns.sessions);
        row(name, &|model| with_interval(model.windows[window].hit_rate));
    }
    let labels = study.label_windows.iter().filter_map(|window| {
        Some(format!("{} in {}", percent(window.hit_rate?.value), window.sessions))
    });
    let labels: Vec<String> = labels.collect();
    let mut text = format!(
        "{} rows of {} tickers, {} to {}\n{table}",
        study.rows, study.tickers, study.first_date, study.last_date
    );
    if !labels.is_empty() {
        text += &format!("\nhit rate of the labels: {} sessions", labels.join(", "));
    }
    text + &format!("\nwritten to {}", out.display())
}

fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn none() -> String {
    "–".to_owned()
}

fn number(value: f64) -> String {
    format!("{value:.3}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn with_interval(estimate: Option<Estimate>) -> String {
    let Some(Estimate { value, lower, upper, .. }) = estimate else { return none() };
    match (lower, upper) {
        (Some(lower), Some(upper)) => {
            format!("{} ({:.1} to {:.1})", percent(value), 100.0 * lower, 100.0 * upper)
        }
        _ => percent(value),
    }
}
