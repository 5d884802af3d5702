use std::fs::File;
use std::path::Path;

use super::CheckpointError;
use super::error::io_error;

/// Brings the names in a folder to disk; without effect where folders cannot be synced.
pub(super) fn sync_folder(folder: &Path) -> Result<(), CheckpointError> {
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let handle = File::open(folder).map_err(io_error("open", folder))?;
        handle.sync_all().map_err(io_error("sync", folder))?;
    }
    Ok(())
}
