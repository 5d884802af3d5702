//! Adapters as PEFT and llama.cpp read them: what is written reads back, and what is useless is not written.

mod common;

use std::fs;
use std::path::Path;

use burn_flex::Flex;
use causal_lm::adapter::{
    AdapterError, AdapterSpec, InitialWeights, TOKEN_ROWS, lora_names, read_adapter_spec,
    save_adapter, save_gguf_adapter, target_modules,
};
use causal_lm::{LoadOptions, read_config};
use checkpoint_files::Checkpoint;
use common::{fixture, loaded, logits, max_difference, model_folder, reference};
use lora_linear::LoraScaling;
use serde_json::Value;

fn spec(targets: &[&str]) -> AdapterSpec {
    AdapterSpec {
        base_model: "llama".to_owned(),
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        scaling: LoraScaling::Standard,
        dora: false,
        target_modules: targets.iter().map(|name| (*name).to_owned()).collect(),
        trainable_tokens: Vec::new(),
        init: InitialWeights::Default,
    }
}

fn options(adapter: &Path) -> LoadOptions {
    LoadOptions { adapter: Some(adapter.to_owned()), ..LoadOptions::default() }
}

struct Tensors(Vec<(String, Vec<usize>, Vec<f32>)>);

impl Tensors {
    fn read(path: &Path) -> Self {
        let file = Checkpoint::open(path.join("adapter_model.safetensors")).expect("an adapter");
        let read = |name: &str| {
            let view = file.get(name).expect(name);
            let mut values = Vec::new();
            view.to_f32(&mut values).expect(name);
            (name.to_owned(), view.shape.to_vec(), values)
        };
        Self(file.tensors().iter().map(|info| read(&info.name)).collect())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.0.iter().map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]))
    }
}

/// An adapter of PEFT, written again.
fn check_written_again(adapter: &Path, family: &str, spec: &AdapterSpec) {
    let tensors = Tensors::read(adapter);
    let out = tempfile::tempdir().expect("a folder");
    save_adapter(out.path(), spec, tensors.iter()).expect("an adapter");
    let weights =
        |folder: &Path| fs::read(folder.join("adapter_model.safetensors")).expect("bytes");
    assert_eq!(weights(out.path()), weights(adapter), "{family}: the bytes of PEFT");
    let config = |folder: &Path| {
        let text = fs::read_to_string(folder.join("adapter_config.json")).expect("a text");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        let targets = config["target_modules"].as_array_mut().expect("a list");
        targets.sort_by_key(|target| target.to_string());
        config
    };
    assert_eq!(config(out.path()), config(adapter), "{family}");
    let row = &reference(family).rows[0];
    let model = |adapter| loaded::<Flex>(&model_folder(family), &options(adapter));
    assert_eq!(logits(&model(out.path()), &[row]), logits(&model(adapter), &[row]), "{family}");
}

#[test]
fn what_is_written_is_what_peft_writes() {
    let plain = |family: &str| model_folder(family).join("adapter");
    let all = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"];
    check_written_again(&plain("llama"), "llama", &spec(&all));
    let phi3 = AdapterSpec {
        base_model: "phi3".to_owned(),
        ..spec(&["down_proj", "gate_up_proj", "o_proj", "qkv_proj"])
    };
    check_written_again(&plain("phi3"), "phi3", &phi3);
    let dora = AdapterSpec { dora: true, ..spec(&["q_proj", "o_proj", "down_proj"]) };
    check_written_again(&fixture("models/adapters/dora"), "llama", &dora);
    let tokens =
        AdapterSpec { rank: 2, alpha: 4.0, trainable_tokens: vec![7, 3, 260], ..spec(&["q_proj"]) };
    check_written_again(&fixture("models/adapters/tokens"), "llama", &tokens);
}

