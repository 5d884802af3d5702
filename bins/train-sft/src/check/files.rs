use std::fs;
use std::path::{Path, PathBuf};

use causal_lm::estimate::{EstimateError, EstimateOptions, LoraSize, estimate};
use causal_lm::{DenseDtype, ModelConfig, read_config};
use model_cli::{Device, WeightDtype};
use serde_json::{Value, json};

use super::resume::resume;
use super::rows::{Place, data};
use super::stored_dtype::dense_dtype;
use super::tokens::{base_tokenizer, new_tokens};
use super::vocabulary::make_room;
use super::{Checked, Faults, NewToken, Note};
use crate::config::{AdapterKind, LoraConfig, LoraStart, NewTokens, Resume, SftConfig};

/// Looks into every file that the run needs; `None` only with a fault.
pub(super) fn check_files(
    config: &SftConfig,
    device: Device,
    dry_run: bool,
    world: usize,
    faults: &mut Faults,
) -> Option<Checked> {
    let mut notes = Vec::new();
    let device = available(device, faults);
    let resume = resume(config, world, faults, &mut notes);
    check_out(config, resume.is_some(), faults);
    let mut model = model(config, faults);
    if let Some(model) = &model {
        check_targets(config, model, faults);
        check_length(config, model, &mut notes);
    }
    let (tokenizer, mut new_tokens) = tokenizer(config, model.as_ref(), faults);
    if let Some(model) = &mut model {
        make_room(config, model, &new_tokens, faults, &mut notes);
    }
    if config.train_new_tokens == NewTokens::None || config.adapter == AdapterKind::None {
        new_tokens.clear();
    }
    check_start(config, &new_tokens, faults);
    check_results(config, &new_tokens, faults);
    let data = match Place::of(config) {
        None if dry_run => None,
        None => {
            faults.add(
                "shards",
                "is null, and so is `dataset`; one of them names what to learn from",
            );
            None
        }
        Some(place) if dry_run && !place.folder().exists() => {
            notes.push(Note::warning(format!(
                "there is nothing at {}: rows and steps are not known",
                place.folder().display()
            )));
            None
        }
        Some(place) => {
            let data = data(config, place, model.as_ref(), world, faults, &mut notes);
            // What is wrong is among the faults.
            Some(data?)
        }
    };
    let dense = match (config.adapter, config.dtype) {
        (AdapterKind::None, _) => DenseDtype::F32,
        (AdapterKind::Lora, WeightDtype::Auto) => {
            let quantization = config.quantization.with(config.double_quantization);
            dense_dtype(Path::new(&config.base_model), quantization)
        }
        (AdapterKind::Lora, dtype) => dtype.into(),
    };
    Some(Checked {
        dense,
        model: model?,
        data,
        new_tokens,
        tokenizer,
        resume,
        device: device?,
        notes,
    })
}

fn available(device: Device, faults: &mut Faults) -> Option<Device> {
    let available = device.available();
    if let Err(error) = &available {
        faults.add("device", format_args!("{error}; {}", error.hint()));
    }
    available.ok()
}

fn model(config: &SftConfig, faults: &mut Faults) -> Option<ModelConfig> {
    let name = &config.base_model;
    if let Some(hub) = name.strip_prefix("hub:") {
        faults.add(
            "base_model",
            format_args!("is on the hub; `inspect-model info --model hub:{hub}` fetches it, and names its folder"),
        );
        return None;
    }
    if !Path::new(name).exists() {
        faults.add(
            "base_model",
            format_args!(
                "there is nothing at {name}; it names a folder with config.json, or a .gguf file"
            ),
        );
        return None;
    }
    faults.take("base_model", read_config(Path::new(name)))
}

fn check_targets(config: &SftConfig, model: &ModelConfig, faults: &mut Faults) {
    if config.adapter == AdapterKind::None {
        return;
    }
    for target in config.lora.target_modules.names() {
        let lora = Some(LoraSize { rank: 1, targets: vec![target.clone()] });
        let size = estimate(model, &EstimateOptions { lora, ..Default::default() });
        if let Err(error @ EstimateError::UnknownTarget { .. }) = size {
            faults.add("lora.target_modules", error);
        }
    }
}

/// A model computes longer sequences than it was made for; they are worth little.
fn check_length(config: &SftConfig, model: &ModelConfig, notes: &mut Vec<Note>) {
    let most = model.max_positions;
    if let Some(length) = config.max_length.filter(|length| *length > most) {
        notes.push(Note::warning(format!(
            "max_length is {length}, and the model was made for {most} positions"
        )));
    }
}

