//! What a decoder asks of a backend besides products. Each operation is composed of Burn's own by default, and so
//! differentiable; the CPU backends bring kernels.

mod autodiff;
mod backend;
mod backward;
mod composed;
#[cfg(feature = "cube")]
mod cube;
mod flex;
mod host;
mod ndarray;
mod tensors;

pub(crate) use autodiff::backward_from;
pub(crate) use backend::read;
pub use backend::{DecoderBackend, RowLosses};
#[cfg(feature = "cube")]
pub use cube::CubeKvLayer;
pub(crate) use tensors::likeliest;
pub use tensors::{attention, cached_attention, gate, rms_norm, rms_norm_backward, rope};
