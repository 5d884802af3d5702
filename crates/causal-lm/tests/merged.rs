//! Adapters merged into their base: what the folder computes, and what is in it.

mod common;

use std::fs;
use std::path::Path;

use burn_flex::Flex;
use causal_lm::{LoadOptions, MergedDtype, Quantization, save_merged};
use checkpoint_files::Checkpoint;
use common::{
    FAMILIES, first_ids, fixture, loaded, logits, max_difference, model_folder, reference,
};
use serde_json::Value;

fn options(adapter: &Path) -> LoadOptions {
    LoadOptions { adapter: Some(adapter.to_owned()), ..LoadOptions::default() }
}

fn floats(folder: &Path) -> Vec<(String, Vec<f32>)> {
    let file = Checkpoint::open(folder).expect("a model");
    let read = |name: &str| {
        let mut values = Vec::new();
        file.get(name).expect(name).to_f32(&mut values).expect(name);
        (name.to_owned(), values)
    };
    file.tensors().iter().map(|info| read(&info.name)).collect()
}

/// Logits of the merged folder against those of base and adapter.
fn check_merged(family: &str, source: &Path, adapter: &Path, quantization: Quantization) {
    let what = format!("{} with {}, {quantization:?}", source.display(), adapter.display());
    let mut row = reference(family).rows[0].clone();
    let name = adapter.file_name().and_then(|name| name.to_str()).expect("a name");
    row[..3].copy_from_slice(&first_ids(name));
    let options = LoadOptions { quantization, ..options(adapter) };
    let adapted = logits(&loaded::<Flex>(source, &options), &[&row]);
    let plain = LoadOptions { adapter: None, ..options };
    let largest = adapted.iter().fold(0.0, |max: f32, v| max.max(v.abs()));
    let vocab_size = adapted.len() / row.len();
    let unmerged = LoadOptions { min_vocab_size: vocab_size, ..plain.clone() };
    let unmerged = logits(&loaded::<Flex>(source, &unmerged), &[&row]);
    assert!(max_difference(&adapted, &unmerged) > 1e-2, "{what}: the adapter changes nothing");

    let out = tempfile::tempdir().expect("a folder");
    let merged = |dtype, name: &str| {
        let out = out.path().join(name);
        save_merged(source, &plain, adapter, &out, dtype, &|_| {}).expect("a merged model");
        out
    };
    let (exact, rounded) = (merged(MergedDtype::F32, "f32"), merged(MergedDtype::Bf16, "bf16"));
    let difference = |folder: &Path| {
        let model = loaded::<Flex>(folder, &LoadOptions::default());
        assert_eq!(model.config().vocab_size, vocab_size, "{what}");
        max_difference(&logits(&model, &[&row]), &adapted) / largest
    };
    assert!(difference(&exact) < 2e-5, "{what}: {}", difference(&exact));
    // Weights with 8 bits of precision, in models whose weights are random and large.
    assert!(difference(&rounded) < 5e-2, "{what}: {}", difference(&rounded));
    let bf16 = |value: &f32| half::bf16::from_f32(*value).to_f32();
    for ((name, exact), (same, rounded)) in floats(&exact).iter().zip(floats(&rounded)) {
        assert_eq!(*name, same, "{what}");
        assert_eq!(rounded, exact.iter().map(bf16).collect::<Vec<_>>(), "{what}: {name}");
    }
}

#[test]
fn merged_models_compute_what_base_and_adapter_compute() {
    for family in FAMILIES {
        let folder = model_folder(family);
        check_merged(family, &folder, &folder.join("adapter"), Quantization::None);
        let nf4 = Quantization::Nf4 { double: true };
        check_merged(family, &folder, &folder.join("adapter"), nf4);
    }
    for (adapter, family) in [
        ("dora", "llama"),
        ("patterns", "llama"),
        ("regex", "qwen3"),
        ("tokens", "llama"),
        ("tokens_tied", "llama_tied_rope3"),
        ("tokens_beyond", "llama_tied_rope3"),
    ] {
        let adapter = fixture("models/adapters").join(adapter);
        check_merged(family, &model_folder(family), &adapter, Quantization::None);
        check_merged(family, &model_folder(family), &adapter, Quantization::Int8);
    }
}

#[test]
fn quantized_folders_and_gguf_files_are_merged_too() {
    let llama = model_folder("llama");
    let stored = fixture("models/bitsandbytes/nf4_double");
    check_merged("llama", &stored, &llama.join("adapter"), Quantization::None);
    for family in ["llama", "phi3", "gemma3_text"] {
        let gguf = fixture("models/gguf").join(format!("{family}.gguf"));
        check_merged(family, &gguf, &model_folder(family).join("adapter"), Quantization::None);
    }
    let gguf = fixture("models/gguf/llama_tied_rope3.gguf");
    let new_tokens = fixture("models/adapters/tokens_beyond");
    check_merged("llama_tied_rope3", &gguf, &new_tokens, Quantization::None);
}

#[test]
fn a_merged_folder_has_all_that_a_server_asks_for() {
    let out = tempfile::tempdir().unwrap();
    let stored = fixture("models/bitsandbytes/nf4_double");
    let adapter = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(model_folder("llama").join("adapter")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), adapter.path().join(entry.file_name())).unwrap();
    }
    let text = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let tokenizer = text(&model_folder("llama"), "tokenizer.json") + " ";
    fs::write(adapter.path().join("tokenizer.json"), &tokenizer).unwrap();
    let options = LoadOptions::default();
    let merge = |out: &Path| {
        save_merged(&stored, &options, adapter.path(), out, MergedDtype::Bf16, &|_| {})
    };
    merge(out.path()).unwrap();
    assert_eq!(text(out.path(), "tokenizer.json"), tokenizer, "the adapter's own");
    let config: Value = serde_json::from_str(&text(out.path(), "config.json")).unwrap();
    assert_eq!(
        (&config["dtype"], &config["torch_dtype"]),
        (&"bfloat16".into(), &"bfloat16".into())
    );
    assert_eq!(config.get("quantization_config"), None);
    let about: Value = serde_json::from_str(&text(out.path(), "merge.json")).unwrap();
    assert_eq!(about["base_projections"], "dequantized from the NF4 that the folder holds");

    let error = merge(adapter.path()).unwrap_err().to_string();
    assert!(error.contains("somewhere else"), "{error}");
    assert!(!adapter.path().join("config.json").exists());
    fs::write(
        adapter.path().join("tokenizer.json"),
        tokenizer.replace("\"id\": 256", "\"id\": 9999"),
    )
    .unwrap();
    let error = merge(&out.path().join("other")).unwrap_err().to_string();
    assert!(error.contains("9999"), "{error}");
    assert!(!out.path().join("other").exists());
}
