use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::atomic::{folder_of, sync_folder};
use crate::error::io_error;
use crate::{FileEntry, Manifest, ManifestError, Run, digest_file, read_manifest, write_atomic};

const MANIFEST: &str = "manifest.json";
const LOCK: &str = ".lock";
const LOGS: &str = "logs";

/// A run folder in the making: it lies beside its final name until it is complete.
///
/// Dropping it without [`StagedDir::commit`] removes it. What a killed run left behind is removed
/// by the next one for the same folder.
#[derive(Debug)]
pub struct StagedDir {
    staged: PathBuf,
    destination: PathBuf,
    /// Held while the run lives, so that no other run takes this folder for a dead one's.
    _lock: File,
}

impl StagedDir {
    /// Begins the folder of `run` at `destination`.
    ///
    /// A folder that stands there must be empty or an earlier output of the same stage, unless
    /// `overwrite` is set; it stays as it is until the commit.
    ///
    /// # Errors
    /// [`ManifestError::Occupied`] where something else stands there, [`ManifestError::Io`] where
    /// the folder cannot be made.
    pub fn create(destination: &Path, run: &Run, overwrite: bool) -> Result<Self, ManifestError> {
        if !overwrite && !may_replace(destination, run.stage())? {
            let stage = run.stage().to_owned();
            return Err(ManifestError::Occupied { path: destination.to_owned(), stage });
        }
        let parent = folder_of(destination);
        fs::create_dir_all(parent).map_err(io_error("create", parent))?;
        remove_leftovers(destination)?;
        let mut name = partial_prefix(destination);
        name.push(run.id());
        let staged = parent.join(name);
        fs::create_dir(&staged).map_err(io_error("create", &staged))?;
        let lock_path = staged.join(LOCK);
        let lock = File::create(&lock_path).map_err(io_error("create", &lock_path))?;
        lock.lock().map_err(io_error("lock", &lock_path))?;
        Ok(Self { staged, destination: destination.to_owned(), _lock: lock })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        &self.staged
    }

    /// Brings every file to disk, writes the manifest last, and moves the folder to its name.
    ///
    /// # Errors
    /// [`ManifestError::Io`] where that fails; an earlier folder is then untouched.
    pub fn commit(self, run: Run) -> Result<Manifest, ManifestError> {
        let lock = self.staged.join(LOCK);
        fs::remove_file(&lock).map_err(io_error("remove", &lock))?;
        let manifest = run.finish(sync_and_digest(&self.staged)?);
        write_atomic(&self.staged.join(MANIFEST), manifest.to_json()?.as_bytes())?;
        let mut old = self.staged.clone().into_os_string();
        old.push("-replaced");
        let old = PathBuf::from(old);
        let replaces = self.destination.exists();
        if replaces {
            fs::rename(&self.destination, &old).map_err(io_error("move", &self.destination))?;
        }
        if let Err(source) = fs::rename(&self.staged, &self.destination) {
            if replaces {
                fs::rename(&old, &self.destination)
                    .map_err(io_error("restore", &self.destination))?;
            }
            return Err(io_error("move a folder to", &self.destination)(source));
        }
        sync_folder(folder_of(&self.destination))?;
        if replaces {
            fs::remove_dir_all(&old).map_err(io_error("remove", &old))?;
        }
        Ok(manifest)
    }
}

impl Drop for StagedDir {
    fn drop(&mut self) {
        // After a commit there is nothing left here; after a failure, what stays is swept later.
        let _ = fs::remove_dir_all(&self.staged);
    }
}

fn may_replace(destination: &Path, stage: &str) -> Result<bool, ManifestError> {
    if !destination.exists() {
        return Ok(true);
    }
    if !destination.is_dir() {
        return Ok(false);
    }
    let mut entries = fs::read_dir(destination).map_err(io_error("read", destination))?;
    let same_stage = read_manifest(&destination.join(MANIFEST)).is_ok_and(|m| m.stage == stage);
    Ok(entries.next().is_none() || same_stage)
}

fn partial_prefix(destination: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(destination.file_name().unwrap_or_default());
    prefix.push(".partial-");
    prefix
}

/// Removes the folders of runs that were killed: nobody holds their lock any more.
fn remove_leftovers(destination: &Path) -> Result<(), ManifestError> {
    let parent = folder_of(destination);
    let prefix = partial_prefix(destination);
    for entry in fs::read_dir(parent).map_err(io_error("read", parent))?.flatten() {
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(prefix.as_encoded_bytes()) {
            continue;
        }
        let dead = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if dead {
            fs::remove_dir_all(entry.path()).map_err(io_error("remove", entry.path()))?;
        }
    }
    Ok(())
}

/// Brings every file and folder under `root` to disk and lists the files but for the logs, which
/// are still being written, in the order of their paths.
fn sync_and_digest(root: &Path) -> Result<Vec<FileEntry>, ManifestError> {
    let mut entries = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name() {
        let entry = entry.map_err(|e| io_error("read", root)(e.into()))?;
        let path = entry.path();
        if entry.file_type().is_dir() {
            sync_folder(path)?;
            continue;
        }
        let relative = path.strip_prefix(root).unwrap_or(path);
        let file = File::open(path).map_err(io_error("open", path))?;
        file.sync_all().map_err(io_error("sync", path))?;
        if !relative.starts_with(LOGS) {
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            entries.push(digest_file(path, &parts.join("/"))?);
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stage: &str) -> Run {
        Run::begin(stage, "0", &serde_json::Value::Null).unwrap()
    }

    fn write(dest: &Path, stage: &str, text: &str) -> Result<Manifest, ManifestError> {
        let run = run(stage);
        let dir = StagedDir::create(dest, &run, false)?;
        fs::create_dir_all(dir.path().join("train")).unwrap();
        fs::write(dir.path().join("train/data"), text).unwrap();
        dir.commit(run)
    }

    #[test]
    fn a_commit_replaces_the_same_stage_and_lists_every_file() {
        let root = tempfile::tempdir().unwrap();
        let dest = root.path().join("out");
        write(&dest, "split", "one").unwrap();
        let manifest = write(&dest, "split", "two").unwrap();
        assert_eq!(fs::read_to_string(dest.join("train/data")).unwrap(), "two");
        assert_eq!(read_manifest(&dest.join(MANIFEST)).unwrap(), manifest);
        let paths: Vec<_> = manifest.outputs.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["train/data"]);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no litter beside it");
    }

    #[test]
    fn somebody_elses_folder_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let dest = root.path().join("out");
        fs::create_dir(&dest).unwrap();
        fs::write(dest.join("thesis.doc"), "years of work").unwrap();
        assert!(matches!(write(&dest, "split", "x"), Err(ManifestError::Occupied { .. })));
        fs::remove_file(dest.join("thesis.doc")).unwrap();
        write(&dest, "split", "x").unwrap();
        assert!(matches!(write(&dest, "tokenize", "y"), Err(ManifestError::Occupied { .. })));
        let forced = StagedDir::create(&dest, &run("tokenize"), true).unwrap();
        drop(forced);
        assert_eq!(fs::read_to_string(dest.join("train/data")).unwrap(), "x");
    }

    #[test]
    fn leftovers_of_the_dead_go_and_those_of_the_living_stay() {
        let root = tempfile::tempdir().unwrap();
        let dest = root.path().join("out");
        let dead = root.path().join(".out.partial-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        let living_run = run("split-a");
        let living = StagedDir::create(&dest, &living_run, false).unwrap();
        assert!(!dead.exists());
        write(&dest, "split-b", "x").unwrap();
        assert!(living.path().exists());
    }
}
