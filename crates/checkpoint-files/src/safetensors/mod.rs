//! safetensors: one file, or shards with an index, read and written.
//!
//! The `safetensors` crate checks offsets, but does not always say which tensor is wrong; it writes metadata in the order of
//! a hash map, cannot pass on the error of a tensor that is made while it is written, and does not bring the file to disk. Its
//! limits and the order of its types are ours, and the tests hold the two against each other.

mod atomic;
mod header;
mod index;
mod shards;
mod source;
mod write;

use std::path::Path;

pub(crate) use atomic::write_atomic;
pub use header::parse;
pub(crate) use index::open_shards;
pub use shards::{MAX_SHARD_BYTES, write_shards};
pub(crate) use source::Data;
pub use source::TensorSource;
pub use write::write_safetensors;
pub(crate) use write::write_tensor;

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
        format: Format::Safetensors,
        files: vec![file],
        metadata: header.metadata,
        tensors: header.tensors,
    })
}
