use backtest_report::Provenance;
use evaluation_study::EvaluationStudy;
use run_manifest::{Manifest, NOTICE};
use serde::Serialize;
use serde_json::Value;

use crate::args::Args;
use crate::config::{Decoding, EvalConfig};
use crate::document::ModelFacts;
use crate::page::PageFacts;

/// Settings that the facts about the model say in their resolved form.
const RESOLVED: [&str; 5] =
    ["base_model", "quantization", "compute_dtype", "max_new_tokens", "temperature_rows"];

/// What the report says besides the figures.
pub(crate) fn page_facts(
    args: &Args,
    config: &EvalConfig,
    model: &ModelFacts,
    study: &EvaluationStudy,
    warnings: Vec<String>,
    manifest: &Manifest,
) -> PageFacts {
    let name = args.out.file_stem().map(|name| name.to_string_lossy().into_owned());
    let decoding = match config.decoding {
        Decoding::Free => "free",
        Decoding::Structured => "structured",
    };
    PageFacts {
        title: name.unwrap_or_else(|| "Evaluation".to_owned()),
        subtitle: format!(
            "{} ({}) on split {} of {}; {decoding} decoding.",
            model.model_dir,
            model.kind,
            config.split,
            args.dataset_dir.display()
        ),
        warnings,
        notes: notes(model, study),
        settings: settings(config, model),
        provenance: Provenance {
            tool: format!("{} {} {}", manifest.tool.name, manifest.stage, manifest.tool.version),
            git_commit: manifest.tool.git_commit.clone(),
            config_digest: manifest.config_digest.clone(),
            inputs: manifest.inputs.iter().map(|i| (i.path.clone(), i.digest.clone())).collect(),
        },
    }
}

fn notes(model: &ModelFacts, study: &EvaluationStudy) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(base), Some(_)) = (&model.base_model, &study.base) {
        notes.push(format!(
            "The base model {base} answered the same prompts with the same tokenizer. Tokens that training added have the \
             mean of all rows there, as training began with them."
        ));
    }
    let measure = if model.base_model.is_some() { "the base model" } else { "the model itself" };
    notes.push(format!(
        "Cosines of reasoning are of final hidden states of {measure}, their mean over the text's tokens: one measure for \
         all answers."
    ));
    notes.push(NOTICE.to_owned());
    notes
}

/// The facts about the model, then every other setting.
fn settings(config: &EvalConfig, model: &ModelFacts) -> Vec<(String, String)> {
    let mut all = entries(model);
    let others = entries(config).into_iter().filter(|(key, _)| !RESOLVED.contains(&key.as_str()));
    all.extend(others);
    all
}

fn entries(of: &impl Serialize) -> Vec<(String, String)> {
    let plain = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    match serde_json::to_value(of) {
        Ok(Value::Object(map)) => map.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        _ => Vec::new(),
    }
}
