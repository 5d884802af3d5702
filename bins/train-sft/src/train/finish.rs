use std::fs;
use std::path::Path;

use anyhow::Context;
use causal_lm::adapter::{save_adapter, save_gguf_adapter};
use causal_lm::ops::DecoderBackend;
use causal_lm::train::Parameters;
use causal_lm::{CausalLm, LoadOptions, MergedDtype, save_merged};
use lora_train::checkpoint::{TensorValues, save_tensors};
use lora_train::{End, Outcome, TrainedPart};
use run_manifest::{Run, StagedDir, write_atomic};
use serde_json::Value;
use stage_cli::{Stage, Unit};
use tokenize::PromptRecipe;

use super::process_memory::process_memory;
use super::text::Text;
use crate::config::SftConfig;

/// Writes what was trained, complete or not at all: `adapter` or `model` in the output folder, and `merged` where it is
/// asked for.
#[expect(clippy::too_many_arguments, reason = "all that a run has come to")]
pub(super) fn finish<B: DecoderBackend>(
    stage: &Stage,
    config: &SftConfig,
    run: Run,
    model: &mut CausalLm<B>,
    part: &TrainedPart,
    text: Option<&Text>,
    load: &LoadOptions,
    outcome: &Outcome,
) -> anyhow::Result<()> {
    let name = match part {
        TrainedPart::Adapter(_) => "adapter",
        TrainedPart::Model => "model",
    };
    let destination = config.out.join(name);
    let staged = StagedDir::create(&destination, &run, false)?;
    write_trained(staged.path(), config, model, part)?;
    if let Some(text) = text {
        text.write(staged.path())?;
    }
    let settings = serde_json::to_string_pretty(config)? + "\n";
    write_atomic(&staged.path().join("sft.json"), settings.as_bytes())?;
    if config.gguf {
        let file = staged.path().join("adapter.gguf");
        save_gguf_adapter(Path::new(&config.base_model), staged.path(), &file)?;
    }
    staged.commit(run)?;
    if config.merge {
        merge(stage, config, load, &destination)?;
    }
    stage.print(ending(config, outcome, &destination));
    Ok(())
}

fn write_trained<B: DecoderBackend>(
    folder: &Path,
    config: &SftConfig,
    model: &mut CausalLm<B>,
    part: &TrainedPart,
) -> anyhow::Result<()> {
    let parameters = Parameters::of(model);
    let values = parameters.values(model);
    let tensors = parameters.all().iter();
    let tensors = tensors.map(|p| (p.name.as_str(), p.shape.as_slice(), &values[p.range.clone()]));
    match part {
        TrainedPart::Adapter(spec) => save_adapter(folder, spec, tensors)?,
        TrainedPart::Model => {
            let tensors = tensors
                .map(|(name, shape, values)| (name, shape, TensorValues::F32(values.into())));
            save_tensors(&folder.join("model.safetensors"), tensors)?;
            let path = Path::new(&config.base_model).join("config.json");
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let mut settings: Value = serde_json::from_str(&text)?;
            settings["dtype"] = "float32".into();
            settings["vocab_size"] = model.config().vocab_size.into();
            let text = serde_json::to_string_pretty(&settings)? + "\n";
            write_atomic(&folder.join("config.json"), text.as_bytes())?;
        }
    }
    Ok(())
}

/// Base and adapter as one model in bf16.
fn merge(
    stage: &Stage,
    config: &SftConfig,
    load: &LoadOptions,
    adapter: &Path,
) -> anyhow::Result<()> {
    let run = stage.begin(env!("CARGO_PKG_VERSION"), config)?;
    let staged = StagedDir::create(&config.out.join("merged"), &run, false)?;
    let bar = stage.progress("merge", 0, Unit::Bytes);
    let source = Path::new(&config.base_model);
    save_merged(source, load, adapter, staged.path(), MergedDtype::Bf16, &|progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    })?;
    bar.finish_and_clear();
    let recipe = adapter.join(PromptRecipe::FILE);
    if recipe.is_file() {
        write_atomic(&staged.path().join(PromptRecipe::FILE), &fs::read(&recipe)?)?;
    }
    staged.commit(run)?;
    Ok(())
}

fn ending(config: &SftConfig, outcome: &Outcome, written: &Path) -> String {
    let Outcome { end, state, evaluation } = outcome;
    let why = match (end, state.early_stopping.best_step) {
        (End::Early, Some(best)) => format!("ended early; the result is that of step {best}"),
        _ => "done".to_owned(),
    };
    let mut lines = vec![format!("\n{why}: {} steps, {} examples", state.step, state.samples)];
    if state.skipped_steps > 0 {
        lines.push(format!("{} steps were left out: not finite", state.skipped_steps));
    }
    if let Some(evaluation) = evaluation {
        let accuracy = evaluation.action_accuracy;
        let accuracy =
            accuracy.map(|a| format!(", {:.1} % of actions", 100.0 * a)).unwrap_or_default();
        lines.push(format!("evaluation loss {:.4}{accuracy}", evaluation.loss));
    }
    if let Some((_, peak)) = process_memory() {
        lines.push(format!("at most {peak:.0} MiB of memory"));
    }
    lines.push(format!("written to {}", written.display()));
    if config.merge {
        lines.push(format!("merged into {}", config.out.join("merged").display()));
    }
    lines.join("\n")
}
