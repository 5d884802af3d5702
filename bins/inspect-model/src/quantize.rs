use causal_lm::save_quantized;
use run_manifest::{ManifestError, StagedDir};
use serde_json::json;
use stage_cli::{Hint, Stage, Unit};
use tokenize::tokenizer_files;

use crate::args::QuantizeArgs;
use crate::hints::with_load_hint;
use crate::source::{Source, SourceKind};
use crate::text::{model_files, prompt_format};

/// Writes a model with quantized projections, and a manifest beside it.
pub(crate) fn run(stage: &Stage, args: &QuantizeArgs) -> anyhow::Result<()> {
    let source = Source::find(stage, &args.model)?;
    let quantization = args.quantization.with(args.double_quantization);
    let settings = json!({
        "model": source.path(),
        "quantization": args.quantization,
        "double_quantization": args.double_quantization,
    });
    let run = stage.begin(env!("CARGO_PKG_VERSION"), &settings)?;
    let folder = StagedDir::create(&args.out, &run, false);
    let folder = match &folder {
        Err(ManifestError::Occupied { .. }) => folder.hint("name another --out")?,
        _ => folder?,
    };
    let bar = stage.progress("quantize", 0, Unit::Bytes);
    let saved = save_quantized(source.path(), folder.path(), quantization, &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    with_load_hint(saved)?;
    if source.kind() == SourceKind::Gguf {
        let files = model_files(&source)?;
        for file in tokenizer_files(&files, &prompt_format(&files, None)?)? {
            std::fs::write(folder.path().join(file.name), file.text)?;
        }
    }
    folder.commit(run)?;
    tracing::info!("{} is quantized; --model takes it as it is", args.out.display());
    Ok(())
}
