use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::io_error;
use crate::{FileEntry, ManifestError};

/// A file that appears under its name only when it is complete and on disk.
///
/// It is written beside its final name; dropping it without [`AtomicFile::commit`] leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    writer: BufWriter<DigestedFile>,
}

/// A file whose digest is taken on the way, so that it need not be read again.
#[derive(Debug)]
struct DigestedFile {
    file: NamedTempFile,
    hasher: blake3::Hasher,
}

impl Write for DigestedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl AtomicFile {
    /// Begins a file at `path`, making its folder where there is none.
    ///
    /// # Errors
    /// [`ManifestError::Io`] where the folder or file cannot be made.
    pub fn create(path: &Path) -> Result<Self, ManifestError> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // What a plain `File::create` would ask for; the process's umask takes its share.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .prefix(".partial-")
            .tempfile_in(folder)
            .map_err(io_error("create a file in", folder))?;
        let file = DigestedFile { file, hasher: blake3::Hasher::new() };
        Ok(Self { path: path.to_owned(), writer: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Brings the bytes to disk and the file to its name, replacing what was there; the entry
    /// that a manifest lists it with, under its bare name.
    ///
    /// # Errors
    /// [`ManifestError::Io`] where writing or renaming fails; the earlier file is then untouched.
    pub fn commit(self) -> Result<FileEntry, ManifestError> {
        let Self { path, writer } = self;
        let DigestedFile { file, hasher } =
            writer.into_inner().map_err(|e| io_error("write", &path)(e.into_error()))?;
        file.as_file().sync_all().map_err(io_error("write", &path))?;
        file.persist(&path).map_err(|e| io_error("replace", &path)(e.error))?;
        sync_folder(folder_of(&path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(FileEntry::of(&name, &hasher))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes `bytes` to `path` atomically.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<FileEntry, ManifestError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.commit()
}

/// The folder that `path` lies in; `.` for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// Makes renames inside of `folder` durable; without effect where folders cannot be synced.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), ManifestError> {
    if cfg!(unix) {
        let handle = File::open(folder).map_err(io_error("open", folder))?;
        handle.sync_all().map_err(io_error("sync", folder))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_appears_before_the_commit_and_all_after() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/out.txt");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_dropped_file_leaves_the_earlier_one_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.txt");
        write_atomic(&path, b"old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
