use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::StageName;
use super::digest::{FileState, Files, Known};

/// All that decides what a stage writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cause {
    /// The command, with the program's name in place of its path.
    pub(super) command: String,
    pub(super) program: FileState,
    /// Names of variables, and digests of their values.
    pub(super) environment: BTreeMap<String, String>,
    /// Settings file among them.
    pub(super) inputs: Files,
}

/// How far a stage came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Begun,
    Finished,
}

/// What is noted about a stage, in `pipeline/STAGE.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    pub(super) stage: StageName,
    pub(super) state: State,
    pub(super) cause: Cause,
    /// What it wrote.
    pub(super) outputs: Files,
    /// How long the last start of it took.
    pub(super) seconds: f64,
}

/// A stamp as it was found, and when it was written.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) stamp: Stamp,
    written: SystemTime,
}

impl Found {
    /// Reads a stamp; one that is damaged, or of another version, is none.
    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let written = fs::metadata(path)?.modified()?;
        Ok(serde_json::from_str(&text).ok().map(|stamp| Self { stamp, written }))
    }

    /// Digests that need not be taken again.
    pub(super) fn known(&self) -> Known<'_> {
        let files = vec![&self.stamp.cause.inputs, &self.stamp.outputs];
        Known { files, taken: Some(self.written) }
    }
}

impl Stamp {
    /// Writes it whole, or not at all.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        write_whole(path, &text)
    }
}

/// Writes a file beside its place, and moves it there when all of it is on disk.
pub(super) fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The name is on disk when its folder is.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

impl Cause {
    /// What is different from `earlier`, in words; `None` where nothing is.
    pub(super) fn change_since(&self, earlier: &Self) -> Option<String> {
        if self.command != earlier.command {
            return Some("its command is another one".to_owned());
        }
        if self.program.digest != earlier.program.digest {
            return Some("the program was built anew".to_owned());
        }
        if let Some(name) = difference(&earlier.environment, &self.environment, |a, b| a == b) {
            return Some(format!("the environment's {name}"));
        }
        difference(&earlier.inputs, &self.inputs, same)
    }
}

/// How files differ from what they were, in words.
pub(super) fn change_of_files(earlier: &Files, now: &Files) -> Option<String> {
    difference(earlier, now, same)
}

fn same(earlier: &FileState, now: &FileState) -> bool {
    earlier.digest == now.digest
}

fn difference<T>(
    earlier: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
    same: impl Fn(&T, &T) -> bool,
) -> Option<String> {
    let gone_or_changed = earlier.iter().find_map(|(name, value)| match now.get(name) {
        None => Some(format!("{name} is gone")),
        Some(now) => (!same(value, now)).then(|| format!("{name} has changed")),
    });
    let new = || now.keys().find(|name| !earlier.contains_key(*name));
    gone_or_changed.or_else(|| new().map(|name| format!("{name} is new")))
}
