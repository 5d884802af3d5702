use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde::Serialize;
use stage_cli::CommonArgs;

/// Turn a data set of records into token shards that a trainer reads as they are
///
/// Every row is a prompt as the model's own chat template writes it, and an answer with the token
/// that ends it. Only the answer is a target: labels are -100 elsewhere. The tokenizer, with the
/// tokens that were added, is saved beside the shards. The same input and settings give the same
/// bytes, whatever the number of threads.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Data set as `build-dataset` writes it
    #[arg(long, value_name = "DIR")]
    pub(crate) dataset_dir: PathBuf,
    /// Model folder with tokenizer.json, tokenizer_config.json and the chat template; a GGUF file; or
    /// a bare tokenizer.json
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) tokenizer: PathBuf,
    /// Shards, tokenizer, report and manifest are written here, complete or not at all; an earlier
    /// output of this stage is replaced
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Most tokens a row [default: 2048]
    #[arg(long, value_name = "N")]
    pub(crate) max_length: Option<usize>,
    /// How tags and actions of an answer are written [default: added]
    #[arg(long, value_enum)]
    pub(crate) structure_tokens: Option<StructureTokensArg>,
    /// Whether examples share rows [default: none]
    #[arg(long, value_enum)]
    pub(crate) packing: Option<PackingArg>,
    /// What becomes of a record that is too long [default: error]
    #[arg(long, value_enum)]
    pub(crate) on_overflow: Option<OnOverflowArg>,
    /// Whether rows are filled up [default: none]
    #[arg(long, value_enum)]
    pub(crate) padding: Option<PaddingArg>,
    /// System text; the record's instruction then stands before its input
    #[arg(long, value_name = "TEXT")]
    pub(crate) system_prompt: Option<String>,
    /// Token that ends an answer, in place of the one that the chat template or the tokenizer names
    #[arg(long, value_name = "TOKEN")]
    pub(crate) end_token: Option<String>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  tokenize-shards --dataset-dir dataset --tokenizer models/qwen3 --out shards
  tokenize-shards --dataset-dir dataset --tokenizer models/llama --out shards \\
      --max-length 1024 --on-overflow truncate-input --packing bfd
  tokenize-shards --dataset-dir dataset --tokenizer models/gemma/tokenizer.json --out shards \\
      --end-token '<end_of_turn>' --structure-tokens plain
  tokenize-shards --dataset-dir dataset --tokenizer models/smollm2.gguf --out shards

Open it in Python:
  datasets.load_from_disk(\"shards\")
  transformers.AutoTokenizer.from_pretrained(\"shards/tokenizer\")";

/// How tags and actions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StructureTokensArg {
    /// Each as a single token, added to the vocabulary
    Added,
    /// As text like any other
    Plain,
}

/// Whether examples share rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PackingArg {
    /// One example a row
    None,
    /// Best fit decreasing; seq_lengths and position_ids tell examples apart
    Bfd,
}

/// What becomes of a record that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnOverflowArg {
    /// Look at all of them, then fail
    Error,
    /// Keep as many whole lines of the input as fit, else words; never shorten the answer
    TruncateInput,
    /// Leave it out
    Drop,
}

/// Whether rows are filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PaddingArg {
    /// Rows are as long as they are
    None,
    /// Every row has the maximal length
    MaxLength,
}

/// The settings that flags give; absent ones leave the others alone.
#[derive(Debug, Serialize)]
pub(crate) struct Flags<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structure_tokens: Option<StructureTokensArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packing: Option<PackingArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_overflow: Option<OnOverflowArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    padding: Option<PaddingArg>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_prompt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_token: Option<&'a str>,
}

impl Args {
    /// The settings that flags give.
    pub(crate) fn flags(&self) -> Flags<'_> {
        let Self {
            dataset_dir: _,
            tokenizer: _,
            out: _,
            max_length,
            structure_tokens,
            packing,
            on_overflow,
            padding,
            system_prompt,
            end_token,
            common: _,
        } = self;
        Flags {
            max_length: *max_length,
            structure_tokens: *structure_tokens,
            packing: *packing,
            on_overflow: *on_overflow,
            padding: *padding,
            system_prompt: system_prompt.as_deref(),
            end_token: end_token.as_deref(),
        }
    }
}
