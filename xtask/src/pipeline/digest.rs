use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What a file was when it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileState {
    pub(super) bytes: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: u64,
    /// BLAKE3, as `b3sum` prints it.
    pub(super) digest: String,
}

/// Files by path.
pub(super) type Files = BTreeMap<String, FileState>;

/// Digests that were taken earlier; they hold for files whose size and time are still the same.
#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) files: Vec<&'a Files>,
    /// When they were written down.
    pub(super) taken: Option<SystemTime>,
}

/// Which files of a folder count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All that a person put there, but for what it says to people.
    All,
    /// What a stage made for the next one: no logs, manifests, checkpoints, locks or figures of the run itself.
    ForTheNext,
    /// What a stage made for anybody: no logs, manifests, checkpoints or locks.
    Results,
}

/// A file written so shortly before its digest was noted may have been written again with the same time.
const TOO_CLOSE: Duration = Duration::from_secs(2);

/// The digests of a file, or of all files of a folder at any depth.
///
/// # Errors
/// What is not there or cannot be read.
pub(super) fn digest_files(path: &Path, which: Which, known: &Known) -> anyhow::Result<Files> {
    let mut files = Files::new();
    let metadata = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    add(path, &metadata, which, known, &mut files)?;
    Ok(files)
}

/// The state of one file.
fn digest_file(path: &Path, metadata: &Metadata, known: &Known) -> anyhow::Result<FileState> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (bytes, modified) = (metadata.len(), since.as_nanos() as u64);
    let name = path.to_string_lossy();
    let earlier = known.files.iter().filter_map(|files| files.get(name.as_ref()));
    let safe = known
        .taken
        .and_then(|taken| taken.checked_sub(TOO_CLOSE))
        .is_some_and(|taken| UNIX_EPOCH + since < taken);
    let same = |state: &&FileState| state.bytes == bytes && state.modified == modified;
    if let Some(state) = earlier.filter(|_| safe).find(same) {
        return Ok(state.clone());
    }
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|mut file| io::copy(&mut file, &mut hasher))
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(FileState { bytes, modified, digest: hasher.finalize().to_hex().to_string() })
}

fn add(
    path: &Path,
    metadata: &Metadata,
    which: Which,
    known: &Known,
    files: &mut Files,
) -> anyhow::Result<()> {
    if !metadata.is_dir() {
        let state = digest_file(path, metadata, known)?;
        files.insert(path.to_string_lossy().into_owned(), state);
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
    for entry in entries {
        let entry = entry?;
        if counts(&entry.file_name().to_string_lossy(), which) {
            let path = entry.path();
            let metadata =
                fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
            add(&path, &metadata, which, known, files)?;
        }
    }
    Ok(())
}

fn counts(name: &str, which: Which) -> bool {
    let of_a_run = name.starts_with('.')
        || name == "logs"
        || name == "tensorboard"
        || name.starts_with("checkpoint-")
        || name == "manifest.json"
        || name.ends_with(".manifest.json");
    match which {
        // For people alone.
        Which::All => name != "README.md",
        Which::Results => !of_a_run,
        Which::ForTheNext => !of_a_run && name != "metrics.jsonl",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::FileTimes;

    #[test]
    fn what_a_run_says_of_itself_is_no_input() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "data.arrow",
            "metrics.jsonl",
            "manifest.json",
            "all.manifest.json",
            ".A.lock",
            "logs/a.log",
            "checkpoint-10/state.json",
            "deep/er/file",
            "README.md",
        ];
        for name in names {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let read = |which| -> Vec<String> {
            let files = digest_files(dir.path(), which, &Known::default()).unwrap();
            let inside =
                |path: String| Path::new(&path).strip_prefix(dir.path()).unwrap().to_owned();
            files.into_keys().map(|path| inside(path).display().to_string()).collect()
        };
        assert_eq!(read(Which::All).len(), names.len() - 1);
        assert!(!read(Which::All).contains(&"README.md".to_owned()));
        assert_eq!(
            read(Which::Results),
            ["README.md", "data.arrow", "deep/er/file", "metrics.jsonl"]
        );
        assert_eq!(read(Which::ForTheNext), ["README.md", "data.arrow", "deep/er/file"]);
        let one = digest_files(&dir.path().join("data.arrow"), Which::All, &Known::default());
        let state = one.unwrap().into_values().next().unwrap();
        assert_eq!(state.digest, blake3::hash(b"data.arrow").to_hex().as_str());
        assert_eq!(state.bytes, 10);
        let missing = digest_files(&dir.path().join("no"), Which::All, &Known::default());
        assert!(missing.unwrap_err().to_string().contains("/no"));
    }

    #[test]
    fn a_digest_is_taken_again_where_it_may_be_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let written = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let write = |text: &str| {
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_times(FileTimes::new().set_modified(written)).unwrap();
        };
        write("one");
        let earlier = digest_files(&path, Which::All, &Known::default()).unwrap();
        // The same size, the same time: only the digest could tell.
        write("two");
        let again = |files, seconds| {
            let taken = Some(written + Duration::from_secs(seconds));
            digest_files(&path, Which::All, &Known { files, taken }).unwrap()
        };
        assert_eq!(again(vec![&earlier], 60), earlier);
        assert_ne!(again(vec![&earlier], 1), earlier);
        assert_ne!(again(vec![], 60), earlier);
        write("three");
        assert_ne!(again(vec![&earlier], 60), earlier);
    }
}
