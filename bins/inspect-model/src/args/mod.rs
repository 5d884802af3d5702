mod choices;
mod flags;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use model_cli::{CacheKind, ComputeKind, Device, QuantizationKind, WeightDtype};
use stage_cli::CommonArgs;

pub(crate) use choices::{FormatArg, InitDtypeArg};

/// Look into a model: what it is, what memory it takes, what it says, and how quickly
///
/// A model is a folder as transformers saves it, or a GGUF file. Answers are computed by the same
/// code that trains and evaluates. This is research software; nothing that a model writes is
/// investment advice.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  inspect-model info --model models/smollm2
  inspect-model estimate --model models/qwen3-4b --quantization nf4 --lora-rank 16 --sequence 2048
  inspect-model generate --model models/smollm2.gguf --chat 'What is the capital of France?'
  inspect-model bench --model models/smollm2 --quantization nf4 --batch 8
  inspect-model init --model shapes/llama-1m/config.json --seed 7 --out models/llama-1m

Every setting and its default are documented in configs/inspect.yaml.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Architecture, parameters, tensors, tokenizer
    Info(InfoArgs),
    /// Memory, from the configuration alone: nothing is loaded
    Estimate(EstimateArgs),
    /// Logits of token ids, as safetensors
    Logits(LogitsArgs),
    /// Answers to a prompt, as they are written
    Generate(Box<GenerateArgs>),
    /// A folder whose projections are quantized, which loads without quantizing again
    Quantize(QuantizeArgs),
    /// A folder with random weights, to be trained from nothing, or to measure a shape
    Init(InitArgs),
    /// Tokens a second and memory, as one line of JSON
    Bench(BenchArgs),
}

impl Command {
    pub(crate) fn common(&self) -> &CommonArgs {
        match self {
            Self::Info(args) => &args.common,
            Self::Estimate(args) => &args.common,
            Self::Logits(args) => &args.common,
            Self::Generate(args) => &args.common,
            Self::Quantize(args) => &args.common,
            Self::Init(args) => &args.common,
            Self::Bench(args) => &args.common,
        }
    }
}

const MODEL: &str = "Model";
const SAMPLING: &str = "Sampling";

