//! What killed saves and removals leave behind.

use std::fs::{self, File};
use std::path::Path;

use super::CheckpointError;
use super::error::io_error;
use super::name::{Leftover, entries, leftover_of, name_of};
use super::verify::verify_files;

/// Held by a save in progress; set by `run_manifest::StagedDir`.
const LOCK: &str = ".lock";

/// Puts back checkpoints that were moved aside for new ones which then never came.
///
/// A save of a step that is there already moves the old folder aside, then the new one to the name. Killed in between,
/// neither stands under the name, and the old one is whole. What cannot be moved stays: another process may have been
/// faster.
pub(super) fn restore_replaced(root: &Path) -> Result<(), CheckpointError> {
    for (leftover, path) in entries(root, leftover_of)? {
        let Leftover::Replaced(step) = leftover else { continue };
        let name = root.join(name_of(step));
        if name.exists() || verify_files(&path).is_err() {
            continue;
        }
        if let Err(error) = fs::rename(&path, &name) {
            tracing::warn!("cannot move {} back: {error}", path.display());
            continue;
        }
        tracing::warn!("{} had been moved aside by a save that was killed", name.display());
    }
    Ok(())
}

/// Puts back what was moved aside, and removes everything else that killed saves and removals left.
pub(super) fn sweep(root: &Path) -> Result<(), CheckpointError> {
    restore_replaced(root)?;
    for (_, path) in entries(root, leftover_of)? {
        let in_use = File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err());
        if !in_use {
            fs::remove_dir_all(&path).map_err(io_error("remove", &path))?;
        }
    }
    Ok(())
}
