//! From files to a model.

mod build;
mod check;
mod companions;
mod layout;
mod names;
mod options;
mod save_merged;
mod save_quantized;
mod save_random;
mod source;
mod stored_quantization;
mod tokenizer_ids;
mod vocab_size;
mod weights;

use std::path::Path;

pub(crate) use layout::{EMBEDDING, Kind, Parameter, parameters};
pub(crate) use names::gguf_name;
pub use options::{DenseDtype, LoadOptions, LoadProgress, Quantization};
pub use save_merged::{MergedDtype, save_merged};
pub use save_quantized::save_quantized;
pub use save_random::save_random;
pub(crate) use vocab_size::HEAD_APART;

use build::Builder;
use check::check_tensors;
use source::Source;

use crate::adapter::AdapterPlan;
use crate::config::Fields;
use crate::ops::DecoderBackend;
use crate::{CausalLm, LoadError, ModelConfig};

/// Loads a transformers folder or a GGUF file, and puts the adapter of the options on top.
///
/// Tensors come one at a time from a memory map and are quantized on the way, so that memory stays near what the model
/// takes in the end. The files must not change meanwhile.
///
/// # Errors
/// [`LoadError`]; everything about names and shapes, of model and adapter, is checked before memory is taken.
pub fn load<B: DecoderBackend>(
    source: &Path,
    options: &LoadOptions,
    device: &B::Device,
    progress: &dyn Fn(LoadProgress<'_>),
) -> Result<CausalLm<B>, LoadError> {
    let source = Source::open(source)?;
    let parameters = parameters(&source.config);
    check_tensors(&source, &parameters)?;
    let adapter = match &options.adapter {
        Some(folder) => Some(AdapterPlan::read(folder, &source.config, &parameters)?),
        None => None,
    };
    Builder::new(&source, &parameters, options, adapter.as_ref(), device, progress)?.build()
}

/// Reads and checks the configuration of a transformers folder or a GGUF file, and no tensor.
///
/// # Errors
/// [`LoadError`].
pub fn read_config(source: &Path) -> Result<ModelConfig, LoadError> {
    if source.is_dir() {
        return crate::families::read_config(&Fields::read(&source.join("config.json"))?);
    }
    Ok(Source::open(source)?.config)
}
