use optimizer::{AdamWConfig, Schedule, StateDtype};
use serde::{Deserialize, Serialize};

use crate::data::PlanOptions;

/// How a model is trained. Everything that decides what is computed is here or in the data.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Steps to be done in all, those before a resume included.
    pub steps: u64,
    /// The learning rate of each step.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: AdamWConfig,
    /// How the optimizer keeps its state.
    pub optimizer_state: StateDtype,
    /// Gradients are scaled down to this global norm; `None`: never.
    pub max_grad_norm: Option<f64>,
    /// Which rows a step takes.
    pub plan: PlanOptions,
    /// Blocks are computed again in the backward pass instead of kept.
    pub gradient_checkpointing: bool,
    /// Dropout on the inputs of adapters, 0 to 1.
    pub dropout: f32,
    /// NEFTune's noise on embeddings.
    pub neftune_alpha: Option<f64>,
    /// Steps between evaluations, besides the one at the end; `None`: at the end alone.
    pub eval_steps: Option<u64>,
    /// Steps between checkpoints, besides the one at the end; `None`: at the end alone.
    pub save_steps: Option<u64>,
    /// Checkpoints that are kept.
    pub keep_last: usize,
    /// When to stop before the end.
    pub early_stopping: Option<EarlyStoppingOptions>,
    /// Steps in a row with a loss or gradient that is not finite, after which the run ends.
    pub max_bad_steps: u64,
    /// Steps between sample answers.
    pub sample_steps: Option<u64>,
    /// What all random choices derive from.
    pub seed: u64,
}

/// When to stop before the end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingOptions {
    /// Evaluations without improvement after which the run ends.
    pub patience: u64,
    /// What counts as an improvement.
    #[serde(default)]
    pub min_delta: f64,
    /// What is watched.
    #[serde(default)]
    pub metric: WatchedMetric,
}

/// What early stopping goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchedMetric {
    /// The mean loss of a target token; lower is better.
    #[default]
    Loss,
    /// The share of examples whose action is predicted; higher is better.
    ActionAccuracy,
}

/// What is trained, as its files say it.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainedPart {
    /// An adapter.
    Adapter(causal_lm::adapter::AdapterSpec),
    /// The whole model.
    Model,
}
