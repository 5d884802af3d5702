//! Names of checkpoints, and of what killed runs leave beside them.

use std::fs;
use std::path::{Path, PathBuf};

use super::CheckpointError;
use super::error::io_error;

const PREFIX: &str = "checkpoint-";

/// Behind the name of a folder that has to make room for its successor; set by `run_manifest::StagedDir`.
const REPLACED: &str = "-replaced";

/// What else lies in a folder of checkpoints, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leftover {
    /// A checkpoint that was moved aside for a new one of the same step.
    Replaced(u64),
    /// A save that was not finished, or a checkpoint that was about to be removed.
    Partial,
}

/// `checkpoint-120`.
pub(super) fn name_of(step: u64) -> String {
    format!("{PREFIX}{step}")
}

/// `.checkpoint-120.partial-pruned`: on its way out.
pub(super) fn pruned_name_of(step: u64) -> String {
    format!(".{PREFIX}{step}.partial-pruned")
}

/// The step of a folder named `checkpoint-STEP`, written as [`name_of`] writes it.
pub(super) fn step_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?;
    let step = digits.parse().ok()?;
    (name_of(step) == name).then_some(step)
}

/// What `.checkpoint-STEP.partial-…` is.
pub(super) fn leftover_of(name: &str) -> Option<Leftover> {
    let (checkpoint, rest) = name.strip_prefix('.')?.split_once(".partial-")?;
    let step = step_of(checkpoint)?;
    Some(if rest.ends_with(REPLACED) { Leftover::Replaced(step) } else { Leftover::Partial })
}

/// Everything in `root` whose name means something to `parse`, by name; nothing where there is no such folder.
pub(super) fn entries<T>(
    root: &Path,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<(T, PathBuf)>, CheckpointError> {
    let listed = match fs::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io_error("read", root))?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(io_error("read", root))?;
        if let Some(parsed) = entry.file_name().to_str().and_then(&parse) {
            entries.push((parsed, entry.path()));
        }
    }
    entries.sort_by(|(_, a), (_, b)| a.cmp(b));
    Ok(entries)
}

/// All folders named `checkpoint-STEP`, lowest step first, whatever is in them.
pub(super) fn by_step(root: &Path) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
    let mut found = entries(root, step_of)?;
    found.sort_by_key(|(step, _)| *step);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written_and_no_other_way() {
        for (name, step) in [
            ("checkpoint-0", Some(0)),
            ("checkpoint-120", Some(120)),
            ("checkpoint-18446744073709551615", Some(u64::MAX)),
            ("checkpoint-18446744073709551616", None),
            ("checkpoint-007", None),
            ("checkpoint-+7", None),
            ("checkpoint--7", None),
            ("checkpoint-", None),
            ("checkpoint-7 ", None),
            ("checkpoint-7.tmp", None),
            ("Checkpoint-7", None),
            (".checkpoint-7", None),
        ] {
            assert_eq!(step_of(name), step, "{name}");
        }
        for (name, leftover) in [
            (".checkpoint-7.partial-train-sft-20260101T000000Z-9", Some(Leftover::Partial)),
            (".checkpoint-7.partial-run-9-replaced", Some(Leftover::Replaced(7))),
            (".checkpoint-7.partial-pruned", Some(Leftover::Partial)),
            (".checkpoint-x.partial-run", None),
            (".checkpoint-7", None),
            ("checkpoint-7.partial-run", None),
            (".other.partial-run", None),
        ] {
            assert_eq!(leftover_of(name), leftover, "{name}");
        }
        assert_eq!(leftover_of(&pruned_name_of(7)), Some(Leftover::Partial));
    }
}
