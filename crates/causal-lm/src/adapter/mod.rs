//! LoRA adapters as PEFT writes them: `adapter_config.json` and `adapter_model.safetensors`.

mod plan;
mod settings;
mod targets;

pub(crate) use plan::AdapterPlan;
