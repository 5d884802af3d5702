use anyhow::anyhow;
use causal_lm::save_random;
use run_manifest::{ManifestError, StagedDir};
use serde_json::json;
use stage_cli::{Hint, Stage, Unit};

use crate::args::InitArgs;
use crate::hints::with_load_hint;

/// Writes a model with random weights, and a manifest beside it.
pub(crate) fn run(stage: &Stage, args: &InitArgs) -> anyhow::Result<()> {
    let InitArgs { model, seed, dtype, out, common: _ } = args;
    if !model.exists() {
        return Err(anyhow!("there is no {}", model.display()))
            .hint("--model names a config.json, or the folder that has one");
    }
    let settings = json!({ "model": model, "seed": seed, "dtype": dtype });
    let run = stage.begin(env!("CARGO_PKG_VERSION"), &settings)?;
    let folder = StagedDir::create(out, &run, false);
    let folder = match &folder {
        Err(ManifestError::Occupied { .. }) => folder.hint("name another --out")?,
        _ => folder?,
    };
    let bar = stage.progress("init", 0, Unit::Bytes);
    let saved = save_random(model, *seed, (*dtype).into(), folder.path(), &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    with_load_hint(saved)?;
    folder.commit(run)?;
    tracing::info!(
        "{} has random weights; --model and train-sft's base_model take it",
        out.display()
    );
    Ok(())
}