fn check_start(config: &SftConfig, new_tokens: &[NewToken], faults: &mut Faults) {
    let LoraStart::Folder(folder) = &config.lora.init else { return };
    if config.adapter == AdapterKind::None {
        return;
    }
    let path = folder.join("adapter_config.json");
    for path in [&path, &folder.join("adapter_model.safetensors")] {
        faults.unless(
            path.is_file(),
            "lora.init",
            format_args!(
                "there is no {}; it is default, gaussian, zero, or the folder of a PEFT adapter",
                path.display()
            ),
        );
    }
    let Ok(text) = fs::read_to_string(&path) else { return };
    let Some(stored) = faults.take("lora.init", serde_json::from_str::<Value>(&text)) else {
        return;
    };
    // The settings go into the files of the result, so they must be those of the adapter.
    let LoraConfig { r, alpha, dropout: _, target_modules: _, rslora, dora, init: _ } =
        &config.lora;
    for (key, of_peft, ours, default) in [
        ("lora.r", "r", json!(r), json!(8)),
        ("lora.alpha", "lora_alpha", json!(alpha), json!(8.0)),
        ("lora.rslora", "use_rslora", json!(rslora), json!(false)),
        ("lora.dora", "use_dora", json!(dora), json!(false)),
    ] {
        let theirs = stored.get(of_peft).filter(|value| !value.is_null()).unwrap_or(&default);
        let same = match (ours.as_f64(), theirs.as_f64()) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => ours == *theirs,
        };
        faults.unless(
            same,
            key,
            format_args!("is {ours}, and the adapter in {} has {theirs}", folder.display()),
        );
    }
    let tokens = stored.get("trainable_token_indices").unwrap_or(&Value::Null);
    let tokens = tokens.get("embed_tokens").unwrap_or(tokens);
    let mut theirs: Vec<u64> =
        tokens.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    theirs.sort_unstable();
    let ours = new_tokens.iter().map(|token| u64::from(token.id));
    faults.unless(
        theirs.is_empty() || ours.eq(theirs.iter().copied()),
        "lora.init",
        format_args!(
            "the adapter in {} trains rows of tokens {theirs:?}, which are not the new ones of the shards' tokenizer",
            folder.display()
        ),
    );
}

/// What could not be written in the end.
fn check_results(config: &SftConfig, new_tokens: &[NewToken], faults: &mut Faults) {
    if config.adapter == AdapterKind::None {
        let base = Path::new(&config.base_model);
        faults.unless(
            base.is_dir() || !base.exists(),
            "base_model",
            "must be a folder with config.json where `adapter` is none: the result has it, too",
        );
    } else if config.gguf {
        faults.unless(!config.lora.dora, "gguf", "llama.cpp has no place for `lora.dora`");
        faults.unless(
            new_tokens.is_empty(),
            "gguf",
            "llama.cpp has no place for rows of new tokens; take `merge`, or `train_new_tokens: none`",
        );
    }
}

/// The tokenizer that rows were made with, and what the model's own does not have.
fn tokenizer(
    config: &SftConfig,
    model: Option<&ModelConfig>,
    faults: &mut Faults,
) -> (Option<PathBuf>, Vec<NewToken>) {
    let shards = config.shards.as_ref().filter(|_| config.dataset.is_none());
    let of_shards = shards.map(|shards| shards.join("tokenizer"));
    let Some(folder) = of_shards.filter(|folder| folder.join("tokenizer.json").is_file()) else {
        return (None, Vec::new());
    };
    if model.is_none() {
        return (Some(folder), Vec::new());
    }
    // A model without a tokenizer has nothing that the shards' could be held against.
    let Ok(base) = base_tokenizer(Path::new(&config.base_model)) else {
        return (Some(folder), Vec::new());
    };
    let tokens = faults.take("shards", new_tokens(&folder, &base)).unwrap_or_default();
    (Some(folder), tokens)
}

/// The output folder is empty, or an earlier run's that goes on.
fn check_out(config: &SftConfig, goes_on: bool, faults: &mut Faults) {
    let out = &config.out;
    if !out.exists() {
        return;
    }
    let Some(entries) = faults.take("out", fs::read_dir(out)) else { return };
    let is_run =
        |name: &str| name.starts_with("checkpoint-") || ["metrics.jsonl", "logs"].contains(&name);
    let names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    if names.is_empty() || goes_on {
        return;
    }
    if names.iter().any(|name| is_run(name)) {
        faults.unless(
            config.resume != Resume::None,
            "out",
            format_args!(
                "{} has an earlier run; let it go on with `resume: auto`, or name another folder",
                out.display()
            ),
        );
    } else {
        faults.add(
            "out",
            format_args!(
                "{} is not empty, and not of an earlier run; name another folder",
                out.display()
            ),
        );
    }
}
