use std::fs;
use std::path::{Path, PathBuf};

use checkpoint_files::Checkpoint;
use cpu_kernels::FrozenWeight;
use cpu_kernels::decoder::{KvDtype, KvLayer};

use super::*;
use crate::{DenseDtype, ModelConfig, Quantization, read_config};

const FAMILIES: [&str; 7] =
    ["gemma3_text", "llama", "llama_tied_rope3", "mistral", "phi3", "qwen2", "qwen3"];

fn folder(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models").join(family)
}

fn values(path: &Path) -> u64 {
    let file = Checkpoint::open(path).expect("a fixture");
    file.tensors().iter().map(|tensor| tensor.n_values() as u64).sum()
}

fn smollm2() -> ModelConfig {
    let folder = tempfile::tempdir().expect("a folder");
    let config = r#"{"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536,
        "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": true,
        "rope_theta": 100000.0, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5}"#;
    let path = folder.path().join("config.json");
    fs::write(&path, config).expect("a file");
    let fields = crate::config::Fields::read(&path).expect("JSON");
    crate::families::read_config(&fields).expect("a known family")
}

fn bytes(estimate: &Estimate, name: &str) -> u64 {
    estimate.items.iter().find(|item| item.name == name).expect(name).bytes
}

#[test]
fn parameters_are_those_of_the_files() {
    for family in FAMILIES {
        let config = read_config(&folder(family)).unwrap();
        let lora = Some(LoraSize { rank: 4, targets: Vec::new() });
        let estimate = estimate(&config, &EstimateOptions { lora, ..Default::default() }).unwrap();
        assert_eq!(
            estimate.parameters,
            values(&folder(family).join("model.safetensors")),
            "{family}"
        );
        let adapter = values(&folder(family).join("adapter/adapter_model.safetensors"));
        assert_eq!(estimate.trainable_parameters, adapter, "{family}");
        // Dense f32 weights take 4 bytes a value, and an adapter's too.
        assert_eq!(estimate.total_bytes, 4 * (estimate.parameters + adapter), "{family}");
    }
}

/// 134,515,008 is what transformers 5.23 counts for SmolLM2-135M, and 4,884,480 PEFT 0.21 for rank 16 on all projections.
#[test]
fn smollm2_to_the_parameter() {
    let lora = Some(LoraSize { rank: 16, targets: Vec::new() });
    let quantization = Quantization::Nf4 { double: true };
    let options = EstimateOptions { lora, quantization, ..Default::default() };
    let estimate = estimate(&smollm2(), &options).unwrap();
    assert_eq!((estimate.parameters, estimate.trainable_parameters), (134_515_008, 4_884_480));
    assert_eq!(bytes(&estimate, "embedding and head"), 4 * 49_152 * 576);
    assert_eq!(bytes(&estimate, "norms and biases"), 4 * (61 * 576));
}

#[test]
fn weights_are_as_large_as_they_are() {
    for (rows, cols) in [(1, 1), (3, 5), (64, 64), (130, 127), (300, 64), (257, 64)] {
        let size =
            TensorSize { name: "q_proj", role: TensorRole::Projection, rows, cols, count: 1 };
        let values = vec![0.5f32; rows * cols];
        let check = |weight: FrozenWeight, quantization| {
            let got = weight_bytes(&size, quantization, DenseDtype::F32);
            assert_eq!(got, weight.bytes() as u64, "{rows} by {cols}, {quantization:?}");
        };
        check(FrozenWeight::nf4(rows, cols, &values).unwrap(), Quantization::Nf4 { double: false });
        let double = FrozenWeight::nf4_double(rows, cols, &values).unwrap();
        check(double, Quantization::Nf4 { double: true });
        check(FrozenWeight::int8(rows, cols, &values).unwrap(), Quantization::Int8);
        check(FrozenWeight::f32(rows, cols, values).unwrap(), Quantization::None);
        assert_eq!(
            weight_bytes(&size, Quantization::None, DenseDtype::Bf16),
            2 * (rows * cols) as u64
        );
        // Embeddings are never quantized.
        let embedding = TensorSize { role: TensorRole::Embedding, ..size };
        let dense = weight_bytes(&embedding, Quantization::Int8, DenseDtype::F16);
        assert_eq!(dense, 2 * (rows * cols) as u64);
    }
}

#[test]
fn caches_are_as_large_as_they_are() {
    let config = smollm2();
    for cache in [KvDtype::F32, KvDtype::Bf16, KvDtype::Q8] {
        let generation = Generation { slots: 3, capacity: 640, cache, prefill_chunk: 512 };
        let options = EstimateOptions { generation: Some(generation), ..Default::default() };
        let got = bytes(&estimate(&config, &options).unwrap(), "cache");
        assert_eq!(got, 30 * KvLayer::bytes(3, 640, 3, 64, cache) as u64, "{cache:?}");
    }
}

#[test]
fn training_by_hand() {
    let config = smollm2();
    let of = |gradient_checkpointing| {
        let training =
            Training { batch: 2, sequence: 512, gradient_checkpointing, logit_rows: 256 };
        let lora = Some(LoraSize { rank: 16, targets: vec!["q_proj".into(), "v_proj".into()] });
        let options = EstimateOptions { lora, training: Some(training), ..Default::default() };
        estimate(&config, &options).unwrap()
    };
    // hidden 576, query 576, kv 192, 9 heads, intermediate 1536, two projections of rank 16.
    let layer = 4 * 576 + 2 * 576 + 2 * 192 + 9 + 3 * 1536 + 2 * 16;
    let kept = of(false);
    let adapter = 30 * 16 * ((576 + 576) + (576 + 192));
    assert_eq!(kept.trainable_parameters, adapter);
    assert_eq!(bytes(&kept, "activations"), 1024 * 4 * (30 * layer + 2 * 576));
    assert_eq!(bytes(&kept, "optimizer"), 8 * adapter);
    assert_eq!(bytes(&kept, "gradients"), 4 * adapter);
    assert_eq!(bytes(&kept, "logits"), 256 * 49_152 * 8);
    assert_eq!(bytes(&of(true), "activations"), 1024 * 4 * (30 * 576 + layer + 2 * 576));
    assert_eq!(kept.total_bytes, kept.items.iter().map(|item| item.bytes).sum::<u64>());
}

#[test]
fn what_cannot_be_estimated() {
    let lora = |rank, target: &str| Some(LoraSize { rank, targets: vec![target.to_owned()] });
    let check = |lora, want: &str| {
        let options = EstimateOptions { lora, ..Default::default() };
        assert_eq!(estimate(&smollm2(), &options).unwrap_err().to_string(), want);
    };
    check(
        lora(8, "qkv_proj"),
        "the model has no projection `qkv_proj`; it has q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
    );
    check(lora(usize::MAX, "q_proj"), "adapter needs more bytes than can be counted");
}
