//! Kernels of a decoder and of its training on graphics processors, in CubeCL: one source for CUDA, and for Vulkan, which
//! Mesa has in software.
//!
//! Each takes and gives tensors of `burn-cubecl` on one device and returns before the device is done. Matrices are row-major,
//! activations are f32, bf16 or f16, and sums are f32. Frozen weights, norms and adapters know nothing of each other here.

#![cfg(feature = "kernels")]

mod adamw;
mod cross_entropy;
mod cube_sum;
#[cfg(feature = "cuda")]
mod cuda;
mod decode;
mod dropout;
mod few_rows;
mod gate;
mod int8;
mod low_rank;
mod nf4;
mod product;
mod rms_norm;
mod rope;
mod softmax;
mod tensors;

/// Burn on CUDA.
#[cfg(feature = "cuda")]
pub type Cuda = burn_cubecl::CubeBackend<CudaRuntime, f32, i32, u8>;

/// Burn on Vulkan.
#[cfg(feature = "vulkan")]
pub type Vulkan = burn_cubecl::CubeBackend<WgpuRuntime, f32, i32, u32>;

pub use adamw::{AdamWConstants, adamw, sums_of_squares};
pub use burn_cubecl::CubeRuntime;
pub use burn_cubecl::tensor::CubeTensor;
pub use cross_entropy::{CrossEntropy, cross_entropy};
#[cfg(feature = "cuda")]
pub use cubecl::cuda::{CudaDevice, CudaRuntime};
#[cfg(feature = "vulkan")]
pub use cubecl::wgpu::{WgpuDevice, WgpuRuntime};
#[cfg(feature = "cuda")]
pub use cuda::{CudaError, cuda_device, cuda_memory, keep_kernels};
pub use decode::decode_attention;
pub use dropout::dropout;
pub use few_rows::FEW_ROWS;
pub use gate::{gate, gate_backward};
pub use int8::Int8Weight;
pub use low_rank::{LowRankFactors, add_low_rank_to_few};
pub use nf4::Nf4Weight;
pub use product::{half_precision, product};
pub use rms_norm::{rms_norm, rms_norm_backward};
pub use rope::rope;
pub use softmax::{CausalMask, causal_softmax, causal_softmax_backward};
pub use tensors::{download, reserved_memory, upload};

/// Burn on the graphics processor that the features name, CUDA before Vulkan: what tests run on.
#[cfg(feature = "cuda")]
pub type Gpu = Cuda;
/// Burn on the graphics processor that the features name, CUDA before Vulkan: what tests run on.
#[cfg(all(feature = "vulkan", not(feature = "cuda")))]
pub type Gpu = Vulkan;
