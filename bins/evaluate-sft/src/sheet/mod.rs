//! The report, fed with plain numbers.

mod calibration;
mod calls;
mod cells;
mod language;
mod meanings;
mod returns;
mod samples;

use backtest_report::{EvaluationPage, EvaluationPart, Note, Plot, Provenance, Tile, Value};
use evaluation_study::{EvaluatedRow, EvaluationStudy, ModelJudgement};
use run_manifest::Manifest;

use crate::config::EvalConfig;
use crate::document::ModelFacts;
use crate::plots::{NamedPlot, Place, named_models};

/// What the report is about.
pub(crate) struct Report<'a> {
    pub(crate) name: &'a str,
    pub(crate) config: &'a EvalConfig,
    pub(crate) facts: &'a ModelFacts,
    pub(crate) rows: &'a [EvaluatedRow],
    pub(crate) study: &'a EvaluationStudy,
    pub(crate) warnings: &'a [String],
    pub(crate) plots: &'a [NamedPlot],
    pub(crate) manifest: &'a Manifest,
}

/// The page about a model's answers.
pub(crate) fn evaluation_page(report: &Report<'_>) -> EvaluationPage {
    let Report { name, config, facts, rows, study, warnings, plots, manifest } = *report;
    let models = named_models(study);
    let of = |place| plots_of(plots, place);
    EvaluationPage {
        title: name.to_owned(),
        subtitle: format!(
            "{} ({}). Rows: {}. Tickers: {}. Dates: {}.",
            facts.model_dir, facts.kind, study.rows, study.tickers, study.dates
        ),
        period: Some((study.first_date.day(), study.last_date.day())),
        headline: headline(study),
        notes: notes(facts, warnings),
        parts: vec![
            EvaluationPart { plots: of(Place::Calls), ..calls::part(study, &models) },
            EvaluationPart { plots: of(Place::Calibration), ..calibration::part(&models) },
            language::part(study, &models),
            EvaluationPart { plots: of(Place::Returns), ..returns::part(study, &models) },
        ],
        samples: samples::samples(rows),
        meanings: meanings::meanings(),
        settings: settings(config, facts),
        provenance: Provenance {
            tool: format!("{} {} {}", manifest.tool.name, manifest.stage, manifest.tool.version),
            git_commit: manifest.tool.git_commit.clone(),
            config_digest: manifest.config_digest.clone(),
            inputs: manifest.inputs.iter().map(|i| (i.path.clone(), i.digest.clone())).collect(),
        },
    }
}

fn plots_of(plots: &[NamedPlot], place: Place) -> Vec<Plot> {
    let here = plots.iter().filter(|plot| plot.place == place);
    here.map(|plot| Plot { svg: plot.svg.clone(), caption: plot.caption.clone() }).collect()
}

fn headline(study: &EvaluationStudy) -> Vec<Tile> {
    let tile = |label: &str, value: &dyn Fn(&ModelJudgement) -> Option<Value>| {
        let of_base = study.base.as_ref().and_then(value);
        Tile {
            label: label.to_owned(),
            value: value(&study.tuned).unwrap_or(Value::Missing),
            note: of_base.map(|base| format!("base {base}")).unwrap_or_default(),
        }
    };
    let mut tiles = vec![
        tile("Accuracy", &|model| Some(Value::Percent(model.calls.accuracy.value))),
        tile("Macro F1", &|model| Some(Value::Ratio(model.calls.macro_f1.value))),
        tile("Valid tags", &|model| Some(Value::Percent(model.tags.valid.value))),
        tile("Perplexity", &|model| Some(Value::Ratio(model.language?.perplexity.value))),
        tile("Calibration error", &|model| {
            let calibration = model.calibration.as_ref()?;
            let scores = calibration.after.as_ref().unwrap_or(&calibration.before);
            Some(Value::Ratio(scores.expected_calibration_error))
        }),
    ];
    for (index, window) in study.returns.iter().enumerate().filter(|(_, w)| w.known > 0) {
        tiles.push(tile(&format!("Hit rate, {} sessions", window.sessions), &|model| {
            Some(Value::Percent(model.windows[index].hit_rate?.value))
        }));
    }
    tiles
}

fn notes(facts: &ModelFacts, warnings: &[String]) -> Vec<Note> {
    let mut notes: Vec<Note> =
        warnings.iter().map(|text| Note { is_warning: true, text: text.clone() }).collect();
    let mut note = |text: String| notes.push(Note { is_warning: false, text });
    if let Some(base) = &facts.base_model {
        note(format!(
            "The base model {base} answered the same prompts, with the same tokenizer. Tokens that training added have, in \
             the base, the mean of all rows, as training began with them."
        ));
    }
    note(
        "Intervals are between percentiles of replicates in which blocks of neighbouring dates are drawn again; rows of \
         one date are not independent."
            .to_owned(),
    );
    note("This is research software; nothing here is investment advice.".to_owned());
    notes
}

fn settings(config: &EvalConfig, facts: &ModelFacts) -> Vec<(String, String)> {
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let of = |value: serde_json::Result<serde_json::Value>| match value {
        Ok(serde_json::Value::Object(map)) => {
            map.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
        }
        _ => Vec::new(),
    };
    let mut all: Vec<(String, String)> = of(serde_json::to_value(facts));
    all.extend(of(serde_json::to_value(config)).into_iter().filter(|(key, _)| {
        // What came of them is said above.
        !["base_model", "quantization", "compute_dtype", "max_new_tokens", "temperature_rows"]
            .contains(&key.as_str())
    }));
    all
}
