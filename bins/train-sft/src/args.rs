use std::path::PathBuf;

use clap::Parser;
use model_cli::{ComputeKind, Device, QuantizationKind};
use serde::Serialize;
use stage_cli::CommonArgs;

use crate::config::Resume;

/// Fine-tune a base model on token shards
///
/// The base stays frozen, in 4 bits by default, and a LoRA adapter on top of it is trained (QLoRA). Before anything is
/// loaded, all settings are checked and what is to come is printed: sizes, memory by item, steps, time. A run that was
/// killed goes on where its last checkpoint is, with the same losses. This is research software; nothing that a model
/// writes is investment advice.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Print what would be done, what it takes and how long, and load no weights
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print all settings as they are put together, as JSON, and do nothing
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Base model: folder with config.json and safetensors, or GGUF file
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) base_model: Option<String>,
    /// Token shards as `tokenize-shards` or `datasets` writes them
    #[arg(long, value_name = "DIR")]
    pub(crate) shards: Option<PathBuf>,
    /// Records as `build-dataset` writes them instead: they are tokenized before training
    #[arg(long, value_name = "DIR")]
    pub(crate) dataset: Option<PathBuf>,
    /// Checkpoints, logs and the finished adapter are written here
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Where it runs: auto, cpu, ndarray, cuda or cuda:N [default: auto]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
    /// Whether an earlier run goes on: auto, none, or a checkpoint's folder [default: auto]
    #[arg(long, value_name = "auto|none|DIR")]
    pub(crate) resume: Option<String>,
    /// End after so many optimizer steps
    #[arg(long, value_name = "N")]
    pub(crate) max_steps: Option<u64>,
    /// How often every row is seen [default: 3]
    #[arg(long, value_name = "X")]
    pub(crate) epochs: Option<f64>,
    /// The highest learning rate [default: 2e-4]
    #[arg(long, value_name = "X")]
    pub(crate) learning_rate: Option<f64>,
    /// Rows that are computed at once [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) micro_batch: Option<usize>,
    /// Micro-batches of an optimizer step [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) accumulation: Option<usize>,
    /// Most tokens of a row [default: 2048]
    #[arg(long, value_name = "N")]
    pub(crate) max_length: Option<usize>,
    /// What projections of the base are quantized to [default: nf4]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) quantization: Option<QuantizationKind>,
    /// Precision of the factors of products; sums are f32 [default: f32]
    #[arg(long, value_enum, value_name = "DTYPE")]
    pub(crate) compute_dtype: Option<ComputeKind>,
    /// What all random choices follow from [default: 7]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// At the end, also write base and adapter as one model in bf16
    #[arg(long)]
    pub(crate) merge: bool,
    /// At the end, also write the adapter as a GGUF file for llama.cpp
    #[arg(long)]
    pub(crate) gguf: bool,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  train-sft --config configs/sft.yaml --dry-run
  train-sft --config configs/sft.yaml --base-model models/smollm2 --shards shards --out runs/first
  train-sft --base-model models/smollm2/model.gguf --dataset data/dataset --out runs/first --dry-run
  train-sft --config configs/sft.yaml --out runs/first --resume runs/first/checkpoint-200

Every setting and its default are documented in configs/sft.yaml.

Load the result in Python:
  peft.PeftModel.from_pretrained(base, \"runs/first/adapter\")";

/// The settings that flags give; absent ones leave the others alone.
#[derive(Debug, Serialize)]
pub(crate) struct Flags<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    base_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<Option<&'a PathBuf>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<Option<&'a PathBuf>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<&'a PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Device>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<Resume>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_steps: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    micro_batch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accumulation: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantization: Option<QuantizationKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compute_dtype: Option<ComputeKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gguf: Option<bool>,
}

impl Args {
    /// The settings that flags give.
    pub(crate) fn flags(&self) -> Flags<'_> {
        let Self {
            dry_run: _,
            print_config: _,
            base_model,
            shards,
            dataset,
            out,
            device,
            resume,
            max_steps,
            epochs,
            learning_rate,
            micro_batch,
            accumulation,
            max_length,
            quantization,
            compute_dtype,
            seed,
            merge,
            gguf,
            common: _,
        } = self;
        Flags {
            base_model: base_model.as_deref(),
            // The flag of one takes the place of both settings.
            shards: shards.as_ref().map(Some).or(dataset.as_ref().map(|_| None)),
            dataset: dataset.as_ref().map(Some).or(shards.as_ref().map(|_| None)),
            out: out.as_ref(),
            device: *device,
            resume: resume.clone().map(Resume::from),
            max_steps: *max_steps,
            epochs: *epochs,
            learning_rate: *learning_rate,
            micro_batch: *micro_batch,
            accumulation: *accumulation,
            max_length: *max_length,
            quantization: *quantization,
            compute_dtype: *compute_dtype,
            seed: *seed,
            merge: merge.then_some(true),
            gguf: gguf.then_some(true),
        }
    }
}
