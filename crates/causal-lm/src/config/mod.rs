//! What a model is: read from `config.json` or from the metadata of a GGUF file, checked before anything is allocated.

mod checks;
mod decoder;
mod fields;
mod gguf;
mod layer_types;
mod model_config;
mod rope;

pub(crate) use checks::check;
pub(crate) use decoder::{Defaults, decoder};
pub(crate) use fields::Fields;
pub(crate) use gguf::fields_of_gguf;
pub(crate) use layer_types::{layer_types, sliding_window};
pub use model_config::{Biases, LayerConfig, ModelConfig};
pub(crate) use rope::{RopeSource, rope, rope_of};
