mod event;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::LogError;
use crate::error::io_error;
use event::{Event, What};

/// An event file that TensorBoard reads while it grows.
///
/// Scalars are f32 there, as everywhere in TensorBoard; NaN and infinity stay what they are.
#[derive(Debug)]
pub struct TensorBoard {
    path: PathBuf,
    file: File,
    /// Bytes of whole records.
    len: u64,
}

impl TensorBoard {
    /// Begins an event file in a folder, making the folder where there is none.
    ///
    /// Its name is `events.out.tfevents.TIME.HOST.PID.N`, with `N` the first number that is free.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn create(folder: &Path, now: SystemTime) -> Result<Self, LogError> {
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let name = format!(
            "events.out.tfevents.{:010}.{}.{}",
            unix_seconds(now) as u64,
            host_name(),
            std::process::id()
        );
        let mut number = 0;
        let (path, file) = loop {
            let path = folder.join(format!("{name}.{number}"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(io_error("create", &path)(error)),
            }
        };
        let mut new = Self { path, file, len: 0 };
        new.write(now, 0, What::FileVersion)?;
        Ok(new)
    }

    /// Begins the event file of a run that goes on after `last_step`; TensorBoard then forgets what
    /// earlier files in the folder say of later steps.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn resume(folder: &Path, last_step: u64, now: SystemTime) -> Result<Self, LogError> {
        let mut new = Self::create(folder, now)?;
        new.write(now, last_step.saturating_add(1), What::SessionStart)?;
        Ok(new)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the scalars of a step as one event.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn log(
        &mut self,
        now: SystemTime,
        step: u64,
        scalars: &[(&str, f64)],
    ) -> Result<(), LogError> {
        self.write(now, step, What::Scalars(scalars))
    }

    /// Writes a text, which TensorBoard shows as Markdown.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn log_text(
        &mut self,
        now: SystemTime,
        step: u64,
        tag: &str,
        text: &str,
    ) -> Result<(), LogError> {
        self.write(now, step, What::Text { tag, text })
    }

    /// Writes settings as the text `hyperparameters`, a table.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn log_hyperparameters(
        &mut self,
        now: SystemTime,
        values: &[(&str, &str)],
    ) -> Result<(), LogError> {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let rows = values
            .iter()
            .map(|(name, value)| format!("\n| {} | {} |", cell(name), cell(value)))
            .collect::<String>();
        self.log_text(now, 0, "hyperparameters", &format!("| name | value |\n|---|---|{rows}"))
    }

    /// Brings the events to disk.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.file.sync_all().map_err(io_error("sync", &self.path))
    }

    fn write(&mut self, now: SystemTime, step: u64, what: What<'_>) -> Result<(), LogError> {
        let event = Event { wall_time: unix_seconds(now), step, what };
        let record = record::record(&event.encode());
        if let Err(error) = self.file.write_all(&record) {
            // Readers stop at a torn record; without it they see what comes after.
            let _ = self.file.set_len(self.len);
            return Err(io_error("write", &self.path)(error));
        }
        self.len += record.len() as u64;
        Ok(())
    }
}

fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let name: String = name.trim().chars().filter(plain).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
