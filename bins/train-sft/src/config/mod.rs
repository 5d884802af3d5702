//! The settings of `configs/sft.yaml`, which documents each key.

mod byte_size;
mod choices;

use std::path::PathBuf;

use lora_train::EarlyStoppingOptions;
use lora_train::data::ClassWeights;
use model_cli::{ComputeKind, Device, QuantizationKind, WeightDtype};
use optimizer::ScheduleKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stage_cli::{ConfigRules, EnvAlias};

pub(crate) use byte_size::ByteSize;
pub(crate) use choices::{AdapterKind, LoraStart, NewTokens, Resume, StateKind, TargetModules};

/// The share of all steps that is warm-up where nothing is said.
const WARMUP_RATIO: f64 = 0.03;

/// Settings that change no loss: what a resumed run may have otherwise.
const WITHOUT_EFFECT: [&str; 18] = [
    // Where things lie; what they hold has digests of its own.
    "base_model",
    "shards",
    "dataset",
    "out",
    // The same numbers, to the last digits at least.
    "device",
    "memory_limit",
    // What is looked at, written and kept on the way.
    "eval_steps",
    "save_steps",
    "keep_last",
    "max_bad_steps",
    "resume",
    "logging",
    "sample_every",
    "sample_prompts",
    "sample_max_tokens",
    "merge",
    "gguf",
    "early_stopping",
];

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SftConfig {
    pub(crate) base_model: String,
    pub(crate) shards: Option<PathBuf>,
    pub(crate) dataset: Option<PathBuf>,
    pub(crate) train_split: String,
    pub(crate) eval_split: Option<String>,
    pub(crate) out: PathBuf,
    pub(crate) device: Device,
    pub(crate) memory_limit: Option<ByteSize>,

    pub(crate) quantization: QuantizationKind,
    pub(crate) double_quantization: bool,
    pub(crate) dtype: WeightDtype,
    pub(crate) compute_dtype: ComputeKind,

    pub(crate) adapter: AdapterKind,
    pub(crate) lora: LoraConfig,
    pub(crate) train_new_tokens: NewTokens,

    pub(crate) optimizer: OptimizerConfig,
    pub(crate) learning_rate: f64,
    pub(crate) schedule: ScheduleKind,
    pub(crate) warmup_steps: Option<u64>,
    pub(crate) warmup_ratio: Option<f64>,
    pub(crate) epochs: Option<f64>,
    pub(crate) max_steps: Option<u64>,
    pub(crate) max_grad_norm: Option<f64>,
    pub(crate) neftune_alpha: Option<f64>,
    pub(crate) max_bad_steps: u64,

    pub(crate) micro_batch: usize,
    pub(crate) accumulation: usize,
    pub(crate) max_length: Option<usize>,
    pub(crate) packing: bool,
    pub(crate) gradient_checkpointing: bool,
    pub(crate) class_weights: ClassWeights,
    pub(crate) balanced_sampling: bool,
    pub(crate) shuffle: bool,
    pub(crate) seed: u64,

    pub(crate) eval_steps: Option<u64>,
    pub(crate) save_steps: Option<u64>,
    pub(crate) keep_last: Option<usize>,
    pub(crate) early_stopping: Option<EarlyStoppingOptions>,
    pub(crate) resume: Resume,

    pub(crate) logging: LoggingConfig,
    pub(crate) sample_every: Option<u64>,
    pub(crate) sample_prompts: usize,
    pub(crate) sample_max_tokens: usize,
    pub(crate) merge: bool,
    pub(crate) gguf: bool,
}

/// The adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LoraConfig {
    pub(crate) r: usize,
    pub(crate) alpha: f64,
    pub(crate) dropout: f64,
    pub(crate) target_modules: TargetModules,
    pub(crate) rslora: bool,
    pub(crate) dora: bool,
    pub(crate) init: LoraStart,
}

/// AdamW.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OptimizerConfig {
    pub(crate) state: StateKind,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
}

/// Where figures go besides the console and `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LoggingConfig {
    pub(crate) log_steps: u64,
    pub(crate) tensorboard: bool,
    pub(crate) mlflow: Option<MlflowConfig>,
}

/// An MLflow server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MlflowConfig {
    pub(crate) uri: String,
    pub(crate) experiment: String,
}

/// The variables of earlier pipelines.
pub(crate) const RULES: ConfigRules = ConfigRules {
    aliases: &[
        EnvAlias { variable: "BASE_MODEL", key: "base_model" },
        EnvAlias { variable: "MAX_LENGTH", key: "max_length" },
    ],
    alternatives: &[],
};

impl SftConfig {
    /// The settings that decide what is computed: those that a resumed run must share with its checkpoint.
    pub(crate) fn decisive(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(settings)) => decisive(settings),
            _ => Map::new(),
        }
    }

    /// Steps of warm-up in a run of `total` steps; of a ratio, rounded up as transformers does it.
    pub(crate) fn warmup(&self, total: u64) -> u64 {
        match (self.warmup_steps, self.warmup_ratio) {
            (Some(steps), _) => steps,
            (None, ratio) => (ratio.unwrap_or(WARMUP_RATIO) * total as f64).ceil() as u64,
        }
    }
}

/// Leaves out what changes no loss.
pub(crate) fn decisive(mut settings: Map<String, Value>) -> Map<String, Value> {
    WITHOUT_EFFECT.iter().for_each(|key| drop(settings.remove(*key)));
    settings
}

impl Default for SftConfig {
    fn default() -> Self {
        Self {
            base_model: "models/SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf".to_owned(),
            shards: Some("shards".into()),
            dataset: None,
            train_split: "train".to_owned(),
            eval_split: Some("validation".to_owned()),
            out: "sft".into(),
            device: Device::default(),
            memory_limit: None,
            quantization: QuantizationKind::Nf4,
            double_quantization: true,
            dtype: WeightDtype::default(),
            compute_dtype: ComputeKind::default(),
            adapter: AdapterKind::default(),
            lora: LoraConfig::default(),
            train_new_tokens: NewTokens::default(),
            optimizer: OptimizerConfig::default(),
            learning_rate: 2e-4,
            schedule: ScheduleKind::Cosine,
            warmup_steps: None,
            warmup_ratio: None,
            epochs: Some(3.0),
            max_steps: None,
            max_grad_norm: Some(1.0),
            neftune_alpha: None,
            max_bad_steps: 5,
            micro_batch: 1,
            accumulation: 8,
            max_length: Some(2048),
            packing: false,
            gradient_checkpointing: true,
            class_weights: ClassWeights::default(),
            balanced_sampling: false,
            shuffle: true,
            seed: 7,
            eval_steps: Some(100),
            save_steps: Some(100),
            keep_last: Some(3),
            early_stopping: None,
            resume: Resume::default(),
            logging: LoggingConfig::default(),
            sample_every: None,
            sample_prompts: 3,
            sample_max_tokens: 256,
            merge: false,
            gguf: false,
        }
    }
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            r: 16,
            alpha: 32.0,
            dropout: 0.05,
            target_modules: TargetModules::default(),
            rslora: false,
            dora: false,
            init: LoraStart::default(),
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        let optimizer::AdamWConfig { beta1, beta2, eps, weight_decay } = Default::default();
        Self { state: StateKind::default(), beta1, beta2, eps, weight_decay }
    }
}

impl Default for LoggingConfig {
    fn default() -> Self {
        Self { log_steps: 10, tensorboard: true, mlflow: None }
    }
}
