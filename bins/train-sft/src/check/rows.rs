use std::path::Path;

use causal_lm::ModelConfig;
use hf_dataset::HfDatasetError;
use lora_train::data::{DataError, Plan, PlanOptions, ReadOptions, TokenRows};
use tokenize::PromptFormat;

use super::records::tokenized;
use super::tokens::{base_tokenizer, prompt_format};
use super::{Data, Faults, Note};
use crate::config::SftConfig;

/// Where rows come from.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// They lie there as tokens.
    Shards(&'a Path),
    /// Records lie there.
    Dataset(&'a Path),
}

impl<'a> Place<'a> {
    pub(super) fn of(config: &'a SftConfig) -> Option<Self> {
        let dataset = config.dataset.as_deref().map(Self::Dataset);
        dataset.or_else(|| config.shards.as_deref().map(Self::Shards))
    }

    fn key(self) -> &'static str {
        match self {
            Self::Shards(_) => "shards",
            Self::Dataset(_) => "dataset",
        }
    }

    pub(super) fn folder(self) -> &'a Path {
        match self {
            Self::Shards(folder) | Self::Dataset(folder) => folder,
        }
    }
}

/// Reads, weighs and packs the rows, and plans the steps; `None` only with a fault.
pub(super) fn data(
    config: &SftConfig,
    place: Place<'_>,
    model: Option<&ModelConfig>,
    world: usize,
    faults: &mut Faults,
    notes: &mut Vec<Note>,
) -> Option<Data> {
    // Without the model, rows are still worth a look.
    let vocab_size = model.map_or(i32::MAX as usize, |model| model.vocab_size);
    let options = ReadOptions { vocab_size, max_length: config.max_length.unwrap_or(usize::MAX) };
    let format = match place {
        Place::Shards(_) => None,
        Place::Dataset(_) => Some(base_format(config, faults)?),
    };
    let mut open = |key: &str, split: &str| {
        let rows = match (place, &format) {
            (Place::Dataset(folder), Some(format)) => tokenized(folder, split, format, &options),
            _ => TokenRows::open(place.folder(), split, &options).map_err(anyhow::Error::from),
        };
        match rows {
            Ok((rows, found)) => {
                notes.extend(found.iter().map(|note| Note::of_data(split, note)));
                Some(rows)
            }
            Err(error) => {
                let (about, hint) = advice(&error, key, place);
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                faults.add(about, format_args!("{}{hint}", one_line(&error)));
                None
            }
        }
    };
    let train = open("train_split", &config.train_split);
    let validation = config.eval_split.as_deref().map(|split| open("eval_split", split));
    let mut train = train?;
    let mut validation = match validation {
        Some(rows) => Some(rows?),
        None => None,
    };
    if let (true, Some(max_length)) = (config.packing, config.max_length) {
        train.pack(max_length);
        if let Some(validation) = &mut validation {
            validation.pack(max_length);
        }
    }
    faults.take("class_weights", train.weigh(&config.class_weights))?;
    let plan = faults.take("balanced_sampling", Plan::new(&train, plan_options(config, world)))?;
    let steps = plan.total_steps(config.epochs, config.max_steps);
    if let Some(warmup) = config.warmup_steps.filter(|warmup| *warmup > steps) {
        faults.add("warmup_steps", format_args!("is {warmup}, and the run has {steps} steps"));
    }
    Some(Data { train, validation, plan, steps })
}

/// How steps are made of rows in a run of `world` processes.
pub(crate) fn plan_options(config: &SftConfig, world: usize) -> PlanOptions {
    PlanOptions {
        seed: config.seed,
        shuffle: config.shuffle,
        balanced: config.balanced_sampling,
        // Zeros are faults of their own.
        micro_batch: config.micro_batch.max(1),
        accumulation: config.accumulation.max(1),
        world,
    }
}

/// How the base model is asked.
fn base_format(config: &SftConfig, faults: &mut Faults) -> Option<PromptFormat> {
    let base = Path::new(&config.base_model);
    if !base.exists() {
        // A fault of its own.
        return None;
    }
    let format = base_tokenizer(base).and_then(|files| Ok(prompt_format(&files)?));
    format.map_err(|error| faults.add("base_model", one_line(&error))).ok()
}

/// The key that an error is about, and what to do.
fn advice<'a>(
    error: &anyhow::Error,
    split_key: &'a str,
    place: Place<'_>,
) -> (&'a str, Option<&'static str>) {
    let data = error.downcast_ref::<DataError>();
    let set = match (data, error.downcast_ref::<HfDatasetError>()) {
        (Some(DataError::Dataset(error)), _) | (_, Some(error)) => Some(error),
        _ => None,
    };
    match (data, set, place) {
        (Some(DataError::Empty { .. }), ..) | (_, Some(HfDatasetError::NoSplit { .. }), _) => {
            let may_be_null = split_key == "eval_split";
            (split_key, may_be_null.then_some("name another split, or null for no evaluation"))
        }
        (Some(DataError::NoColumn { .. } | DataError::ColumnType { .. }), ..) => (
            place.key(),
            Some(
                "`shards` names token shards, as `tokenize-shards` writes them; `dataset` takes records",
            ),
        ),
        (Some(DataError::TooLong { .. }), _, Place::Shards(_)) => (
            place.key(),
            Some("raise `max_length`, or tokenize anew with --on-overflow truncate-input or drop"),
        ),
        (Some(DataError::TooLong { .. }), _, Place::Dataset(_)) => (
            place.key(),
            Some(
                "raise `max_length`, or let `tokenize-shards` shorten or drop them, and take its `shards`",
            ),
        ),
        (Some(DataError::NoTargets { .. }), ..) => {
            (place.key(), Some("remove them, or raise --max-length of `tokenize-shards`"))
        }
        _ => (place.key(), None),
    }
}

fn one_line(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.join(": ")
}
