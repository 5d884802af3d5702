//! A file that appears under its name only when all of it is on disk.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::CheckpointError;
use crate::error::io_error;

/// Large enough that tensors of small values are not written in small pieces.
const BUFFER: usize = 1 << 20;

/// Makes the folder where there is none, lets `fill` write beside the final name, brings the bytes to disk, and renames.
/// Whatever fails, an earlier file stays as it was.
pub(crate) fn write_atomic(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<NamedTempFile>) -> Result<(), CheckpointError>,
) -> Result<(), CheckpointError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(io_error("create", folder))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // What a plain `File::create` would ask for; the process's umask takes its share.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.prefix(".partial-").tempfile_in(folder);
    let file = file.map_err(io_error("create a file in", folder))?;
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    fill(&mut writer)?;
    writer.flush().map_err(io_error("write", path))?;
    let file = writer.into_inner().map_err(|e| io_error("write", path)(e.into_error()))?;
    file.as_file().sync_all().map_err(io_error("write", path))?;
    file.persist(path).map_err(|e| io_error("replace", path)(e.error))?;
    if cfg!(unix) {
        let handle = File::open(folder).map_err(io_error("open", folder))?;
        handle.sync_all().map_err(io_error("sync", folder))?;
    }
    Ok(())
}
