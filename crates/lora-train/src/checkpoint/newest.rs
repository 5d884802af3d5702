use std::path::{Path, PathBuf};

use super::leftovers::restore_replaced;
use super::name::by_step;
use super::{CheckpointError, TrainingState, verify};

/// What a search for the newest checkpoint finds.
#[derive(Debug)]
pub struct Newest {
    /// The newest that is whole.
    pub found: Option<Found>,
    /// Newer ones that were passed over, newest first, with the fault of each: worth a warning.
    pub skipped: Vec<(PathBuf, CheckpointError)>,
}

/// A checkpoint that is whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The folder.
    pub path: PathBuf,
    /// What it holds, the step among it.
    pub state: TrainingState,
}

/// The checkpoint of the highest step in `root` that [`verify`]s; none where there is no such folder.
///
/// What killed saves left is never taken. Only a finished checkpoint that a killed save of the same step had moved aside
/// is put back to its name first.
///
/// # Errors
/// [`CheckpointError::Io`] where the folder cannot be listed.
pub fn newest(root: &Path) -> Result<Newest, CheckpointError> {
    restore_replaced(root)?;
    let mut skipped = Vec::new();
    for (_, path) in by_step(root)?.into_iter().rev() {
        match verify(&path) {
            Ok(state) => return Ok(Newest { found: Some(Found { path, state }), skipped }),
            Err(reason) => skipped.push((path, reason)),
        }
    }
    Ok(Newest { found: None, skipped })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::checkpoint::test_folders::save;

    #[test]
    fn steps_are_numbers_and_not_texts() {
        let root = tempfile::tempdir().unwrap();
        for step in [9, 100, 20] {
            save(root.path(), step, "x");
        }
        let newest = newest(root.path()).unwrap();
        assert_eq!(newest.found.unwrap().state.step, 100);
        assert!(newest.skipped.is_empty());
    }

    #[test]
    fn no_folder_and_an_empty_one_have_none() {
        let root = tempfile::tempdir().unwrap();
        assert!(newest(root.path()).unwrap().found.is_none());
        assert!(newest(&root.path().join("none")).unwrap().found.is_none());
    }

    /// Damages the newest of two and says what is said about it.
    fn check(damage: impl FnOnce(&Path), expected: &str) {
        let root = tempfile::tempdir().expect("a folder");
        let old = save(root.path(), 1, "one");
        let damaged = save(root.path(), 2, "two");
        damage(&damaged);
        let Newest { found, skipped } = newest(root.path()).expect("a list");
        assert_eq!(found.map(|found| found.path), Some(old), "{expected}");
        let [(path, reason)] = skipped.as_slice() else { panic!("{skipped:?}") };
        assert_eq!(*path, damaged);
        assert!(reason.to_string().contains(expected), "{reason} has no {expected}");
    }

    fn edit(file: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(file).expect("text");
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).expect("a file");
    }

    #[test]
    fn damaged_ones_are_passed_over_with_the_reason() {
        let adapter = |path: &Path| path.join("deep/adapter");
        let manifest = |path: &Path| path.join("manifest.json");
        check(|path| fs::remove_file(manifest(path)).unwrap(), "has no manifest.json");
        check(|path| fs::write(manifest(path), "{\"stage\"").unwrap(), "manifest of");
        check(|path| fs::remove_file(adapter(path)).unwrap(), "deep/adapter is listed");
        check(|path| fs::write(adapter(path), "tw").unwrap(), "2 bytes");
        check(|path| fs::write(adapter(path), "twO").unwrap(), "not as it was written");
        check(|path| fs::write(path.join("state.json"), "{}").unwrap(), "state.json is not as");
        check(|path| edit(&manifest(path), "\"state.json", "\"x.json"), "does not list state.json");
        check(|path| edit(&manifest(path), "deep/adapter", "../checkpoint-1/x"), "no file inside");
        check(|path| edit(&manifest(path), "deep/adapter", "/etc/hostname"), "no file inside");
        check(
            |path| {
                fs::remove_dir_all(path).unwrap();
                fs::write(path, "a file").unwrap();
            },
            "manifest of",
        );
        check(
            |path| {
                fs::remove_dir_all(path).unwrap();
                let other = save(path.parent().unwrap(), 3, "three");
                fs::rename(other, path).unwrap();
            },
            "holds step 3",
        );
    }
}