/// An adapter of PEFT that is written again by the settings that it has.
fn check_read_again(adapter: &Path, family: &str, targets: &[&str], tokens: &[usize]) {
    let what = adapter.display();
    let config = read_config(&model_folder(family)).expect("a configuration");
    let spec = read_adapter_spec(adapter, &config).expect("settings");
    assert_eq!(spec.target_modules, targets, "{what}");
    assert_eq!(spec.trainable_tokens, tokens, "{what}");
    let mut tensors = Tensors::read(adapter);
    // As a loaded model has them: rows in the order of their tokens.
    for (name, shape, values) in tensors.0.iter_mut().filter(|(name, ..)| name == TOKEN_ROWS) {
        let file = fs::read_to_string(adapter.join("adapter_config.json")).expect("a text");
        let file: Value = serde_json::from_str(&file).expect("JSON");
        let stored = match &file["trainable_token_indices"] {
            Value::Object(modules) => modules["embed_tokens"].clone(),
            tokens => tokens.clone(),
        };
        let stored: Vec<usize> = serde_json::from_value(stored).expect(name);
        let rows = tokens.iter().map(|token| stored.iter().position(|t| t == token).expect(name));
        *values =
            rows.flat_map(|row| values[row * shape[1]..(row + 1) * shape[1]].to_vec()).collect();
    }
    let out = tempfile::tempdir().expect("a folder");
    save_adapter(out.path(), &spec, tensors.iter()).expect("an adapter");
    let mut row = reference(family).rows[0].clone();
    row[..3].copy_from_slice(&[5, 7, 9]);
    let model = |adapter| loaded::<Flex>(&model_folder(family), &options(adapter));
    assert_eq!(logits(&model(out.path()), &[&row]), logits(&model(adapter), &[&row]), "{what}");
}

#[test]
fn adapters_of_peft_can_be_trained_on() {
    let adapter = |name: &str| fixture("models/adapters").join(name);
    let all = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"];
    check_read_again(&model_folder("llama").join("adapter"), "llama", &all, &[]);
    check_read_again(&adapter("dora"), "llama", &["down_proj", "o_proj", "q_proj"], &[]);
    check_read_again(&adapter("tokens"), "llama", &["q_proj"], &[3, 7, 260]);
    check_read_again(&adapter("tokens_tied"), "llama_tied_rope3", &["q_proj"], &[1, 5, 9]);
    let beyond = [5, 272, 273, 274];
    check_read_again(&adapter("tokens_beyond"), "llama_tied_rope3", &["q_proj"], &beyond);
    let excluded = ["down_proj", "o_proj", "q_proj", "up_proj", "v_proj"];
    check_read_again(&adapter("excluded"), "llama", &excluded, &[]);
    let q_and_v = ["model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.v_proj"];
    check_read_again(&adapter("layers"), "llama", &q_and_v, &[]);
    let up_q_v = ["model.layers.1.mlp.up_proj", q_and_v[0], q_and_v[1]];
    check_read_again(&adapter("regex"), "qwen3", &up_q_v, &[]);
    let config = read_config(&model_folder("llama")).unwrap();
    let error = read_adapter_spec(&adapter("patterns"), &config).unwrap_err().to_string();
    assert!(error.contains("rank_pattern") && error.contains("adapter_config.json"), "{error}");
}

#[test]
fn all_linear_is_every_projection_and_not_the_head() {
    for (family, expected) in [
        ("llama", "down_proj gate_proj k_proj o_proj q_proj up_proj v_proj"),
        ("phi3", "down_proj gate_up_proj o_proj qkv_proj"),
        ("gemma3_text", "down_proj gate_proj k_proj o_proj q_proj up_proj v_proj"),
    ] {
        let config = read_config(&model_folder(family)).unwrap();
        let targets = target_modules(&config, &["all-linear".to_owned()]).unwrap();
        assert_eq!(targets.names.join(" "), expected, "{family}");
        let file = Tensors::read(&model_folder(family).join("adapter"));
        let shape_of = |name: &str| {
            let found = file.iter().find(|(other, ..)| *other == name);
            found.map(|(_, shape, _)| shape.to_vec())
        };
        assert_eq!(file.0.len(), 2 * targets.modules.len(), "{family}");
        for module in &targets.modules {
            let names = lora_names(&module.name);
            assert_eq!(shape_of(&names.a), Some(vec![4, module.inputs]), "{}", names.a);
            assert_eq!(shape_of(&names.b), Some(vec![module.outputs, 4]), "{}", names.b);
        }
    }
}

