use std::process::ExitCode;

use anyhow::{anyhow, bail};
use backtest_report::render_evaluation;
use causal_lm::Quantization;
use causal_lm::generate::{Sampling, SamplingOptions};
use evaluation_study::study;
use model_cli::on_backend;
use run_manifest::{FileEntry, NOTICE, Run, digest_bytes, digest_file};
use serde_json::json;
use stage_cli::{Hint, Stage};

use crate::answers::{Answer, AnswersFile, Key, Line, Part};
use crate::args::Args;
use crate::config::{Baseline, EvalConfig};
use crate::document::{Document, ModelFacts};
use crate::forward::forward_returns;
use crate::judged_rows::{judged_rows, temperature_rows};
use crate::model::{Found, Model, ModelText, Which, find};
use crate::outputs::Outputs;
use crate::page::page;
use crate::page_facts::page_facts;
use crate::plots::plots;
use crate::rows::{Row, Rows, has_rows, read_rows};
use crate::rows_csv::rows_csv;
use crate::summary::summary;
use crate::work::Work;

/// The stage's work: read, let the models answer what they have not yet, judge, write.
pub(crate) fn run(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let config: EvalConfig = stage.config(&args.flags())?;
    let sampling = check(&config)?;
    let mut outputs = Outputs::begin(&args.out)?;
    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &config)?;
    run.set_seed(config.seed);
    stage.log_to(&outputs.folder(), &run)?;

    let found = find(&args.model_dir, config.base_model.as_deref())?;
    let model = Model::read(&found, &config)?;
    let text = ModelText::read(&found, &config)?;
    text.fits(model.vocab_size)?;
    for note in text.format.notes() {
        tracing::debug!("{note}");
    }
    let Data { judged, temperature, mut warnings } = read_data(args, &config, &text)?;
    let forward = forward_returns(args.prices.as_deref(), &judged.rows, &config)?;
    warnings.extend(forward.warnings);
    let max_new_tokens = config.max_new_tokens.unwrap_or_else(|| most_tokens(&judged.rows));
    warnings.extend(too_long(&judged.rows, max_new_tokens, model.max_positions));

    let digests = Digests::read(&model, &text, &judged, &temperature)?;
    let models = models(&config, &model);
    let path = outputs.path(".answers.jsonl");
    let settings = digests.settings(&config, max_new_tokens);
    let digest = digest_bytes(settings.to_string().as_bytes());
    let mut answers = AnswersFile::open(&path, &digest, settings)?;
    if answers.len() > 0 {
        tracing::info!("{} answers and figures are there already", answers.len());
    }
    let keys = keys(&models, judged.rows.len(), temperature.rows.len());
    outputs.unfinish()?;
    if !keys.iter().all(|key| answers.has(*key)) {
        on_backend(
            config.device,
            Work {
                stage,
                config: &config,
                model: &model,
                text: &text,
                sampling,
                max_new_tokens,
                judged: &judged.rows,
                temperature: &temperature.rows,
                models: &models,
                answers: &mut answers,
            },
        )?;
    }
    digests.note(&mut run);
    forward.files.iter().try_for_each(|path| run.add_input(path))?;

    let with_base = models.contains(&Which::Base);
    let rows = judged_rows(&judged.rows, &forward.of_rows, &answers, with_base)?;
    let validation = temperature_rows(&temperature.rows, &answers, with_base)?;
    let validation = (!validation.is_empty()).then_some(validation.as_slice());
    let study = study(&rows, validation, &config.study())
        .hint("every setting is documented in configs/eval.yaml")?;
    let cut_off = cut_off(&models, judged.rows.len(), &answers);
    warnings.extend(cut_off.iter().filter(|(_, count)| *count > 0).map(|(model, count)| {
        format!(
            "{count} answers of the {model} model were cut off at {max_new_tokens} tokens; --max-new-tokens allows more"
        )
    }));
    let all: Vec<String> = study.warnings.iter().map(ToString::to_string).chain(warnings).collect();
    for warning in &all {
        tracing::warn!("{warning}");
    }
    let facts =
        model_facts(args, &found, &model, &text, max_new_tokens, temperature.rows.len(), cut_off);
    let document =
        Document { config: &config, model: facts, study: &study, warnings: &all, notice: NOTICE };
    let plots = plots(&rows, &study);
    let facts = page_facts(args, &config, &document.model, &study, all.clone(), run.manifest());
    let page = page(&study, &rows, &plots, facts);
    outputs.write(".csv", &rows_csv(&rows, &study)?)?;
    outputs.write(".json", &(serde_json::to_string_pretty(&document)? + "\n"))?;
    for plot in &plots {
        outputs.write(&format!(".plots/{}.svg", plot.name), &plot.svg)?;
    }
    outputs.write(".html", &render_evaluation(&page))?;
    let entry = answers.finish(&keys)?;
    outputs.note(&path, entry);
    outputs.finish(run)?;
    stage.print(summary(&study, &args.out));
    Ok(ExitCode::SUCCESS)
}

/// Refuses settings that nothing can be done with.
fn check(config: &EvalConfig) -> anyhow::Result<Sampling> {
    config.study().check().hint("every setting is documented in configs/eval.yaml")?;
    let sizes = [
        ("batch", Some(config.batch)),
        ("prefill_chunk", Some(config.prefill_chunk)),
        ("max_new_tokens", config.max_new_tokens),
        ("max_rows", config.max_rows),
    ];
    if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == Some(0)) {
        bail!("`{key}` is 0; it must be 1 or more");
    }
    let SamplingOptions { temperature, top_k, top_p, min_p, repetition_penalty: _ } =
        config.sampling;
    if temperature == 0.0 && (top_k.is_some() || top_p.is_some() || min_p.is_some()) {
        return Err(anyhow!(
            "top-k, top-p and min-p choose among tokens, and temperature 0 leaves no choice"
        ))
        .hint("add --temperature 1");
    }
    Ok(Sampling::new(config.sampling)?)
}

