use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ManifestError;
use crate::error::io_error;

/// A file as a manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// The path: an input as it was given, an output relative to its run folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// `blake3:` and 64 hex digits, as `b3sum` prints them.
    pub digest: String,
}

/// The digest of `bytes`: `blake3:` and 64 hex digits.
pub fn digest_bytes(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

/// The digest and size of a file, read in pieces, listed under `name`.
///
/// # Errors
/// [`ManifestError::Io`] where the file cannot be read.
pub fn digest_file(path: &Path, name: &str) -> Result<FileEntry, ManifestError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(io_error("read", path))?;
    Ok(FileEntry::of(name, &hasher))
}

impl FileEntry {
    /// The entry of a file whose bytes went through `hasher`.
    pub(crate) fn of(name: &str, hasher: &blake3::Hasher) -> Self {
        let digest = format!("blake3:{}", hasher.finalize().to_hex());
        Self { path: name.to_owned(), bytes: hasher.count(), digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_b3sum() {
        // b3sum 1.8.2 of the three bytes `abc`, and of nothing: the values of the BLAKE3 paper.
        let abc = "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        let entry = digest_file(&path, "abc").unwrap();
        assert_eq!((entry.bytes, entry.digest.as_str()), (3, abc));
        assert_eq!(digest_bytes(b"abc"), abc);
        let missing = digest_file(&dir.path().join("none"), "none").unwrap_err();
        assert!(missing.to_string().starts_with("cannot open "));
    }
}
