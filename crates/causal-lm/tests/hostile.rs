//! Folders that are damaged, lie, or are of other kinds: each gets an error that says what and where.

mod common;

use std::fs;
use std::path::Path;

use burn_flex::Flex;
use causal_lm::{BatchError, LoadError, LoadOptions, read_config};
use checkpoint_files::{Checkpoint, StoredDtype, TensorSource, write_safetensors, write_shards};
use common::{loaded, logits, model_folder, try_load, whole_spans};
use cpu_kernels::decoder::{KvDtype, Span};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of a tiny model with some of its configuration changed; null takes a key away.
fn changed(family: &str, changes: Value) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(model_folder(family).join("config.json")).expect("a config");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    for (key, value) in changes.as_object().expect("changes") {
        match value {
            Value::Null => drop(config.as_object_mut().expect("an object").shift_remove(key)),
            value => config[key] = value.clone(),
        }
    }
    fs::write(folder.path().join("config.json"), config.to_string()).expect("a file");
    let weights = "model.safetensors";
    fs::copy(model_folder(family).join(weights), folder.path().join(weights)).expect("a copy");
    folder
}

/// The chain of an error.
fn said(path: &Path) -> String {
    let error = try_load::<Flex>(path, &LoadOptions::default()).expect_err("a model that is wrong");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[test]
fn configurations_that_cannot_be() {
    for (changes, parts) in [
        (json!({"model_type": null}), ["model_type", "config.json"]),
        (
            json!({"model_type": "gpt2"}),
            ["gpt2", "llama, mistral, qwen2, qwen3, phi3, gemma3_text"],
        ),
        (json!({"hidden_size": null}), ["hidden_size", "config.json"]),
        (json!({"hidden_size": "64"}), ["hidden_size", "whole number"]),
        (json!({"num_hidden_layers": 0}), ["num_hidden_layers", "from 1"]),
        (json!({"num_hidden_layers": 1_000_000_000}), ["1000000000 layers", "1024"]),
        (json!({"num_hidden_layers": 3}), ["missing: model.layers.2.", "config.json"]),
        (json!({"num_hidden_layers": 1}), ["not expected: model.layers.1.", "model"]),
        (json!({"num_key_value_heads": 3}), ["4 attention heads", "3"]),
        (json!({"num_attention_heads": 5, "head_dim": null}), ["hidden_size of 64", "5 heads"]),
        (json!({"vocab_size": 300}), ["model.embed_tokens.weight", "expected [300, 64]"]),
        (json!({"vocab_size": 2147483648u64}), ["model.embed_tokens.weight", "2147483648"]),
        (
            json!({"hidden_size": 2147483648u64, "intermediate_size": 2147483648u64}),
            ["shape", "2147483648"],
        ),
        (json!({"intermediate_size": 161}), ["mlp.down_proj.weight", "expected [64, 161]"]),
        (json!({"attention_bias": true}), ["missing", "self_attn.q_proj.bias"]),
        (json!({"tie_word_embeddings": true}), ["lm_head.weight", "differs"]),
        (json!({"hidden_act": "relu2"}), ["relu2", "silu"]),
        (json!({"rope_parameters": {"rope_type": "mrope"}}), ["mrope", "llama3"]),
        (json!({"rope_parameters": {"rope_type": "linear"}}), ["factor", "config.json"]),
        (
            json!({"rope_parameters": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1]}}),
            ["short_factor", "8 pairs"],
        ),
        (json!({"rms_norm_eps": -1}), ["rms_norm_eps", "above zero"]),
    ] {
        let folder = changed("llama", changes.clone());
        let said = said(folder.path());
        // Tensors are those of the folder, and so is the path.
        let parts = if said.contains("do not fit") { [parts[0], "do not fit"] } else { parts };
        assert!(parts.iter().all(|part| said.contains(part)), "{changes}: {said}");
        assert!(said.contains(&folder.path().display().to_string()), "{said}");
    }
}

