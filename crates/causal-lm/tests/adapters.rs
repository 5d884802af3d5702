//! PEFT adapters: settings beyond the plain ones (fixtures/models/make_adapters.py), and what is refused.

mod common;

use std::fs;
use std::path::Path;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::{LoadOptions, Quantization};
use checkpoint_files::{Checkpoint, StoredDtype, TensorSource, write_safetensors};
use common::{
    first_ids, fixture, loaded, logits, max_difference, model_folder, reference, try_load, values,
};
use serde_json::{Value, json};

fn options(adapter: &Path) -> LoadOptions {
    LoadOptions { adapter: Some(adapter.to_owned()), ..LoadOptions::default() }
}

fn check_against_peft(name: &str, family: &str) {
    let file = Checkpoint::open(fixture("models/adapters/logits.safetensors")).expect("logits");
    let mut expected = Vec::new();
    file.get(name).expect(name).to_f32(&mut expected).expect(name);
    let mut row = reference(family).rows[0].clone();
    row[..3].copy_from_slice(&first_ids(name));
    let vocab_size = file.get(name).expect(name).shape[1];
    let options = options(&fixture("models/adapters").join(name));
    let flex = logits(&loaded::<Flex>(&model_folder(family), &options), &[&row]);
    let ndarray = logits(&loaded::<NdArray>(&model_folder(family), &options), &[&row]);
    let plain = LoadOptions { min_vocab_size: vocab_size, ..LoadOptions::default() };
    let plain = logits(&loaded::<Flex>(&model_folder(family), &plain), &[&row]);
    assert_eq!(plain.len(), flex.len());
    let last = |logits: &[f32]| max_difference(&logits[logits.len() - expected.len()..], &expected);
    assert!(last(&flex) < 1e-4, "{name}: {}", last(&flex));
    assert!(last(&ndarray) < 1e-4, "{name}: {}", last(&ndarray));
    assert!(last(&plain) > 1e-2, "{name}: the adapter changes nothing");
}

#[test]
fn logits_are_those_of_peft() {
    for (name, family) in [
        ("dora", "llama"),
        ("patterns", "llama"),
        ("regex", "qwen3"),
        ("layers", "llama"),
        ("excluded", "llama"),
        ("tokens", "llama"),
        ("tokens_tied", "llama_tied_rope3"),
        ("tokens_beyond", "llama_tied_rope3"),
    ] {
        check_against_peft(name, family);
    }
}

#[test]
fn adapters_go_on_quantized_models() {
    let row = &reference("llama").rows[0];
    let quantized = |adapter: &str| LoadOptions {
        quantization: Quantization::Nf4 { double: true },
        ..options(&fixture("models/adapters").join(adapter))
    };
    for name in ["dora", "patterns"] {
        let adapted = logits(&loaded::<Flex>(&model_folder("llama"), &quantized(name)), &[row]);
        let options = LoadOptions { adapter: None, ..quantized(name) };
        let plain = logits(&loaded::<Flex>(&model_folder("llama"), &options), &[row]);
        assert!(max_difference(&adapted, &plain) > 1e-2, "{name}");
    }
}

/// What is said about the plain adapter of llama with some settings changed.
fn refused(changes: Value) -> String {
    refused_on("llama", &model_folder("llama").join("adapter"), changes)
}

fn refused_on(family: &str, from: &Path, changes: Value) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(from.join("adapter_config.json")).expect("a configuration");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    for (key, value) in changes.as_object().expect("changes") {
        config[key] = value.clone();
    }
    fs::write(folder.path().join("adapter_config.json"), config.to_string()).expect("a file");
    let weights = "adapter_model.safetensors";
    fs::copy(from.join(weights), folder.path().join(weights)).expect("a copy");
    let outcome = try_load::<Flex>(&model_folder(family), &options(folder.path()));
    outcome.expect_err(&changes.to_string()).to_string()
}

