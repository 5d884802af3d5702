//! Checkpoints for tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use run_manifest::Run;

use super::{TrainingState, write};

pub(super) fn run(stage: &str) -> Run {
    Run::begin(stage, "0", &serde_json::Value::Null).expect("a run")
}

pub(super) fn state(step: u64) -> TrainingState {
    TrainingState { step, world_size: 1, ..TrainingState::default() }
}

/// A checkpoint with one file, `deep/adapter`.
pub(super) fn save(root: &Path, step: u64, text: &str) -> PathBuf {
    let content = |folder: &Path| {
        fs::create_dir(folder.join("deep"))?;
        fs::write(folder.join("deep/adapter"), text)
    };
    write(root, run("train"), &state(step), content).expect("a checkpoint")
}

/// The names in a folder, hidden ones too.
pub(super) fn list(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|e| name(e).to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
