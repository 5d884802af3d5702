//! How much memory a model takes, from its configuration alone: before anything is loaded.
//!
//! | item | bytes |
//! |---|---|
//! | weights | each tensor as it will lie in memory: see [`weight_bytes`] |
//! | adapter | f32: `rank · (inputs + outputs)` a projection, in every layer |
//! | gradients | f32, as many values as the adapter |
//! | optimizer | AdamW: two f32 moments, twice the adapter |
//! | activations | see [`Training`] and [`Place`] |
//! | cache | keys and values of `slots · capacity` tokens in every layer, by [`KvDtype`](cpu_kernels::decoder::KvDtype) |
//! | logits | f32: `rows · vocabulary`, twice: with their gradient, or with the host's copy |
//! | scores | on a graphics processor, of a chunk of queries: f32 twice, and probabilities and their gradients as activations |
//! | unpacked projection | on a graphics processor, the largest one, as activations |
//! | step buffers | f32, of the widest moment of a layer: see [`Generation`] |
//!
//! What the allocator keeps, threads' scratch, and the program itself are not in it: some tens of MiB.

mod error;
mod memory;
mod tensors;
#[cfg(test)]
mod tests;
mod workload;

pub use error::EstimateError;
pub use memory::{Estimate, Item, estimate, weight_bytes};
pub use tensors::{TensorRole, TensorSize, tensor_sizes};
pub use workload::{EstimateOptions, Generation, LoraSize, Place, Training};

/// Scores of attention that a graphics processor holds at once: 256 MiB of f32.
pub(crate) const SCORES: usize = 64 << 20;
