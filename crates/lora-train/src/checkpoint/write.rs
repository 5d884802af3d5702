use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use run_manifest::{Run, StagedDir};

use super::error::io_error;
use super::leftovers::sweep;
use super::name::name_of;
use super::sync_folder::sync_folder;
use super::verify::verify_files;
use super::{CheckpointError, TrainingState};

/// Writes `root/checkpoint-STEP`, STEP being that of the state, and returns it.
///
/// `content` writes its files into the folder that it is given; `state.json` and the manifest are written here. The
/// folder gets its name when all of it is on disk. One of the same step that is there already is replaced, provided that
/// the same stage wrote it; whatever fails, it stays as it is. What stands in the way and is no whole checkpoint is moved
/// to `checkpoint-STEP.damaged-1`, with a warning: it must not end a run that has passed over it. What killed saves left
/// in `root` is swept first.
///
/// # Errors
/// [`CheckpointError::Content`] where `content` fails, [`CheckpointError::Write`] and [`CheckpointError::Io`] where the
/// disk is full, the folder read-only, or the name taken by something else.
pub fn write<E: Into<Box<dyn Error + Send + Sync>>>(
    root: &Path,
    run: Run,
    state: &TrainingState,
    content: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<PathBuf, CheckpointError> {
    make_folder(root)?;
    if let Err(error) = sweep(root) {
        tracing::warn!("what killed saves left in {} stays there: {error}", root.display());
    }
    let path = root.join(name_of(state.step));
    set_damaged_aside(&path)?;
    let failed = |source| CheckpointError::Write { path: path.clone(), source };
    let staged = StagedDir::create(&path, &run, false).map_err(failed)?;
    content(staged.path())
        .map_err(|error| CheckpointError::Content { path: path.clone(), source: error.into() })?;
    state.write(staged.path())?;
    staged.commit(run).map_err(failed)?;
    Ok(path)
}

/// Makes the folder where there is none, and its name lasting.
fn make_folder(root: &Path) -> Result<(), CheckpointError> {
    if root.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(root).map_err(io_error("create", root))?;
    root.parent().map_or(Ok(()), sync_folder)
}

/// Moves what is no whole checkpoint out of the way; nothing is removed.
fn set_damaged_aside(path: &Path) -> Result<(), CheckpointError> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let Err(fault) = verify_files(path) else { return Ok(()) };
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        PathBuf::from(name)
    };
    let Some(aside) = (1..).map(name).find(|aside| aside.symlink_metadata().is_err()) else {
        return Ok(());
    };
    fs::rename(path, &aside).map_err(io_error("move", path))?;
    tracing::warn!("{fault}; it is {} now", aside.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::checkpoint::test_folders::{list, run, save, state};
    use crate::checkpoint::{newest, verify};

    #[test]
    fn a_checkpoint_has_what_was_written_and_the_state() {
        let root = tempfile::tempdir().unwrap();
        let path = save(root.path(), 7, "seven");
        assert_eq!(path, root.path().join("checkpoint-7"));
        assert_eq!(fs::read_to_string(path.join("deep/adapter")).unwrap(), "seven");
        assert_eq!(verify(&path).unwrap(), state(7));
        assert_eq!(list(&path), ["deep", "manifest.json", "state.json"]);
        assert_eq!(list(root.path()), ["checkpoint-7"]);
    }

    #[test]
    fn a_save_that_fails_midway_leaves_the_old_one_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        save(root.path(), 7, "old");
        for step in [7, 8] {
            let error = write(root.path(), run("train"), &state(step), |folder| {
                fs::write(folder.join("adapter"), "half")?;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            });
            let error = error.unwrap_err();
            assert!(error.to_string().contains(&format!("checkpoint-{step}")), "{error}");
            assert_eq!(error.source().unwrap().to_string(), "no storage space");
            assert_eq!(list(root.path()), ["checkpoint-7"]);
        }
        let old = newest(root.path()).unwrap().found.unwrap();
        assert_eq!(fs::read_to_string(old.path.join("deep/adapter")).unwrap(), "old");
    }

    #[test]
    fn a_place_where_nothing_can_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let root = file.join("run");
        let error = write(&root, run("train"), &state(1), |_| io::Result::Ok(())).unwrap_err();
        assert!(error.to_string().contains(root.to_str().unwrap()), "{error}");
    }

    #[test]
    fn what_stands_in_the_way_is_kept_under_another_name() {
        let root = tempfile::tempdir().unwrap();
        let theirs = root.path().join("checkpoint-3");
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("trainer_state.json"), "{}").unwrap();
        let ours = save(root.path(), 3, "first");
        assert_eq!(list(&root.path().join("checkpoint-3.damaged-1")), ["trainer_state.json"]);
        fs::write(ours.join("deep/adapter"), "FIRST").unwrap();
        save(root.path(), 3, "second");
        fs::remove_file(ours.join("manifest.json")).unwrap();
        save(root.path(), 3, "third");
        let text = |name: &str| fs::read_to_string(root.path().join(name).join("deep/adapter"));
        assert_eq!(text("checkpoint-3").unwrap(), "third");
        assert_eq!(text("checkpoint-3.damaged-2").unwrap(), "FIRST");
        assert_eq!(text("checkpoint-3.damaged-3").unwrap(), "second");
        assert_eq!(list(root.path()).len(), 4);
        assert_eq!(newest(root.path()).unwrap().found.unwrap().path, ours);
    }

    #[test]
    fn a_checkpoint_of_another_stage_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let theirs = save(root.path(), 3, "theirs");
        let error =
            write(root.path(), run("other"), &state(3), |_| io::Result::Ok(())).unwrap_err();
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("was not written by stage `other`"), "{cause}");
        assert_eq!(fs::read_to_string(theirs.join("deep/adapter")).unwrap(), "theirs");
        assert_eq!(list(root.path()), ["checkpoint-3"]);
    }
}
