use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::StageName;
use crate::process::say;

/// The folder of a run: one folder for each stage, the stamps, and the page of it all.
#[derive(Debug, Clone)]
pub(super) struct RunFolder {
    pub(super) path: PathBuf,
}

/// Holds a run's folder, so that two pipelines do not work in it at once.
///
/// Every stage inherits the lock, as its standard input: a stage that outlives a killed pipeline holds it, too.
#[derive(Debug)]
pub(super) struct Lock(File);

impl RunFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// A file or folder in it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder, directly in the run's, that `output` is or lies in.
    pub(super) fn folder_of(&self, output: &Path) -> PathBuf {
        let inside = output.strip_prefix(&self.path).ok().and_then(|inside| inside.iter().next());
        inside.map_or_else(|| output.to_owned(), |first| self.path.join(first))
    }

    /// Where a stage's stamp is.
    pub(super) fn stamp(&self, stage: StageName) -> PathBuf {
        self.path.join(STAMPS).join(format!("{}.json", stage.as_str()))
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// A folder that holds something else.
    pub(super) fn create(&self) -> anyhow::Result<()> {
        let stamps = self.path.join(STAMPS);
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        // What a killed pipeline leaves at its very beginning is the folder of stamps, without a lock.
        let holds_something = entries.map(|entry| entry.file_name()).any(|name| name != STAMPS);
        if holds_something && !stamps.join(LOCK).is_file() {
            bail!(
                "{} holds something that is no run of the pipeline, which replaces what it finds; --out names \
                 another folder",
                self.path.display()
            );
        }
        fs::create_dir_all(&stamps).with_context(|| format!("cannot create {}", stamps.display()))
    }

    /// Takes the folder for this process; waits where another one has it.
    pub(super) fn lock(&self) -> anyhow::Result<Lock> {
        let path = self.path.join(STAMPS).join(LOCK);
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                file.read_to_string(&mut who)?;
                let who = who.trim();
                say(format!(
                    "{} is in use by {who}: waiting until that ends (Ctrl-C gives up)",
                    self.path.display()
                ));
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let mut lock = Lock(file);
        lock.is_held_by_us()?;
        Ok(lock)
    }
}

const STAMPS: &str = "pipeline";
const LOCK: &str = "lock";

impl Lock {
    /// Notes that no stage works in the folder.
    pub(super) fn is_held_by_us(&mut self) -> anyhow::Result<()> {
        self.is_held_by("a pipeline", std::process::id())
    }

    /// Notes who works in the folder, for those who wait.
    pub(super) fn is_held_by(&mut self, who: &str, process: u32) -> anyhow::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        writeln!(self.0, "{who}, process {process}")?;
        Ok(())
    }

    /// The lock, for a process to inherit.
    pub(super) fn handle(&self) -> anyhow::Result<File> {
        Ok(self.0.try_clone()?)
    }
}
