use std::fs;
use std::io;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::HfDatasetError;
use crate::error::io_error;

/// Reads a JSON file that `promised_by` says is there.
pub(crate) fn read_json<T: DeserializeOwned>(
    path: &Path,
    promised_by: &Path,
) -> Result<T, HfDatasetError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => {
            HfDatasetError::Missing { path: path.to_owned(), promised_by: promised_by.to_owned() }
        }
        _ => io_error("read", path)(source),
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|source| HfDatasetError::Json { path: path.to_owned(), source })
}

pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), HfDatasetError> {
    fs::write(path, text).map_err(io_error("write", path))
}
