use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use run_manifest::write_atomic;
use serde::{Deserialize, Serialize};

use super::error::io_error;
use super::{CheckpointError, exact_float};

/// The file of a checkpoint that holds its state.
pub(super) const STATE: &str = "state.json";

/// Changes when a state that was written before would be misread.
const FORMAT: u64 = 1;

/// Where a run stands, besides tensors: all that a resumed run needs to go on as if nothing had happened.
///
/// Random choices need no state: their seeds derive from the run's seed, the purpose and the step. Floats come back bit
/// for bit, also infinite ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingState {
    /// Optimizer steps that are done, skipped ones included.
    pub step: u64,
    /// The epoch that comes next or is under way, from 0.
    pub epoch: u64,
    /// Micro-batches of that epoch that have been used, over all processes.
    pub micro_batches: u64,
    /// Examples that the model has been trained on, over all epochs and processes.
    pub samples: u64,
    /// Target tokens of them.
    pub target_tokens: u64,
    /// Processes that the run has; the order of the data depends on it.
    pub world_size: u64,
    /// The seed of all random choices.
    pub seed: u64,
    /// Digest of the settings that decide what is computed.
    pub config_digest: String,
    /// Digest of the data.
    pub data_digest: Option<String>,
    /// Digest of the base model.
    pub model_digest: Option<String>,
    /// Steps without an update because a loss or gradient was not finite.
    pub skipped_steps: u64,
    /// How many of them were the last ones.
    pub skipped_in_a_row: u64,
    /// What early stopping goes by.
    pub early_stopping: EarlyStopping,
    /// Bytes of `metrics.jsonl` when the checkpoint was written: what comes behind them is of steps to be done again.
    pub metrics_bytes: u64,
    /// Sums behind running means, by the names of the metrics.
    #[serde(with = "exact_float::map")]
    pub totals: BTreeMap<String, f64>,
}

/// How evaluations have gone so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// The best value of the metric; `None` before the first evaluation.
    #[serde(with = "exact_float::option")]
    pub best: Option<f64>,
    /// The step of it.
    pub best_step: Option<u64>,
    /// Evaluations since then.
    pub without_improvement: u64,
}

/// The file, whose format is known before the state is read.
#[derive(Serialize)]
struct Written<'a> {
    format: u64,
    state: &'a TrainingState,
}

#[derive(Deserialize)]
struct Read {
    format: u64,
    state: serde_json::Value,
}

impl TrainingState {
    /// Writes `state.json` into a folder.
    ///
    /// # Errors
    /// [`CheckpointError::Write`].
    pub fn write(&self, folder: &Path) -> Result<(), CheckpointError> {
        let path = folder.join(STATE);
        let mut text = serde_json::to_string_pretty(&Written { format: FORMAT, state: self })
            .map_err(|source| CheckpointError::State { path: path.clone(), source })?;
        text.push('\n');
        write_atomic(&path, text.as_bytes())
            .map_err(|source| CheckpointError::Write { path: folder.to_owned(), source })?;
        Ok(())
    }

    /// Reads `state.json` of a folder.
    ///
    /// # Errors
    /// [`CheckpointError::Io`], [`CheckpointError::State`], [`CheckpointError::Format`].
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let path = folder.join(STATE);
        let text = fs::read_to_string(&path).map_err(io_error("read", &path))?;
        let state = |source| CheckpointError::State { path: path.clone(), source };
        let Read { format, state: value } = serde_json::from_str(&text).map_err(state)?;
        if format != FORMAT {
            return Err(CheckpointError::Format { path, format, known: FORMAT });
        }
        serde_json::from_value(value).map_err(state)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(state: &TrainingState) -> TrainingState {
        let folder = tempfile::tempdir().expect("a folder");
        state.write(folder.path()).expect("a file");
        TrainingState::read(folder.path()).expect("a state")
    }

    proptest! {
        #[test]
        fn floats_come_back_bit_for_bit(a in any::<f64>(), b in prop::num::f64::ANY, n in any::<u64>()) {
            let state = TrainingState {
                step: n,
                seed: !n,
                early_stopping: EarlyStopping { best: Some(a), best_step: Some(n), without_improvement: 2 },
                totals: BTreeMap::from([("loss".to_owned(), b), ("none".to_owned(), -0.0)]),
                ..TrainingState::default()
            };
            let back = round_trip(&state);
            // A NaN is one, whatever its bits.
            let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
            prop_assert_eq!(back.early_stopping.best.map(bits), Some(bits(a)));
            prop_assert_eq!(bits(back.totals["loss"]), bits(b));
            prop_assert_eq!(back.totals["none"].to_bits(), (-0.0_f64).to_bits());
            prop_assert_eq!((back.step, back.seed), (n, !n));
        }
    }

    #[test]
    fn infinite_and_missing_values_are_kept() {
        for best in [None, Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(5e-324)] {
            let early_stopping = EarlyStopping { best, ..EarlyStopping::default() };
            let state = TrainingState { early_stopping, ..TrainingState::default() };
            assert_eq!(round_trip(&state), state);
        }
    }

    #[test]
    fn other_formats_and_other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |text: &str| {
            fs::write(folder.path().join(STATE), text).unwrap();
            TrainingState::read(folder.path()).unwrap_err().to_string()
        };
        assert!(refused(r#"{"format": 2, "state": {"later": 1}}"#).contains("has format 2"));
        assert!(refused(r#"{"format": 1, "state": {}}"#).contains("no state of a training run"));
        assert!(refused("").contains("state.json"));
        assert!(refused("[]").contains("no state of a training run"));
    }
}
