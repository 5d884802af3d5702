//! Reading safetensors: one file, or shards with an index.
//!
//! The `safetensors` crate checks offsets, but lets a name stand twice, says not always which tensor is wrong, and
//! needs buffers for a header of up to 100 MB; its types of values and limits are ours.

mod header;
mod index;

use std::path::Path;

pub use header::parse;
pub(crate) use index::open_shards;

use crate::CheckpointError;
use crate::checkpoint::Format;
use crate::map::MappedFile;
use crate::open::Opened;

/// Opens one file.
pub(crate) fn open(path: &Path) -> Result<Opened, CheckpointError> {
    let file = MappedFile::open(path)?;
    let header = parse(path, file.bytes())?;
    Ok(Opened {
        format: Format::Safetensors,
        files: vec![file],
        metadata: header.metadata,
        tensors: header.tensors,
    })
}