/// Which model, and how it is loaded.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = MODEL)]
pub(crate) struct ModelArgs {
    /// Folder with config.json and safetensors, or GGUF file
    #[arg(long, value_name = "DIR|FILE|hub:ORG/NAME@REVISION")]
    pub(crate) model: String,
    /// Folder of a PEFT adapter, put on top of the model
    #[arg(long, value_name = "DIR")]
    pub(crate) adapter: Option<PathBuf>,
    /// What the projections are quantized to while they are loaded [default: none]
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) quantization: Option<QuantizationKind>,
    /// Quantize the scales of NF4 too: 4.13 instead of 4.5 bits a weight
    #[arg(long)]
    pub(crate) double_quantization: bool,
    /// How dense weights lie in memory [default: auto]
    #[arg(long, value_enum, value_name = "DTYPE")]
    pub(crate) dtype: Option<WeightDtype>,
    /// Precision of the factors of products; sums are f32 [default: f32]
    #[arg(long, value_enum, value_name = "DTYPE")]
    pub(crate) compute_dtype: Option<ComputeKind>,
    /// Where it runs: auto, cpu, ndarray, cuda or cuda:N [default: auto]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<Device>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InfoArgs {
    /// Folder with config.json and safetensors, or GGUF file
    #[arg(long, value_name = "DIR|FILE|hub:ORG/NAME@REVISION")]
    pub(crate) model: String,
    /// Table for people, or JSON
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: FormatArg,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EstimateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Rank of a LoRA adapter that is trained
    #[arg(long, value_name = "R")]
    pub(crate) lora_rank: Option<usize>,
    /// Projections that have it [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', requires = "lora_rank")]
    pub(crate) lora_targets: Vec<String>,
    /// Sequences in a micro-batch of training
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) batch: usize,
    /// Tokens of a sequence in training; without it, memory is that of generation
    #[arg(long, value_name = "N", requires = "lora_rank")]
    pub(crate) sequence: Option<usize>,
    /// Compute blocks again in the backward pass instead of keeping them
    #[arg(long, requires = "sequence")]
    pub(crate) gradient_checkpointing: bool,
    /// Rows of logits that the loss holds at once
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub(crate) logit_rows: usize,
    /// Answers beside each other in generation
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) slots: usize,
    /// Tokens of prompt and answer in generation
    #[arg(long, value_name = "N", default_value_t = 2048)]
    pub(crate) context: usize,
    /// How keys and values lie in the cache [default: f32]
    #[arg(long, value_enum, value_name = "DTYPE")]
    pub(crate) kv_cache: Option<CacheKind>,
    /// Table for people, or JSON
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: FormatArg,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LogitsArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// A JSON list of rows of token ids; all rows have the same length
    #[arg(long, value_name = "FILE.json")]
    pub(crate) input_ids: PathBuf,
    /// Tensor `logits`, f32, [rows, length, vocabulary], is written here
    #[arg(long, value_name = "FILE.safetensors")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("question").required(true).args(["prompt", "chat"]))]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Text to continue, as it is
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,
    /// A user's message, put into the model's chat template
    #[arg(long, value_name = "TEXT")]
    pub(crate) chat: Option<String>,
    /// The system message before it
    #[arg(long, value_name = "TEXT", requires = "chat")]
    pub(crate) system: Option<String>,
    /// The day that chat templates with a date are told [default: today]
    #[arg(long, value_name = "DATE", requires = "chat")]
    pub(crate) as_of_date: Option<String>,
    /// What an answer may be: thesis, json:SCHEMA_FILE, lark:GRAMMAR_FILE or regex:PATTERN
    #[arg(long, value_name = "GRAMMAR")]
    pub(crate) grammar: Option<String>,
    /// Table for people, or JSON lines with ids, one an answer
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: FormatArg,
    /// Log-probability of each token and the N likeliest others, in JSON lines
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "0")]
    pub(crate) logprobs: Option<usize>,
    /// Most tokens of an answer [default: 256]
    #[arg(long, value_name = "N", help_heading = SAMPLING)]
    pub(crate) max_new_tokens: Option<usize>,
    /// What logits are divided by; 0 takes the likeliest token [default: 0]
    #[arg(long, value_name = "T", help_heading = SAMPLING)]
    pub(crate) temperature: Option<f32>,
    /// Only the K likeliest tokens
    #[arg(long, value_name = "K", help_heading = SAMPLING)]
    pub(crate) top_k: Option<usize>,
    /// Only the likeliest tokens that have probability P together
    #[arg(long, value_name = "P", help_heading = SAMPLING)]
    pub(crate) top_p: Option<f32>,
    /// Only tokens with at least this share of the likeliest one's probability
    #[arg(long, value_name = "P", help_heading = SAMPLING)]
    pub(crate) min_p: Option<f32>,
    /// Above 1 makes tokens less likely that are there already
    #[arg(long, value_name = "X", help_heading = SAMPLING)]
    pub(crate) repetition_penalty: Option<f32>,
    /// Seed of the first answer; each later one has the next [default: 7]
    #[arg(long, value_name = "N", help_heading = SAMPLING)]
    pub(crate) seed: Option<u64>,
    /// End the answer before this text; may be given again
    #[arg(long, value_name = "TEXT", help_heading = SAMPLING)]
    pub(crate) stop: Vec<String>,
    /// Number of answers [default: 1]
    #[arg(long, value_name = "N", help_heading = SAMPLING)]
    pub(crate) samples: Option<usize>,
    /// How keys and values lie in the cache [default: f32]
    #[arg(long, value_enum, value_name = "DTYPE", help_heading = MODEL)]
    pub(crate) kv_cache: Option<CacheKind>,
    /// Most tokens of prompts in a step [default: 512]
    #[arg(long, value_name = "N", help_heading = MODEL)]
    pub(crate) prefill_chunk: Option<usize>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct QuantizeArgs {
    /// Folder with config.json and safetensors
    #[arg(long, value_name = "DIR|hub:ORG/NAME@REVISION")]
    pub(crate) model: String,
    /// What the projections are quantized to; embedding, head and norms stay as they are
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) quantization: QuantizationKind,
    /// Quantize the scales of NF4 too: 4.13 instead of 4.5 bits a weight
    #[arg(long)]
    pub(crate) double_quantization: bool,
    /// The quantized model is written here, complete or not at all
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// A config.json as transformers writes it, or its folder; tokenizer files beside it are copied
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) model: PathBuf,
    /// What all weights follow from: the same seed makes the same bytes on every machine
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) seed: u64,
    /// How weights are stored
    #[arg(long, value_enum, value_name = "DTYPE", default_value = "bf16")]
    pub(crate) dtype: InitDtypeArg,
    /// The model is written here, complete or not at all
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Sequences beside each other
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) batch: usize,
    /// Tokens of a prompt, random by the seed
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub(crate) prompt_len: usize,
    /// Tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub(crate) new_tokens: usize,
    /// Measured runs; the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) repeats: usize,
    /// Runs before them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) warmup: usize,
    /// How keys and values lie in the cache [default: f32]
    #[arg(long, value_enum, value_name = "DTYPE")]
    pub(crate) kv_cache: Option<CacheKind>,
    /// Seed of the prompts [default: 7]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}
