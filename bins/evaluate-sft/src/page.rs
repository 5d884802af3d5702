use backtest_report::{EvaluationPage, EvaluationPart, Note, Plot, Provenance, Tile, Value};
use evaluation_study::{EvaluatedRow, EvaluationStudy, ModelJudgement};

mod calls;
mod cells;
mod comparison;
mod language;
mod meanings;
mod probabilities;
mod returns;
mod samples;

use crate::plots::NamedPlot;

/// What the page says that no study knows.
#[derive(Debug, Default)]
pub(crate) struct PageFacts {
    /// The model, in a few words.
    pub(crate) title: String,
    /// A line below it, such as the split and how answers were decoded.
    pub(crate) subtitle: String,
    /// Every warning, in sentences: the study's and others.
    pub(crate) warnings: Vec<String>,
    /// Other remarks.
    pub(crate) notes: Vec<String>,
    /// Settings: name and value.
    pub(crate) settings: Vec<(String, String)>,
    /// Program, commit and digests.
    pub(crate) provenance: Provenance,
}

/// The page about a study; `plots` are those of [`plots`](crate::plots::plots).
pub(crate) fn page(
    study: &EvaluationStudy,
    rows: &[EvaluatedRow],
    plots: &[NamedPlot],
    facts: PageFacts,
) -> EvaluationPage {
    let PageFacts { title, subtitle, warnings, notes, settings, provenance } = facts;
    let note = |is_warning| move |text| Note { is_warning, text };
    let own = format!(
        "{} rows of {} tickers and {} dates. Intervals hold {} of replicates, made by a bootstrap of dates in blocks, with seed {} and {} \
         replicates.",
        study.rows,
        study.tickers,
        study.dates,
        cells::confidence(study),
        study.settings.bootstrap.seed,
        study.settings.bootstrap.replicates
    );
    let notes = warnings
        .into_iter()
        .map(note(true))
        .chain([own].into_iter().chain(notes).map(note(false)))
        .collect();
    let parts = vec![
        calls::part(study, plots),
        comparison::part(study),
        language::part(study, plots),
        probabilities::part(study, plots),
        returns::part(study, plots),
    ];
    EvaluationPage {
        title,
        subtitle,
        period: Some((study.first_date.day(), study.last_date.day())),
        headline: headline(study),
        notes,
        parts: parts.into_iter().flatten().collect(),
        samples: samples::samples(study, rows),
        meanings: meanings::meanings(),
        settings,
        provenance,
    }
}

/// The window that tiles and plots show: of those with known returns the longest of up to five sessions, else the shortest.
fn main_window(study: &EvaluationStudy) -> Option<usize> {
    let is_known = |index: &usize| study.returns[*index].known > 0;
    let known: Vec<usize> = (0..study.returns.len()).filter(is_known).collect();
    let short = known.iter().rfind(|index| study.returns[**index].sessions <= 5);
    short.or(known.first()).copied()
}

fn headline(study: &EvaluationStudy) -> Vec<Tile> {
    let tile =
        |label: &str, value: Value, note: String| Tile { label: label.to_owned(), value, note };
    let (tuned, base) = (&study.tuned, study.base.as_ref());
    let beside = |of: fn(&ModelJudgement) -> Option<Value>| {
        base.and_then(of).map_or(String::new(), |value| format!("base {value}"))
    };
    let mut tiles = vec![
        tile(
            "Accuracy",
            Value::Percent(tuned.calls.accuracy.value),
            beside(|model| Some(Value::Percent(model.calls.accuracy.value))),
        ),
        tile(
            "Macro F1",
            Value::Ratio(tuned.calls.macro_f1.value),
            beside(|model| Some(Value::Ratio(model.calls.macro_f1.value))),
        ),
        tile(
            "Valid tags",
            Value::Percent(tuned.tags.valid.value),
            beside(|model| Some(Value::Percent(model.tags.valid.value))),
        ),
    ];
    tiles.extend(tuned.language.map(|language| {
        let base = beside(|model| Some(Value::Ratio(model.language?.loss.value)));
        let note = if base.is_empty() { base } else { format!("; {base}") };
        tile("Loss", Value::Ratio(language.loss.value), format!("nats a token{note}"))
    }));
    tiles.extend(tuned.language.map(|language| {
        tile(
            "Perplexity",
            Value::Ratio(language.perplexity.value),
            beside(|model| Some(Value::Ratio(model.language?.perplexity.value))),
        )
    }));
    tiles.extend(tuned.calibration.as_ref().map(|calibration| {
        let before = Value::Percent(calibration.before.expected_calibration_error);
        let after = calibration.after.as_ref();
        let after = after.map(|after| Value::Percent(after.expected_calibration_error));
        match after {
            Some(after) => {
                tile("Calibration error", after, format!("{before} without temperature"))
            }
            None => tile("Calibration error", before, "no temperature".to_owned()),
        }
    }));
    tiles.extend(main_window(study).and_then(|index| {
        let rate = tuned.windows[index].hit_rate?.value;
        let base = base.and_then(|base| base.windows[index].hit_rate);
        let labels = study.label_windows[index].hit_rate;
        let named = [("base", base), ("labels", labels)];
        let others: Vec<String> = named
            .into_iter()
            .filter_map(|(name, rate)| Some(format!("{name} {}", Value::Percent(rate?.value))))
            .collect();
        let window = format!("after {}", sessions(study.settings.forward_windows[index]));
        let note = [vec![window], others].concat().join(", ");
        Some(tile("Hit rate", Value::Percent(rate), note))
    }));
    tiles
}

/// The plots of these names that there are, with their captions.
fn plots_named(plots: &[NamedPlot], names: &[&str]) -> Vec<Plot> {
    let found = names.iter().filter_map(|name| plots.iter().find(|plot| plot.name == *name));
    found.map(|plot| Plot { svg: plot.svg.clone(), caption: plot.caption.clone() }).collect()
}

/// `1 session`, `5 sessions`.
fn sessions(count: u32) -> String {
    format!("{count} session{}", if count == 1 { "" } else { "s" })
}

/// A part, unless it has nothing to show.
fn part_if_any(part: EvaluationPart) -> Option<EvaluationPart> {
    let is_empty = part.findings.is_empty() && part.plots.is_empty() && part.tables.is_empty();
    (!is_empty).then_some(part)
}

#[cfg(test)]
mod tests;
