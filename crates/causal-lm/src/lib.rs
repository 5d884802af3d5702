//! Decoder language models: architectures, checkpoint loading, KV cache, generation.

pub mod adapter;
mod config;
mod error;
pub mod estimate;
mod families;
pub mod generate;
mod load;
pub mod model;
pub mod ops;
pub mod rope;
mod split_mix;
pub mod train;

pub use config::{Biases, LayerConfig, ModelConfig};
pub use error::{BatchError, LoadError};
pub use families::supported_families;
pub use load::{
    DenseDtype, LoadOptions, LoadProgress, MergedDtype, Quantization, load, read_config,
    save_merged, save_quantized, save_random,
};
pub use model::{CausalLm, KvCache};
pub use rope::{RopeConfig, RopeScaling};
