//! Steps of training against those of transformers 5.23, PEFT 0.21 and torch 2.13: `fixtures/sft/peft-*.json`.
//!
//! The batches come from a folder that Python's `datasets` 5.2.0 wrote, the adapter from the folder that PEFT wrote.

mod common;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, Quantization};
use common::{adapted, fixture, options, rows, run};
use lora_train::TrainOptions;
use optimizer::{Schedule, ScheduleKind};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    gradient_accumulation: usize,
    clip_global_norm: f64,
    lr: f64,
    warmup_steps: u64,
    steps: Vec<ReferenceStep>,
}

#[derive(Deserialize)]
struct ReferenceStep {
    loss: f64,
    grad_norm: f64,
    lr: f64,
}

fn check<B: DecoderBackend>(
    model: &str,
    quantization: Quantization,
    reference: &str,
    gradient_checkpointing: bool,
) {
    let model = adapted::<B>(model, quantization);
    check_model(model, reference, gradient_checkpointing, [1e-6, 1e-5]);
}

/// Losses and gradient norms within so much of the reference, relative to it.
fn check_model<B: DecoderBackend>(
    mut model: CausalLm<B>,
    reference: &str,
    gradient_checkpointing: bool,
    [of_loss, of_norm]: [f64; 2],
) {
    let text = std::fs::read_to_string(fixture(reference)).expect("a reference");
    let reference: Reference = serde_json::from_str(&text).expect("a reference");
    let steps = reference.steps.len() as u64;
    let options = TrainOptions {
        schedule: Schedule {
            kind: ScheduleKind::Cosine,
            warmup: reference.warmup_steps,
            total: steps,
            peak: reference.lr,
            min_ratio: 0.0,
        },
        max_grad_norm: Some(reference.clip_global_norm),
        gradient_checkpointing,
        ..options(steps, 1, reference.gradient_accumulation)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (notes, outcome) = run(&mut model, &rows(), None, &options, folder.path(), None);
    outcome.expect("a run that finishes");
    let found = notes.steps();
    assert_eq!(found.len(), reference.steps.len());
    for (step, expected) in found.iter().zip(&reference.steps) {
        let off = |got: f64, expected: f64| (got - expected).abs() / expected;
        assert_eq!(step.learning_rate.to_bits(), expected.lr.to_bits(), "step {}", step.step);
        let (loss, norm) = (off(step.loss, expected.loss), off(step.grad_norm, expected.grad_norm));
        assert!(loss < of_loss && norm < of_norm, "step {}: off by {loss:e}, {norm:e}", step.step);
    }
}

#[test]
fn llama() {
    check::<Flex>("llama", Quantization::None, "sft/peft-llama.json", false);
    check::<Flex>("llama", Quantization::None, "sft/peft-llama.json", true);
    check::<NdArray>("llama", Quantization::None, "sft/peft-llama.json", true);
}

#[test]
fn qwen3() {
    check::<Flex>("qwen3", Quantization::None, "sft/peft-qwen3.json", true);
    check::<NdArray>("qwen3", Quantization::None, "sft/peft-qwen3.json", false);
}

/// The reference's weights are dequantized by the definition of NF4; bitsandbytes 0.50.2 itself takes wrong scales where a
/// row is not a whole number of blocks, as here: see `make_nf4_reference.py`.
#[test]
fn llama_in_nf4() {
    let quantization = Quantization::Nf4 { double: true };
    check::<Flex>("llama", quantization, "sft/peft-llama-nf4.json", true);
    check::<NdArray>("llama", quantization, "sft/peft-llama-nf4.json", false);
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn runs_on_a_gpu() {
    use cpu_kernels::ComputeDtype;

    let model = |name, quantization, compute| {
        common::adapted_in::<cube_kernels::Gpu>(name, quantization, compute)
    };
    let nf4 = Quantization::Nf4 { double: true };
    let exact = model("llama", Quantization::None, ComputeDtype::F32);
    check_model(exact, "sft/peft-llama.json", true, [1e-3, 1e-3]);
    let packed = model("llama", nf4, ComputeDtype::F32);
    check_model(packed, "sft/peft-llama-nf4.json", false, [1e-3, 1e-3]);
    // In bfloat16, or on a device without it in IEEE half precision.
    let low = model("llama", nf4, ComputeDtype::Bf16);
    check_model(low, "sft/peft-llama-nf4.json", true, [3e-2, 3e-2]);
}
