//! Reading GGUF, versions 2 and 3, little-endian, and writing version 3.
//!
//! Source: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

mod cursor;
mod ggml_type;
mod header;
mod value;
mod write;
mod write_value;

use std::path::Path;

pub use header::parse;
pub use write::write_gguf;

use crate::CheckpointError;
use crate::checkpoint::Format;
use crate::map::MappedFile;
use crate::open::Opened;

/// Opens one file.
pub(crate) fn open(path: &Path) -> Result<Opened, CheckpointError> {
    let file = MappedFile::open(path)?;
    let header = parse(path, file.bytes())?;
    file.release(0..file.bytes().len());
    Ok(Opened {
        format: Format::Gguf,
        files: vec![file],
        metadata: header.metadata,
        tensors: header.tensors,
    })
}
