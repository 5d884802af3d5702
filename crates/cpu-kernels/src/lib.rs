//! Frozen weights (dense, NF4, INT8) and the kernels of a decoder on a CPU, over plain slices.
//!
//! No tensors, no files: what a tensor library needs stands in the crates above. All matrices are row-major.
//! The kernel is chosen at run time by what the processor has; the number of threads changes no result.

mod compute_dtype;
#[allow(dead_code, reason = "the kernels to come ask it")]
mod cpu_features;
pub mod decoder;
#[allow(dead_code, reason = "the kernels to come call it")]
mod parallel;
mod product;
mod weight;

pub use compute_dtype::ComputeDtype;
pub use product::{Output, product_transposed, products};
pub use weight::{FrozenWeight, Values};