#[test]
fn files_that_are_missing_or_damaged() {
    let folder = changed("llama", json!({}));
    fs::remove_file(folder.path().join("config.json")).unwrap();
    assert!(said(folder.path()).contains("config.json"));

    let folder = changed("llama", json!({}));
    fs::write(folder.path().join("config.json"), "{\"model_type\": ").unwrap();
    assert!(said(folder.path()).contains("config.json is not a JSON object"));

    let folder = changed("llama", json!({}));
    let weights = folder.path().join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() - 100]).unwrap();
    let said_of_cut = said(folder.path());
    assert!(said_of_cut.contains("model.safetensors"), "{said_of_cut}");

    fs::remove_file(&weights).unwrap();
    assert!(said(folder.path()).contains("model.safetensors"));
}

#[test]
fn tokenizers_with_more_tokens_than_the_model() {
    let folder = changed("llama", json!({}));
    let tokenizer = json!({
        "added_tokens": [{"id": 272, "content": "<x>"}],
        "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}},
    });
    fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let said = said(folder.path());
    assert!(said.contains("id 272") && said.contains("272 tokens"), "{said}");
}

#[test]
fn all_faults_of_tensors_are_told_at_once() {
    let folder = changed("llama", json!({}));
    let source = Checkpoint::open(folder.path()).unwrap();
    let out = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("config.json"), out.path().join("config.json")).unwrap();
    let tensors = source.tensors().iter().filter(|t| t.name != "model.norm.weight").map(|tensor| {
        let view = source.get(&tensor.name).expect("a tensor");
        match tensor.name.as_str() {
            "model.layers.1.mlp.up_proj.weight" => {
                TensorSource::bytes(view.name, view.dtype, [64, 160], view.bytes)
            }
            name @ "model.layers.0.mlp.down_proj.weight" => {
                TensorSource::bytes(name, StoredDtype::U32, view.shape, view.bytes)
            }
            name => TensorSource::bytes(name, view.dtype, view.shape, view.bytes),
        }
    });
    let extra = TensorSource::f32("model.layers.0.extra", [1], vec![1.0]);
    let harmless =
        TensorSource::f32("model.layers.0.self_attn.rotary_emb.inv_freq", [1], vec![1.0]);
    let all = tensors.chain([extra, harmless]).collect::<Vec<_>>();
    write_safetensors(out.path().join("model.safetensors"), all, &Default::default()).unwrap();
    let error = try_load::<Flex>(out.path(), &LoadOptions::default()).unwrap_err();
    let LoadError::Tensors { missing, misshapen, surplus, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(missing, ["model.norm.weight"]);
    assert_eq!(
        misshapen,
        [
            "model.layers.0.mlp.down_proj.weight (holds U32, expected floats)",
            "model.layers.1.mlp.up_proj.weight (shape [64, 160], expected [160, 64])",
        ]
    );
    assert_eq!(surplus, ["model.layers.0.extra"]);
}

#[test]
fn shards_are_one_model_and_a_cut_one_is_named() {
    let folder = changed("llama", json!({}));
    let source = Checkpoint::open(folder.path()).unwrap();
    let out = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("config.json"), out.path().join("config.json")).unwrap();
    let tensors = source.tensors().iter().map(|tensor| {
        let view = source.get(&tensor.name).expect("a tensor");
        TensorSource::bytes(view.name, view.dtype, view.shape, view.bytes)
    });
    let files = write_shards(out.path(), tensors, &Default::default(), 100_000).unwrap();
    assert!(files.len() > 3, "{files:?}");
    let row: Vec<u32> = (0..40).collect();
    let of = |path| logits(&loaded::<Flex>(path, &LoadOptions::default()), &[&row]);
    assert_eq!(of(out.path()), of(folder.path()));

    let shard = &files[1];
    let bytes = fs::read(shard).unwrap();
    fs::write(shard, &bytes[..bytes.len() / 2]).unwrap();
    let said = said(out.path());
    assert!(said.contains(&*shard.file_name().unwrap().to_string_lossy()), "{said}");
}

