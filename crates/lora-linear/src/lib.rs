//! A linear projection: a frozen base (dense, NF4, INT8) plus an optional LoRA adapter, on Burn.
//!
//! [`FrozenBackend`] is what Burn's backends do not have: a product with a weight that stays packed. Its forward is
//! `y = x · dequant(W)ᵀ`, its backward `dx = dy · dequant(W)`, and the graph keeps the packed weight only.

mod autodiff;
mod backend;
mod composed;
#[cfg(feature = "cube")]
mod cube;
mod dora;
mod dropout;
mod flex;
mod frozen;
mod host;
mod linear;
mod lora;
mod ndarray;
mod weight;

pub use backend::{FrozenBackend, LowRank};
pub use cpu_kernels::{ComputeDtype, DenseDtype, FrozenWeight, Values, WeightError};
#[cfg(feature = "cube")]
pub use cube::CubeWeight;
pub use dropout::Dropout;
pub use frozen::Frozen;
pub use host::HostTensors;
pub use linear::LoraLinear;
pub use lora::{Dora, Lora, LoraConfig, LoraScaling};
pub use weight::Weight;
