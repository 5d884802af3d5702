use std::path::Path;

use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadError, LoadOptions, load};
use stage_cli::{Stage, Unit};

/// Loads a model, with a bar that counts stored bytes.
///
/// # Errors
/// As [`load`].
pub fn load_model<B: DecoderBackend>(
    stage: &Stage,
    path: &Path,
    options: &LoadOptions,
    device: &B::Device,
) -> Result<CausalLm<B>, LoadError> {
    let bar = stage.progress("load", 0, Unit::Bytes);
    let loaded = load(path, options, device, &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    loaded
}
