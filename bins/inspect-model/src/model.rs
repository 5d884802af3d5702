use std::path::PathBuf;

use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadOptions};
use stage_cli::Stage;

use crate::args::ModelArgs;
use crate::config::InspectConfig;
use crate::hints::with_load_hint;
use crate::source::Source;

/// How the settings load a model.
pub(crate) fn load_options(config: &InspectConfig, adapter: Option<PathBuf>) -> LoadOptions {
    LoadOptions {
        quantization: config.quantization.with(config.double_quantization),
        dtype: config.dtype.into(),
        compute: config.compute_dtype.into(),
        adapter,
        min_vocab_size: 0,
    }
}

/// Loads a model as the settings say.
pub(crate) fn load_model<B: DecoderBackend>(
    stage: &Stage,
    source: &Source,
    args: &ModelArgs,
    config: &InspectConfig,
    device: &B::Device,
) -> anyhow::Result<CausalLm<B>> {
    let options = load_options(config, args.adapter.clone());
    with_load_hint(model_cli::load_model(stage, source.path(), &options, device))
}
