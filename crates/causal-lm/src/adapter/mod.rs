//! LoRA adapters as PEFT reads and writes them: `adapter_config.json` and `adapter_model.safetensors`; and as llama.cpp
//! reads them.

mod error;
mod gguf;
mod host_lora;
mod names;
mod plan;
mod read_spec;
mod save;
mod settings;
mod spec;
mod target_modules;
mod targets;

pub use error::AdapterError;
pub use gguf::save_gguf_adapter;
pub use names::{LoraNames, TOKEN_ROWS, lora_names};
pub use read_spec::read_adapter_spec;
pub use save::{save_adapter, write_adapter_config};
pub use spec::{AdapterSpec, InitialWeights};
pub use target_modules::{ALL_LINEAR, TargetModule, TargetModules, target_modules};

pub(crate) use plan::AdapterPlan;