/// What is asked.
struct Data {
    judged: Rows,
    temperature: Rows,
    warnings: Vec<String>,
}

fn read_data(args: &Args, config: &EvalConfig, text: &ModelText) -> anyhow::Result<Data> {
    let folder = &args.dataset_dir;
    let judged = read_rows(folder, &config.split, config.max_rows, text)?;
    let none = || Rows { rows: Vec::new(), files: Vec::new() };
    let mut warnings = Vec::new();
    let most = config.temperature_rows;
    let temperature = match &config.temperature_split {
        None => none(),
        Some(_) if most == Some(0) => none(),
        Some(split) if *split == config.split => {
            bail!(
                "`temperature_split` is `{split}`, which is judged; the temperature would be fitted on its own test"
            )
        }
        Some(split) if !has_rows(folder, split) => {
            warnings.push(format!(
                "{} has no rows in split `{split}`: no temperature is fitted",
                folder.display()
            ));
            none()
        }
        Some(split) => read_rows(folder, split, most, text)?,
    };
    Ok(Data { judged, temperature, warnings })
}

/// A quarter more than the longest reference has, in whole sixteens.
fn most_tokens(rows: &[Row]) -> usize {
    let longest = rows.iter().map(|row| row.example.target.len()).max().unwrap_or(0);
    (longest + longest / 4).next_multiple_of(16)
}

fn too_long(rows: &[Row], max_new_tokens: usize, positions: usize) -> Option<String> {
    let longest = rows.iter().map(|row| row.example.prompt.len()).max().unwrap_or(0);
    let length = longest + max_new_tokens;
    (length > positions).then(|| {
        format!("prompt and answer may have {length} tokens; the model was made for {positions}")
    })
}

fn models(config: &EvalConfig, model: &Model) -> Vec<Which> {
    match (config.baseline, &model.base) {
        (Baseline::Base, Some(_)) => vec![Which::Tuned, Which::Base],
        (Baseline::Base, None) => {
            tracing::info!("there is no tuned model and base apart: it is judged alone");
            vec![Which::Tuned]
        }
        (Baseline::None, _) => vec![Which::Tuned],
    }
}

/// Every line of a finished file of answers, in order.
fn keys(models: &[Which], judged: usize, temperature: usize) -> Vec<Key> {
    let mut keys = Vec::new();
    for which in models {
        keys.extend((0..judged).map(|row| Key::Answer(*which, Part::Judged, row)));
        keys.extend((0..temperature).map(|row| Key::Answer(*which, Part::Temperature, row)));
    }
    for which in models {
        keys.extend((0..judged).map(|row| Key::Cosine(*which, row)));
    }
    keys
}

/// How many answers of each model had all the tokens that they may have.
fn cut_off(models: &[Which], rows: usize, answers: &AnswersFile) -> Vec<(String, usize)> {
    let is_cut = |which: Which, row: &usize| {
        let line = answers.get(Key::Answer(which, Part::Judged, *row));
        matches!(line, Some(Line::Answer(Answer { end, .. })) if end == "length")
    };
    let count = |which: &Which| (0..rows).filter(|row| is_cut(*which, row)).count();
    models.iter().map(|which| (which.as_str().to_owned(), count(which))).collect()
}

/// What answers follow from, in files.
struct Digests {
    model: Vec<FileEntry>,
    text: FileEntry,
    data: Vec<FileEntry>,
}

impl Digests {
    fn read(model: &Model, text: &ModelText, judged: &Rows, other: &Rows) -> anyhow::Result<Self> {
        let files = judged.files.iter().chain(&other.files);
        let data = files.map(|path| Ok(digest_file(path, &path.to_string_lossy())?));
        Ok(Self {
            model: model.files()?,
            text: text.digest()?,
            data: data.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Digests and settings of the answers: the same ones for files that were moved.
    fn settings(&self, config: &EvalConfig, max_new_tokens: usize) -> serde_json::Value {
        let digests = |entries: &[FileEntry]| -> Vec<String> {
            entries.iter().map(|entry| entry.digest.clone()).collect()
        };
        let mut settings = config.of_answers();
        settings["max_new_tokens"] = max_new_tokens.into();
        settings["model"] = json!(digests(&self.model));
        settings["tokenizer"] = self.text.digest.clone().into();
        settings["dataset"] = json!(digests(&self.data));
        settings
    }

    fn note(self, run: &mut Run) {
        let Self { model, text, data } = self;
        let entries = model.into_iter().chain([text]).chain(data);
        entries.for_each(|entry| run.add_input_entry(entry));
    }
}

fn model_facts(
    args: &Args,
    found: &Found,
    model: &Model,
    text: &ModelText,
    max_new_tokens: usize,
    temperature_rows: usize,
    cut_off: Vec<(String, usize)>,
) -> ModelFacts {
    let options = &model.tuned.options;
    ModelFacts {
        model_dir: args.model_dir.display().to_string(),
        kind: found.kind,
        base_model: model.base.as_ref().map(|base| base.path.display().to_string()),
        quantization: match options.quantization {
            Quantization::None => "none",
            Quantization::Nf4 { double: false } => "nf4",
            Quantization::Nf4 { double: true } => "nf4, double",
            Quantization::Int8 => "int8",
        }
        .to_owned(),
        compute_dtype: format!("{:?}", options.compute).to_lowercase(),
        structure_tokens: text.format.structure_tokens() == tokenize::StructureTokens::Added,
        end_token: text.format.end_token().text.clone(),
        max_new_tokens,
        temperature_rows,
        cut_off,
    }
}