#[test]
fn targets_that_mean_nothing_are_named() {
    let config = read_config(&model_folder("phi3")).unwrap();
    let targets = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        target_modules(&config, &names)
    };
    let message = targets(&["o_proj", "q_proj"]).unwrap_err().to_string();
    assert!(message.contains("`q_proj`") && message.contains("qkv_proj"), "{message}");
    assert!(targets(&["lm_head"]).is_err());
    let two = targets(&["o_proj", "1.mlp.down_proj", "o_proj"]).unwrap();
    assert_eq!(two.names, ["1.mlp.down_proj", "o_proj"]);
    let names: Vec<_> = two.modules.iter().map(|module| module.name.as_str()).collect();
    let expected = [
        "model.layers.0.self_attn.o_proj",
        "model.layers.1.self_attn.o_proj",
        "model.layers.1.mlp.down_proj",
    ];
    assert_eq!(names, expected);
}

/// What is said about the plain adapter of llama, changed; nothing may have been written.
fn refused(spec: &AdapterSpec, change: impl FnOnce(&mut Tensors)) -> AdapterError {
    let mut tensors = Tensors::read(&model_folder("llama").join("adapter"));
    tensors.0.retain(|(name, ..)| name.contains("q_proj"));
    change(&mut tensors);
    let out = tempfile::tempdir().expect("a folder");
    let error = save_adapter(out.path(), spec, tensors.iter()).expect_err("a fault");
    assert_eq!(fs::read_dir(out.path()).expect("a folder").count(), 0, "{error}");
    error
}