#[test]
fn settings_that_are_not_supported_are_named() {
    for (key, value) in [
        ("peft_type", json!("IA3")),
        ("bias", json!("all")),
        ("modules_to_save", json!(["lm_head"])),
        ("fan_in_fan_out", json!(true)),
        ("layer_replication", json!([[0, 1]])),
        ("init_lora_weights", json!("pissa")),
        ("lora_bias", json!(true)),
        ("alora_invocation_tokens", json!([1, 2])),
        ("target_parameters", json!(["mlp.experts"])),
        ("trainable_token_indices", json!({"lm_head": [1]})),
        ("a_setting_to_come", json!(true)),
    ] {
        let message = refused(json!({ key: value }));
        assert!(message.contains(key) && message.contains("adapter_config.json"), "{message}");
    }
}

#[test]
fn tensors_and_settings_must_agree() {
    for (changes, part) in [
        (json!({"r": 8}), "expected floats of [8, 64]"),
        (json!({"use_dora": true}), "lora_magnitude_vector"),
        (
            json!({"target_modules": ["q_proj"]}),
            "not expected: base_model.model.model.layers.0.mlp",
        ),
        (json!({"target_modules": ["qkv_proj"]}), "target module `qkv_proj`"),
        (json!({"target_modules": "[("}), "regular expression"),
        (json!({"trainable_token_indices": [1]}), "trainable_tokens_delta"),
        (json!({"rank_pattern": {"q_proj": 2}}), "expected floats of [2, 64]"),
    ] {
        let message = refused(changes.clone());
        assert!(message.contains(part), "{changes}: {message}");
    }
}

#[test]
fn tokens_beyond_the_embedding_follow_on_its_last() {
    let check = |family: &str, adapter: &str, tokens: &[u32], parts: &[&str]| {
        let changes = json!({"trainable_token_indices": tokens});
        let message = refused_on(family, &fixture("models/adapters").join(adapter), changes);
        for part in parts.iter().chain(&["adapter_config.json", "embedding of 272 rows"]) {
            assert!(message.contains(part), "{tokens:?}: {message}");
        }
    };
    let tied = "llama_tied_rope3";
    check(tied, "tokens_tied", &[272, 5, 274], &["token 274", "does not follow"]);
    check(tied, "tokens_tied", &[5, 9, 273], &["token 273", "does not follow"]);
    check(tied, "tokens_tied", &[5, 272, 272], &["token 272", "does not follow"]);
    check("llama", "tokens", &[7, 3, 272], &["token 272", "head, which is not tied"]);
    let options = LoadOptions { min_vocab_size: 273, ..LoadOptions::default() };
    let message = try_load::<Flex>(&model_folder("llama"), &options).unwrap_err().to_string();
    assert!(message.contains("token 272") && message.contains("head"), "{message}");
}

#[test]
fn rows_of_new_tokens_begin_as_the_mean() {
    let folder = model_folder("llama_tied_rope3");
    let file = Checkpoint::open(&folder).unwrap();
    let mut stored = Vec::new();
    file.get("model.embed_tokens.weight").unwrap().to_f32(&mut stored).unwrap();
    let mean: Vec<f32> = (0..64)
        .map(|column| {
            let values = stored.iter().skip(column).step_by(64);
            (values.map(|value| f64::from(*value)).sum::<f64>() / 272.0) as f32
        })
        .collect();
    let rows = |min_vocab_size| {
        let options = LoadOptions { min_vocab_size, ..LoadOptions::default() };
        let model = loaded::<Flex>(&folder, &options);
        let ids: Vec<u32> = (0..model.config().vocab_size as u32).collect();
        values(model.embed(&ids).unwrap())
    };
    assert_eq!(rows(275), [stored.clone(), mean.repeat(3)].concat());
    assert_eq!(rows(271), stored, "rows that are stored stay");
}

#[test]
fn names_with_another_prefix_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let from = model_folder("llama").join("adapter");
    fs::copy(from.join("adapter_config.json"), folder.path().join("adapter_config.json")).unwrap();
    let name = "model.layers.0.self_attn.q_proj.lora_A.weight";
    let tensor = TensorSource::bytes(name, StoredDtype::F32, [4, 64], vec![0; 1024]);
    let path = folder.path().join("adapter_model.safetensors");
    write_safetensors(&path, [tensor], &Default::default()).unwrap();
    let error = try_load::<Flex>(&model_folder("llama"), &options(folder.path())).unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&format!("not expected: {name}")), "{message}");
    assert!(message.contains("missing: base_model.model.model.layers.0"), "{message}");
}
