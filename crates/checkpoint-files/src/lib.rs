//! Tensors in files: safetensors, also in shards, and GGUF, read by memory map and verified before use.
//!
//! [`Checkpoint::open`] takes a transformers folder, a `.safetensors` file or a `.gguf` file, checks every header
//! against the sizes of the files, and gives out [`TensorView`]s, one tensor at a time. Nothing is read before it is
//! asked for; [`Checkpoint::release`] hands a consumed tensor's pages back, so that the resident set stays near what the
//! caller keeps. Pickles are never opened.
//!
//! **Files must not change while they are open.** The bytes of a map are the bytes of the file: a program that writes
//! into it, or cuts it, changes memory that Rust takes for constant, which is undefined behaviour (a cut file ends the
//! process with SIGBUS). Replace files by renaming, as everything here does.
//!
//! Names stay those of the file: `model.layers.0.self_attn.q_proj.weight` in safetensors, `blk.0.attn_q.weight` in
//! GGUF, where also the rows of Llama-family `q` and `k` stay permuted. Shapes are row-major, outermost dimension
//! first, in both.

mod checkpoint;
mod dequantize;
mod error;
pub mod gguf;
mod header;
#[cfg(feature = "hub")]
pub mod hub;
mod map;
mod metadata;
mod open;
pub mod safetensors;
mod stored_dtype;
mod view;

pub use checkpoint::{Checkpoint, Format};
pub use error::CheckpointError;
pub use gguf::write_gguf;
pub use header::{FileHeader, TensorInfo};
pub use metadata::{FromMetadata, Metadata, MetadataArray, MetadataValue};
pub use safetensors::{MAX_SHARD_BYTES, TensorSource, write_safetensors, write_shards};
pub use stored_dtype::StoredDtype;
pub use view::TensorView;
