use std::fs;
use std::path::{Path, PathBuf};

use super::CheckpointError;
use super::error::io_error;
use super::leftovers::sweep;
use super::name::{by_step, pruned_name_of};
use super::sync_folder::sync_folder;
use super::verify::looks_whole;

/// Removes checkpoints, oldest first, until the newest `keep_last` are left and those of the steps in `keep`; returns
/// what was removed. The newest is never removed, whatever `keep_last` says.
///
/// Only whole checkpoints count and go: a folder without its manifest, or with a file missing or of another size, is
/// left for a person to look at. A folder is renamed before its files go, so that none is ever found half removed.
///
/// # Errors
/// [`CheckpointError::Io`] where one cannot be removed; the others are untouched then.
pub fn prune(root: &Path, keep_last: usize, keep: &[u64]) -> Result<Vec<PathBuf>, CheckpointError> {
    sweep(root)?;
    let mut whole = by_step(root)?;
    whole.retain(|(_, path)| looks_whole(path));
    whole.truncate(whole.len().saturating_sub(keep_last.max(1)));
    whole.retain(|(step, _)| !keep.contains(step));
    let mut removed = Vec::new();
    for (step, path) in whole {
        let aside = root.join(pruned_name_of(step));
        fs::rename(&path, &aside).map_err(io_error("move", &path))?;
        // The rename must be on disk before the first file goes.
        sync_folder(root)?;
        fs::remove_dir_all(&aside).map_err(io_error("remove", &aside))?;
        removed.push(path);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::test_folders::{list, save};

    fn check(keep_last: usize, keep: &[u64], expected: &[&str]) {
        let root = tempfile::tempdir().expect("a folder");
        for step in [5, 10, 15, 100] {
            save(root.path(), step, "x");
        }
        prune(root.path(), keep_last, keep).expect("a removal");
        assert_eq!(list(root.path()), expected, "{keep_last} {keep:?}");
    }

    #[test]
    fn the_oldest_go_and_the_newest_never() {
        check(2, &[], &["checkpoint-100", "checkpoint-15"]);
        check(2, &[5], &["checkpoint-100", "checkpoint-15", "checkpoint-5"]);
        check(1, &[100, 7], &["checkpoint-100"]);
        check(0, &[], &["checkpoint-100"]);
        let all = ["checkpoint-10", "checkpoint-100", "checkpoint-15", "checkpoint-5"];
        check(4, &[], &all);
        check(usize::MAX, &[], &all);
    }

    #[test]
    fn damaged_ones_neither_count_nor_go() {
        let root = tempfile::tempdir().unwrap();
        let paths = [1, 2, 3, 4].map(|step| save(root.path(), step, "x"));
        fs::remove_file(paths[3].join("manifest.json")).unwrap();
        fs::write(paths[0].join("deep/adapter"), "longer").unwrap();
        let removed = prune(root.path(), 1, &[]).unwrap();
        assert_eq!(removed, [paths[1].clone()]);
        assert_eq!(list(root.path()), ["checkpoint-1", "checkpoint-3", "checkpoint-4"]);
    }
}
