//! Frozen weights (dense, NF4, INT8) and the kernels of a decoder and of its training on a CPU, over plain slices.
//!
//! No tensors, no files: what a tensor library needs stands in the crates above. All matrices are row-major.
//! The kernel is chosen at run time by what the processor has; the number of threads changes no result.

mod compute_dtype;
mod cpu_features;
pub mod decoder;
mod dense;
mod error;
mod exp;
mod few_rows;
#[cfg(test)]
mod finite_differences;
mod float;
mod gemm;
mod int8;
mod lanes;
pub mod loss;
pub mod low_rank;
mod nf4;
#[cfg(test)]
mod normal;
mod parallel;
mod product;
mod rows;
mod scratch;
mod small_product;
mod team;
mod transpose;
mod weight;

pub use compute_dtype::ComputeDtype;
pub use dense::DenseDtype;
pub use error::WeightError;
pub use float::Float;
pub use gemm::gemm_kernel;
pub use int8::Int8;
pub use nf4::{Absmax, DoubleAbsmax, Nf4};
pub use parallel::set_threads;
pub use product::{Output, product_transposed, products};
pub use weight::{FrozenWeight, Values};