#[test]
fn settings_of_windows() {
    let windows = |family: &str, changes: Value| {
        let config = read_config(changed(family, changes).path()).unwrap();
        config.layers.iter().map(|layer| layer.window).collect::<Vec<_>>()
    };
    let on = json!({"use_sliding_window": true, "sliding_window": 7, "max_window_layers": 1, "layer_types": null});
    assert_eq!(windows("qwen2", on), [None, Some(7)]);
    let types = json!({"use_sliding_window": true, "sliding_window": 7,
        "layer_types": ["sliding_attention", "full_attention"]});
    assert_eq!(windows("qwen3", types), [Some(7), None]);
    let off = json!({"sliding_window": 7, "layer_types": ["sliding_attention", "full_attention"]});
    assert_eq!(windows("qwen2", off), [None, None]);
    assert_eq!(windows("mistral", json!({"sliding_window": null})), [Some(4096); 2]);
    let pattern = json!({"layer_types": null, "sliding_window_pattern": 2});
    let found = windows("gemma3_text", pattern);
    assert_eq!(found, [Some(16), None, Some(16), None, Some(16), None]);
}

#[test]
fn batches_that_do_not_fit() {
    let model = loaded::<Flex>(&model_folder("llama"), &LoadOptions::default());
    let mut cache = model.new_cache(2, 4, KvDtype::F32);
    let span = |start, len, position, slot| Span { start, len, position, slot };
    let without = |ids: &[u32], spans: &[Span]| model.hidden(ids, spans, None).unwrap_err();
    assert_eq!(without(&[], &[]), BatchError::Empty);
    assert_eq!(without(&[1], &[span(0, 0, 0, 0), span(0, 1, 0, 0)]), BatchError::Empty);
    assert!(matches!(without(&[1, 2], &[span(0, 1, 0, 0)]), BatchError::Spans { .. }));
    assert!(matches!(without(&[1, 2], &[span(1, 1, 0, 0)]), BatchError::Spans { .. }));
    assert!(matches!(without(&[1, 2], &[span(0, usize::MAX, 0, 0)]), BatchError::Spans { .. }));
    assert!(matches!(without(&[1, 272], &whole_spans([2])), BatchError::TokenId { id: 272, .. }));
    assert!(matches!(without(&[1], &[span(0, 1, 3, 0)]), BatchError::NoCache { .. }));

    let mut with = |ids: &[u32], spans: &[Span]| model.hidden(ids, spans, Some(&mut cache)).err();
    assert_eq!(with(&[1, 2], &[span(0, 2, 0, 1)]), None);
    assert_eq!(with(&[1], &[span(0, 1, 0, 2)]), Some(BatchError::Slot { slot: 2, slots: 2 }));
    let gap = BatchError::Gap { slot: 1, position: 3, len: 2 };
    assert_eq!(with(&[1], &[span(0, 1, 3, 1)]), Some(gap));
    let full = BatchError::Capacity { slot: 1, len: 5, capacity: 4 };
    assert_eq!(with(&[1, 2, 3], &[span(0, 3, 2, 1)]), Some(full));
    let twice = BatchError::SlotTwice { slot: 0 };
    assert_eq!(with(&[1, 2], &[span(0, 1, 0, 0), span(1, 1, 1, 0)]), Some(twice));
    assert_eq!(cache.copy_slot(1, 2, 1), Err(BatchError::Slot { slot: 2, slots: 2 }));
    assert!(matches!(cache.copy_slot(1, 0, 3), Err(BatchError::Gap { .. })));
    assert_eq!(cache.copy_slot(1, 0, 2), Ok(()));
    assert_eq!((cache.len(0), cache.len(1)), (2, 2));
}
