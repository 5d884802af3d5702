use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::LogError;
use crate::error::io_error;

/// A file with one JSON object a line, `step` first.
///
/// Numbers have the fewest digits that give the same f64 again. JSON has no NaN and no infinity:
/// both are `null`.
#[derive(Debug)]
pub struct JsonLines {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    len: u64,
}

impl JsonLines {
    /// Begins a file, making its folder where there is none.
    ///
    /// # Errors
    /// [`LogError::Io`], also where there is such a file: an earlier run's rows are not thrown away.
    pub fn create(path: &Path) -> Result<Self, LogError> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path)
            .map_err(io_error("create", path))?;
        Ok(Self { path: path.to_owned(), file, len: 0 })
    }

    /// Goes on with the file of an earlier run that was saved after `last_step`, or begins one where
    /// there is none.
    ///
    /// Rows of later steps go: the resumed run writes them again. So does a torn last line of a
    /// killed run. What stays is written beside the file and renamed, so that a second kill at any
    /// moment loses nothing.
    ///
    /// # Errors
    /// [`LogError::Io`]; [`LogError::Damaged`] where a line before the last one is no object with a
    /// `step`.
    pub fn resume(path: &Path, last_step: u64) -> Result<Self, LogError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::create(path),
            Err(error) => return Err(io_error("read", path)(error)),
        };
        let kept = kept_lines(path, &text, last_step)?;
        if kept != text {
            replace(path, &kept)?;
        }
        let file = OpenOptions::new().append(true).open(path).map_err(io_error("open", path))?;
        Ok(Self { path: path.to_owned(), file, len: kept.len() as u64 })
    }

    /// Writes one row, which must have a `step` if the file is to be resumed.
    ///
    /// When this returns, the operating system has it. A row that did not go in whole, say on a
    /// full disk, is taken out again.
    ///
    /// # Errors
    /// [`LogError::Row`] and [`LogError::Io`].
    pub fn append(&mut self, row: &impl Serialize) -> Result<(), LogError> {
        let mut line = serde_json::to_vec(row)
            .map_err(|source| LogError::Row { path: self.path.clone(), source })?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // If this fails, too, `resume` cuts the torn line.
            let _ = self.file.set_len(self.len);
            return Err(io_error("write", &self.path)(error));
        }
        self.len += line.len() as u64;
        Ok(())
    }

    /// Brings the rows to disk.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn sync(&mut self) -> Result<(), LogError> {
        self.file.sync_all().map_err(io_error("sync", &self.path))
    }
}

fn kept_lines(path: &Path, text: &[u8], last_step: u64) -> Result<Vec<u8>, LogError> {
    let mut kept = Vec::with_capacity(text.len());
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    for (i, line) in lines.iter().enumerate() {
        match step_of(line) {
            Ok(step) if step <= last_step => kept.extend_from_slice(line),
            Ok(_) => {}
            Err(_) if i + 1 == lines.len() => {}
            Err(reason) => {
                return Err(LogError::Damaged { path: path.to_owned(), line: i + 1, reason });
            }
        }
    }
    Ok(kept)
}

fn step_of(line: &[u8]) -> Result<u64, String> {
    if !line.ends_with(b"\n") {
        return Err("torn".to_owned());
    }
    let row: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    row.get("step").and_then(Value::as_u64).ok_or_else(|| "no `step`".to_owned())
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let folder = folder_of(path);
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // What a plain `File::create` would ask for; the process's umask takes its share.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file: NamedTempFile = builder
        .prefix(".partial-")
        .tempfile_in(folder)
        .map_err(io_error("create a file in", folder))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.as_file().sync_all().map_err(io_error("write", path))?;
    file.persist(path).map_err(|error| io_error("replace", path)(error.error))?;
    if cfg!(unix) {
        let folder_handle = File::open(folder).map_err(io_error("open", folder))?;
        folder_handle.sync_all().map_err(io_error("sync", folder))?;
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::{ExperimentLog, TensorBoard};

    #[test]
    fn a_full_disk_keeps_the_other_sinks_going() {
        let folder = tempfile::tempdir().unwrap();
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let full = JsonLines { path, file, len: 0 };
        let good = folder.path().join("metrics.jsonl");
        let events = TensorBoard::create(folder.path(), std::time::SystemTime::UNIX_EPOCH).unwrap();
        let events_path = events.path().to_owned();
        let before = fs::metadata(&events_path).unwrap().len();
        let mut log = ExperimentLog::new(vec![
            full.into(),
            JsonLines::create(&good).unwrap().into(),
            events.into(),
        ]);
        let error = log.log(1, &[("loss", 1.0)]).unwrap_err();
        assert_eq!(error.to_string(), "cannot write /dev/full");
        assert!(!error.is_remote());
        assert_eq!(fs::read_to_string(good).unwrap(), "{\"step\":1,\"loss\":1.0}\n");
        assert!(fs::metadata(events_path).unwrap().len() > before);
    }
}
