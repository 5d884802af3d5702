//! Quantized models: while loading, as folders of ours, and as folders of transformers with bitsandbytes.

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn_flex::Flex;
use causal_lm::model::{GateUpProjections, QkvProjections};
use causal_lm::{CausalLm, LoadOptions, Quantization, save_quantized};
use checkpoint_files::Checkpoint;
use common::{fixture, loaded, logits, max_difference, model_folder, reference, try_load};
use cpu_kernels::{FrozenWeight, Values};

const KINDS: [Quantization; 3] =
    [Quantization::Nf4 { double: false }, Quantization::Nf4 { double: true }, Quantization::Int8];

fn quantized(quantization: Quantization) -> LoadOptions {
    LoadOptions { quantization, ..LoadOptions::default() }
}

/// All weights of projections.
fn weights(model: &CausalLm<Flex>) -> Vec<Arc<FrozenWeight>> {
    let mut all = Vec::new();
    for block in model.blocks() {
        match &block.attention.qkv {
            QkvProjections::Separate { q, k, v } => all.extend([q, k, v]),
            QkvProjections::Fused(qkv) => all.push(qkv),
        }
        match &block.feed_forward.gate_up {
            GateUpProjections::Separate { gate, up } => all.extend([gate, up]),
            GateUpProjections::Fused(both) => all.push(both),
        }
        all.extend([&block.attention.output, &block.feed_forward.down]);
    }
    all.into_iter()
        .map(|linear| linear.base.frozen().expect("a frozen weight").weight().clone())
        .collect()
}

fn check_folder(family: &str, source: &Path, quantization: Quantization) {
    let out = tempfile::tempdir().expect("a folder");
    save_quantized(source, out.path(), quantization, &|_| {}).expect("a folder");
    let made = loaded::<Flex>(source, &quantized(quantization));
    let read = loaded::<Flex>(out.path(), &LoadOptions::default());
    assert_eq!(weights(&made), weights(&read), "{family}, {quantization:?}");
    let is_packed = |w: &Arc<FrozenWeight>| matches!(w.values(), Values::Nf4(_) | Values::Int8(_));
    assert!(weights(&read).iter().all(is_packed), "{family}, {quantization:?}");
    let row = &reference(family).rows[0];
    assert_eq!(logits(&made, &[row]), logits(&read, &[row]), "{family}, {quantization:?}");
    assert_eq!(out.path().join("tokenizer.json").exists(), source.is_dir());
}

#[test]
fn saved_folders_load_with_the_same_bits() {
    for quantization in KINDS {
        check_folder("llama", &model_folder("llama"), quantization);
        check_folder("phi3", &model_folder("phi3"), quantization);
    }
}

/// Embeddings in Q8_0, rows in the order of GGUF, norms with their offset in them.
#[test]
fn saved_gguf_files_load_with_the_same_bits() {
    for family in ["llama", "llama_tied_rope3", "qwen3", "gemma3_text"] {
        let source = fixture("models/gguf").join(format!("{family}.gguf"));
        check_folder(family, &source, Quantization::Nf4 { double: true });
    }
}

#[test]
fn quantized_models_are_near_the_plain_ones() {
    let row = &reference("llama").rows[0];
    let plain = logits(&loaded::<Flex>(&model_folder("llama"), &LoadOptions::default()), &[row]);
    let largest = plain.iter().fold(0.0, |max: f32, v| max.max(v.abs()));
    for (quantization, bound) in KINDS.into_iter().zip([0.5, 0.5, 0.05]) {
        let model = loaded::<Flex>(&model_folder("llama"), &quantized(quantization));
        let difference = max_difference(&logits(&model, &[row]), &plain) / largest;
        assert!(difference > 0.0 && difference < bound, "{quantization:?}: {difference}");
    }
}

/// Logits of the last token that transformers with bitsandbytes computes from the folder that it saved.
#[test]
fn folders_of_bitsandbytes_load() {
    let file = Checkpoint::open(fixture("models/bitsandbytes/logits.safetensors")).unwrap();
    for name in ["nf4", "nf4_double"] {
        let folder = fixture("models/bitsandbytes").join(name);
        let model = loaded::<Flex>(&folder, &LoadOptions::default());
        let row = &reference("llama").rows[0];
        let all = logits(&model, &[row]);
        let mut expected = Vec::new();
        file.get(name).unwrap().to_f32(&mut expected).unwrap();
        let difference = max_difference(&all[all.len() - expected.len()..], &expected);
        assert!(difference < 1e-4, "{name}: {difference}");
        let quantization = Quantization::Nf4 { double: name == "nf4_double" };
        let ours = loaded::<Flex>(&model_folder("llama"), &quantized(quantization));
        assert_eq!(weights(&ours), weights(&model), "{name}");
    }
}

#[test]
fn what_cannot_be_quantized_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let save = |from: &Path, how| {
        save_quantized(from, &out.path().join("out"), how, &|_| {}).unwrap_err().to_string()
    };
    let nf4 = Quantization::Nf4 { double: true };
    let message = save(&model_folder("llama"), Quantization::None);
    assert!(message.contains("no quantization"), "{message}");
    let stored = fixture("models/bitsandbytes/nf4");
    let message = save(&stored, nf4);
    assert!(message.contains("already"), "{message}");
    assert!(!out.path().join("out").exists());
    let message =
        try_load::<Flex>(&stored, &quantized(Quantization::Int8)).unwrap_err().to_string();
    assert!(message.contains("NF4") && message.contains("INT8"), "{message}");
}

#[test]
fn other_methods_of_quantization_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(model_folder("llama").join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("config.json");
    let config = fs::read_to_string(&path).unwrap();
    let config = config.replacen('{', "{\"quantization_config\": {\"quant_method\": \"gptq\"},", 1);
    fs::write(&path, config).unwrap();
    let message = try_load::<Flex>(folder.path(), &LoadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("gptq") && message.contains("bitsandbytes"), "{message}");
}
