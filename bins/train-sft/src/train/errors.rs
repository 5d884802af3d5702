use std::path::Path;

use lora_train::{Outcome, TrainError};
use stage_cli::Hint;

use crate::config::SftConfig;

/// Adds what to do about a run that ended with an error, where there is something to say.
pub(super) fn with_train_hint(
    outcome: Result<Outcome, TrainError>,
    config: &SftConfig,
) -> anyhow::Result<Outcome> {
    let Err(error) = &outcome else { return Ok(outcome?) };
    let good = |checkpoint: &Option<std::path::PathBuf>| match checkpoint {
        Some(path) => format!("go on with --resume {}", path.display()),
        None => "no checkpoint was written".to_owned(),
    };
    let hint = match error {
        TrainError::NotFinite { checkpoint, .. } => {
            let last = match checkpoint {
                Some(path) => format!("{} is the last good checkpoint", path.display()),
                None => "no checkpoint was written".to_owned(),
            };
            format!(
                "a lower `learning_rate`, more warm-up or `compute_dtype: f32` may help; {last}"
            )
        }
        TrainError::Peer { checkpoint, .. } => good(checkpoint),
        TrainError::Device { checkpoint, .. } => {
            format!(
                "a smaller `micro_batch`, `gradient_checkpointing: true` or a shorter `max_length` takes less memory; {}",
                good(checkpoint)
            )
        }
        TrainError::WorldSize { saved, .. } => {
            format!("start {saved} processes, or begin anew: --resume none --out {}", other(config))
        }
        TrainError::OtherRun { .. } => {
            format!("take its settings, or begin anew: --resume none --out {}", other(config))
        }
        _ => return Ok(outcome?),
    };
    outcome.hint(hint)
}

/// A name for another folder beside the present one.
fn other(config: &SftConfig) -> String {
    let name = config.out.file_name().unwrap_or_default().to_string_lossy();
    config.out.parent().unwrap_or(Path::new("")).join(format!("{name}-2")).display().to_string()
}