#[test]
fn useless_adapters_are_not_written() {
    let q_proj = spec(&["q_proj"]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = refused(&q_proj, |tensors| tensors.0[1].2[5] = bad).to_string();
        assert!(error.contains("layers.0.self_attn.q_proj.lora_B.weight"), "{error}");
        assert!(error.contains("at 5"), "{error}");
    }
    let says = |spec: &AdapterSpec, change: fn(&mut Tensors), part: &str| {
        let error = refused(spec, change).to_string();
        assert!(error.contains(part), "{error} has no {part}");
    };
    says(&q_proj, |t| drop(t.0.remove(0)), "lora_A.weight` of the adapter");
    says(&q_proj, |t| drop(t.0.remove(1)), "lora_B.weight` of the adapter");
    says(&q_proj, |t| t.0.clear(), "`q_proj`");
    says(&q_proj, |t| t.0[0].0 = "x".to_owned(), "`x`");
    says(&q_proj, |t| t.0[0].2.truncate(255), "255 values");
    says(&spec(&["v_proj"]), |_| {}, "no target module");
    says(&spec(&["q_proj", "v_proj"]), |_| {}, "`v_proj`");
    says(&AdapterSpec { rank: 8, ..q_proj.clone() }, |_| {}, "[4, 64]");
    says(&AdapterSpec { dora: true, ..q_proj.clone() }, |_| {}, "lora_magnitude_vector");
    says(&AdapterSpec { trainable_tokens: vec![1], ..q_proj.clone() }, |_| {}, TOKEN_ROWS);
    says(&AdapterSpec { trainable_tokens: vec![1, 2, 1], ..q_proj.clone() }, |_| {}, "each token");
    says(&AdapterSpec { rank: 0, ..q_proj.clone() }, |_| {}, "`r`");
    says(&AdapterSpec { alpha: f64::NAN, ..q_proj.clone() }, |_| {}, "`lora_alpha`");
    says(&AdapterSpec { dropout: 1.0, ..q_proj }, |_| {}, "`lora_dropout`");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let tensors = Tensors::read(&model_folder("llama").join("adapter"));
    let all = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"];
    let error = save_adapter(&file.join("out"), &spec(&all), tensors.iter()).unwrap_err();
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

/// A GGUF adapter of ours against that of llama.cpp's own converter: every tensor bit by bit.
fn check_gguf(family: &str) {
    let out = tempfile::tempdir().expect("a folder");
    let path = out.path().join("adapter.gguf");
    let folder = model_folder(family);
    save_gguf_adapter(&folder, &folder.join("adapter"), &path).expect("an adapter");
    let theirs = fixture("lora/gguf").join(format!("{family}.gguf"));
    let (ours, theirs) = (Checkpoint::open(&path), Checkpoint::open(theirs));
    let (ours, theirs) = (ours.expect("an adapter"), theirs.expect("an adapter"));
    assert_eq!(ours.tensors().len(), theirs.tensors().len(), "{family}");
    for info in theirs.tensors() {
        let (ours, theirs) = (ours.get(&info.name), theirs.get(&info.name));
        let (ours, theirs) = (ours.expect(&info.name), theirs.expect(&info.name));
        assert_eq!(
            (ours.shape, ours.dtype),
            (theirs.shape, theirs.dtype),
            "{family} {}",
            info.name
        );
        assert_eq!(ours.bytes, theirs.bytes, "{family} {}", info.name);
    }
    for (key, value) in ours.metadata().iter() {
        let theirs = theirs.metadata().iter().find(|(other, _)| *other == key);
        assert_eq!(theirs, Some((key, value)), "{family} {key}");
    }
    assert_eq!(ours.metadata().iter().count(), 4, "{family}");
}

#[test]
fn gguf_adapters_are_those_of_llama_cpp() {
    for family in ["llama", "mistral", "phi3", "gemma3_text"] {
        check_gguf(family);
    }
}

/// llama.cpp multiplies `B · A` by `alpha / rank`: that must be the correction, whatever the settings are.
#[test]
fn factors_are_folded_into_gguf_adapters() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("adapter.gguf");
    let adapter = fixture("models/adapters/patterns");
    save_gguf_adapter(&model_folder("llama"), &adapter, &path).unwrap();
    let gguf = Checkpoint::open(&path).unwrap();
    let alpha: f32 = gguf.metadata().optional("adapter.lora.alpha").unwrap().unwrap();
    assert_eq!(alpha, 12.0, "6 / √4 · 4");
    let peft = Tensors::read(&adapter);
    // rank_pattern: q_proj of layer 1 has 2, up_proj 3; alpha_pattern: down_proj has 20.
    for (module, name, rank, alpha_of_module) in [
        ("model.layers.0.self_attn.v_proj", "blk.0.attn_v", 4, 6.0),
        ("model.layers.0.mlp.up_proj", "blk.0.ffn_up", 3, 6.0),
        ("model.layers.1.mlp.down_proj", "blk.1.ffn_down", 4, 20.0),
    ] {
        let b = lora_names(module).b;
        let (_, shape, expected) = peft.iter().find(|(other, ..)| *other == b).unwrap();
        assert_eq!(shape[1], rank, "{module}");
        let mut values = Vec::new();
        gguf.get(&format!("{name}.weight.lora_b")).unwrap().to_f32(&mut values).unwrap();
        let factor = alpha_of_module / (rank as f32).sqrt();
        let (theirs, ours): (Vec<f32>, Vec<f32>) = (
            values.iter().map(|v| v * alpha / rank as f32).collect(),
            expected.iter().map(|v| v * factor).collect(),
        );
        assert!(max_difference(&theirs, &ours) < 1e-6, "{module}");
        assert!(ours.iter().any(|v| v.abs() > 0.1), "{module}");
    }
}

#[test]
fn what_llama_cpp_has_no_place_for_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("adapter.gguf");
    for (adapter, family, what) in [
        ("dora", "llama", "magnitudes (DoRA)"),
        ("tokens", "llama", "rows of tokens"),
        ("tokens_tied", "llama_tied_rope3", "rows of tokens"),
        ("tokens_beyond", "llama_tied_rope3", "rows of tokens"),
    ] {
        let folder = fixture("models/adapters").join(adapter);
        let error = save_gguf_adapter(&model_folder(family), &folder, &path).unwrap_err();
        let message = error.to_string();
        assert!(message.contains(what) && message.contains("merge it instead"), "{message}");
        assert!(message.contains(folder.to_str().unwrap()), "{message}");
    }
    let error =
        save_gguf_adapter(&model_folder("phi3"), &model_folder("llama").join("adapter"), &path);
    assert!(matches!(error, Err(AdapterError::Load(_))), "{error:?}");
    assert!(!path.exists());
}
