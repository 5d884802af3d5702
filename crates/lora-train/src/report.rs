use std::path::PathBuf;

use serde::Serialize;
use thesis_core::Action;

/// What happens while a model is trained.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A step is done.
    Step(StepReport),
    /// A step was left out: its loss or gradient is not finite.
    Skipped {
        /// The step, from 1.
        step: u64,
        /// Its loss.
        loss: f64,
        /// Its gradient's norm.
        grad_norm: f64,
    },
    /// The validation data was looked at.
    Evaluation(EvaluationReport),
    /// All predicted actions are one and the same, and those of the data are not.
    Collapsed {
        /// The step.
        step: u64,
        /// The action.
        action: Action,
        /// Examples.
        examples: u64,
    },
    /// A checkpoint was written.
    Saved {
        /// The step.
        step: u64,
        /// The folder.
        path: PathBuf,
    },
    /// Old checkpoints were removed.
    Removed(Vec<PathBuf>),
}

/// A step, over all processes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// Steps that are done, this one included.
    pub step: u64,
    /// Epochs that are done.
    pub epoch: f64,
    /// Weighted mean loss of the target tokens, in nats, before the update.
    pub loss: f64,
    /// Global norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The step's learning rate.
    pub learning_rate: f64,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Those among them that were to be predicted.
    pub target_tokens: u64,
    /// Seconds that the step took.
    pub seconds: f64,
    /// Bytes that this process has on the device, where that has memory of its own.
    pub device_memory: Option<u64>,
}

/// How the model does on the validation data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationReport {
    /// Steps that are done.
    pub step: u64,
    /// Mean loss of a target token, in nats, without weights.
    pub loss: f64,
    /// Share of target tokens that are the likeliest one.
    pub token_accuracy: f64,
    /// Share of examples whose action is predicted, each token of it after those before it; `None` where no action was
    /// found in the answers.
    pub action_accuracy: Option<f64>,
    /// By action, in the order of [`Action::ALL`].
    pub actions: Vec<ActionReport>,
    /// Target tokens.
    pub target_tokens: u64,
    /// Examples.
    pub examples: u64,
    /// Seconds that it took.
    pub seconds: f64,
}

/// Examples of one action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ActionReport {
    /// The action.
    pub action: Action,
    /// Examples of it.
    pub examples: u64,
    /// Mean loss of a target token in them; `None` without examples.
    pub loss: Option<f64>,
    /// Share of them whose action is predicted.
    pub accuracy: Option<f64>,
    /// Examples of any action for which this one is predicted.
    pub predicted: u64,
}
