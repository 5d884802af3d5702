//! Every kernel against sums in f64, on whatever device the features name; shapes are odd on purpose.
//!
//! `cargo test -p cube-kernels --features vulkan` needs Vulkan, which Mesa has in software; `--features cuda` a graphics
//! processor of NVIDIA.
#![cfg(any(feature = "vulkan", feature = "cuda"))]
#![allow(clippy::unwrap_used)]

mod attention;
mod optimizer;
mod rows;
mod support;
mod weights;
