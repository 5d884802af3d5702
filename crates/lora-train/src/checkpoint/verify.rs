use std::io;
use std::path::{Component, Path, PathBuf};

use run_manifest::{FileEntry, Manifest, ManifestError, digest_file, read_manifest};

use super::name::step_of;
use super::state::STATE;
use super::{CheckpointError, TrainingState};

const MANIFEST: &str = "manifest.json";

/// Holds a checkpoint against its manifest, every digest of it, and returns the state that it holds.
///
/// # Errors
/// [`CheckpointError`] names the first fault: no manifest, a file that is missing or not as it was written, a state that
/// cannot be read, or one of another step than the folder's name says.
pub fn verify(path: &Path) -> Result<TrainingState, CheckpointError> {
    verify_files(path)?;
    let state = TrainingState::read(path)?;
    let named = path.file_name().and_then(|name| name.to_str()).and_then(step_of);
    match named {
        Some(step) if step != state.step => {
            Err(CheckpointError::OtherStep { path: path.to_owned(), step: state.step })
        }
        _ => Ok(state),
    }
}

/// That every file of the manifest is there as it was written.
pub(super) fn verify_files(path: &Path) -> Result<(), CheckpointError> {
    for (file, listed) in listed_files(path)? {
        let unreadable = |source| CheckpointError::Unreadable { path: file.clone(), source };
        let found = digest_file(&file, &listed.path).map_err(unreadable)?;
        if found != listed {
            return Err(CheckpointError::Altered {
                path: file,
                bytes: found.bytes,
                digest: found.digest,
                listed_bytes: listed.bytes,
                listed_digest: listed.digest,
            });
        }
    }
    Ok(())
}

/// Whether every file of the manifest is there in its size: what a removal goes by, which must not read everything.
pub(super) fn looks_whole(path: &Path) -> bool {
    let size = |file: &Path| file.metadata().ok().filter(|about| about.is_file()).map(|a| a.len());
    listed_files(path).is_ok_and(|files| files.iter().all(|(f, e)| size(f) == Some(e.bytes)))
}

/// The files that the manifest lists, and how.
fn listed_files(path: &Path) -> Result<Vec<(PathBuf, FileEntry)>, CheckpointError> {
    let manifest = manifest(path)?;
    if !manifest.outputs.iter().any(|entry| entry.path == STATE) {
        return Err(CheckpointError::NoState { path: path.to_owned() });
    }
    let file = |entry: FileEntry| {
        let relative = Path::new(&entry.path);
        let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
        match inside && !entry.path.is_empty() {
            true => Ok((path.join(relative), entry)),
            false => Err(CheckpointError::Outside { path: path.to_owned(), listed: entry.path }),
        }
    };
    manifest.outputs.into_iter().map(file).collect()
}

fn manifest(path: &Path) -> Result<Manifest, CheckpointError> {
    read_manifest(&path.join(MANIFEST)).map_err(|source| match source {
        ManifestError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            CheckpointError::Unfinished { path: path.to_owned() }
        }
        source => CheckpointError::Manifest { path: path.to_owned(), source },
    })
}
