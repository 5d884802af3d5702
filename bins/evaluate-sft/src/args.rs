use std::path::PathBuf;

use clap::Parser;
use model_cli::Device;
use serde::Serialize;
use serde_json::{Map, Value, json};
use stage_cli::CommonArgs;

use crate::config::{Baseline, Decoding};

/// Let a fine-tuned model answer records, and judge it: as language, as calls, and against the
/// untuned base model
///
/// Prompts are made as training made them. Beside OUT.csv, which `trading-backtest` takes as calls,
/// stand OUT.json (every figure), OUT.html (the report), OUT.plots/*.svg, OUT.answers.jsonl (every
/// answer; a run that was ended goes on from it) and OUT.manifest.json, which is written last. This
/// is research software; nothing that it or a model writes is investment advice.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// What is judged: a run of `train-sft`, one of its checkpoints, the folder of a PEFT adapter, a
    /// model as transformers saves it, or a GGUF file
    #[arg(long, value_name = "DIR")]
    pub(crate) model_dir: PathBuf,
    /// Records, as `build-dataset` writes them
    #[arg(long, value_name = "DIR")]
    pub(crate) dataset_dir: PathBuf,
    /// Daily bars for forward returns: a folder of CSV or Parquet files, or one such file; without it
    /// there are none
    #[arg(long, value_name = "DIR_OR_FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// The rows are written here; the other files are named after it
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) out: PathBuf,
    /// The model that the adapter belongs to, where it is not where training found it
    #[arg(long, value_name = "DIR_OR_FILE")]
    pub(crate) base_model: Option<String>,
    /// The split that is judged [default: test]
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<String>,
    /// Judge no more than N rows, spread evenly over the split
    #[arg(long, value_name = "N")]
    pub(crate) max_rows: Option<usize>,
    /// What is judged beside the tuned model [default: base]
    #[arg(long, value_enum, value_name = "MODEL")]
    pub(crate) baseline: Option<Baseline>,
    /// What an answer may be [default: free]
    #[arg(long, value_enum, value_name = "KIND", help_heading = ANSWERS)]
    pub(crate) decoding: Option<Decoding>,
    /// Most tokens of an answer [default: a quarter more than the longest reference]
    #[arg(long, value_name = "N", help_heading = ANSWERS)]
    pub(crate) max_new_tokens: Option<usize>,
    /// What logits are divided by; 0 takes the likeliest token [default: 0]
    #[arg(long, value_name = "T", help_heading = ANSWERS)]
    pub(crate) temperature: Option<f32>,
    /// Only the fewest likeliest tokens that have probability P together
    #[arg(long, value_name = "P", help_heading = ANSWERS)]
    pub(crate) top_p: Option<f32>,
    /// Seed of sampled answers; each row has its own draws [default: 7]
    #[arg(long, value_name = "N", help_heading = ANSWERS)]
    pub(crate) seed: Option<u64>,
    /// Rows that are answered at once [default: 16]
    #[arg(long, value_name = "N", help_heading = ANSWERS)]
    pub(crate) batch: Option<usize>,
    /// Rows of the validation split on which the temperature of probabilities is fitted
    /// [default: 64]
    #[arg(long, value_name = "N")]
    pub(crate) temperature_rows: Option<usize>,
    /// Where it runs: auto, cpu, ndarray, cuda or cuda:N [default: auto]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const ANSWERS: &str = "Answers";

const EXAMPLES: &str = "\
Examples:
  evaluate-sft --model-dir sft --dataset-dir dataset --prices prices --out results/eval_results.csv
  evaluate-sft --model-dir sft/checkpoint-200 --dataset-dir dataset --prices prices \\
      --out results/at-200.csv --max-rows 64 --decoding structured
  evaluate-sft --model-dir models/smollm2.gguf --dataset-dir dataset --out results/base.csv

Every setting and its default are documented in configs/eval.yaml.";

impl Args {
    /// The settings that flags give.
    pub(crate) fn flags(&self) -> Map<String, Value> {
        let Self {
            model_dir: _,
            dataset_dir: _,
            prices: _,
            out: _,
            base_model,
            split,
            max_rows,
            baseline,
            decoding,
            max_new_tokens,
            temperature,
            top_p,
            seed,
            batch,
            temperature_rows,
            device,
            common: _,
        } = self;
        let mut sampling = Map::new();
        set(&mut sampling, "temperature", temperature);
        set(&mut sampling, "top_p", top_p);
        let mut flags = Map::new();
        if !sampling.is_empty() {
            flags.insert("sampling".to_owned(), Value::Object(sampling));
        }
        set(&mut flags, "base_model", base_model);
        set(&mut flags, "split", split);
        set(&mut flags, "max_rows", max_rows);
        set(&mut flags, "baseline", baseline);
        set(&mut flags, "decoding", decoding);
        set(&mut flags, "max_new_tokens", max_new_tokens);
        set(&mut flags, "seed", seed);
        set(&mut flags, "batch", batch);
        set(&mut flags, "temperature_rows", temperature_rows);
        set(&mut flags, "device", device);
        flags
    }
}

fn set(flags: &mut Map<String, Value>, key: &str, value: &Option<impl Serialize>) {
    if let Some(value) = value {
        flags.insert(key.to_owned(), json!(value));
    }
}
