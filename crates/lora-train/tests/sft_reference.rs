//! Steps of training against those of transformers 5.23, PEFT 0.21 and torch 2.13: `fixtures/sft/peft-*.json`.
//!
//! The batches come from a folder that Python's `datasets` 5.2.0 wrote, the adapter from the folder that PEFT wrote.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::adapter::{AdapterSpec, InitialWeights};
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadOptions, Quantization, load};
use collective::Collective;
use lora_train::data::{PlanOptions, ReadOptions, TokenRows};
use lora_train::{
    Digests, Event, Observer, StepReport, TrainOptions, TrainedPart, Training, train,
};
use optimizer::{AdamWConfig, Schedule, ScheduleKind, StateDtype};
use run_manifest::Run;
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

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}

struct Steps(Vec<StepReport>);

impl<B: DecoderBackend> Observer<B> for Steps {
    fn event(&mut self, event: &Event) {
        if let Event::Step(step) = event {
            self.0.push(step.clone());
        }
    }
}

fn spec() -> AdapterSpec {
    AdapterSpec {
        base_model: "llama".to_owned(),
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        scaling: lora_linear::LoraScaling::Standard,
        dora: false,
        target_modules: ["q", "k", "v", "o", "gate", "up", "down"]
            .map(|name| format!("{name}_proj"))
            .to_vec(),
        trainable_tokens: Vec::new(),
        init: InitialWeights::Default,
    }
}

fn check<B: DecoderBackend>(
    model: &str,
    quantization: Quantization,
    reference: &str,
    gradient_checkpointing: bool,
) {
    let text = std::fs::read_to_string(fixture(reference)).expect("a reference");
    let reference: Reference = serde_json::from_str(&text).expect("a reference");
    let folder = fixture("models").join(model);
    let adapter = Some(folder.join("adapter"));
    let options = LoadOptions { quantization, adapter, ..LoadOptions::default() };
    let mut model: CausalLm<B> =
        load(&folder, &options, &B::Device::default(), &|_| {}).expect("a model");
    let read = ReadOptions { vocab_size: model.config().vocab_size, max_length: 64 };
    let (rows, _) =
        TokenRows::open(&fixture("sft/llama-dataset"), "train", &read).expect("token rows");
    let steps = reference.steps.len() as u64;
    let options = TrainOptions {
        steps,
        schedule: Schedule {
            kind: ScheduleKind::Cosine,
            warmup: reference.warmup_steps,
            total: steps,
            peak: reference.lr,
            min_ratio: 0.0,
        },
        optimizer: AdamWConfig::default(),
        optimizer_state: StateDtype::F32,
        max_grad_norm: Some(reference.clip_global_norm),
        plan: PlanOptions {
            seed: 0,
            shuffle: false,
            balanced: false,
            micro_batch: 1,
            accumulation: reference.gradient_accumulation,
            world: 1,
        },
        gradient_checkpointing,
        dropout: 0.0,
        neftune_alpha: None,
        eval_steps: None,
        save_steps: None,
        keep_last: 1,
        early_stopping: None,
        max_bad_steps: 1,
        sample_steps: None,
        seed: 0,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = Steps(Vec::new());
    let training = Training {
        model: &mut model,
        part: &TrainedPart::Adapter(spec()),
        rows: &rows,
        validation: None,
        options: &options,
        finder: None,
        collective: &mut Collective::Single,
        folder: folder.path(),
        manifest: &|| Run::begin("train-sft", "0", &serde_json::Value::Null).expect("a run"),
        digests: Digests::default(),
        resume: None,
        stop: &AtomicBool::new(false),
    };
    train(training, &mut found).expect("a run that finishes");
    assert_eq!(found.0.len(), reference.steps.len());
    let (mut loss_off, mut norm_off) = (0.0_f64, 0.0_f64);
    for (step, expected) in found.0.iter().zip(&reference.steps) {
        let off = |got: f64, expected: f64| (got - expected).abs() / expected;
        assert_eq!(step.learning_rate.to_bits(), expected.lr.to_bits(), "step {}", step.step);
        loss_off = loss_off.max(off(step.loss, expected.loss));
        norm_off = norm_off.max(off(step.grad_norm, expected.grad_norm));
        assert!(loss_off < 1e-3, "step {}: {} {}", step.step, step.loss, expected.loss);
        assert!(norm_off < 1e-2, "step {}: {} {}", step.step, step.grad_norm, expected.grad_norm);
    }
    println!("furthest from the reference: loss {loss_off:.1e}, gradient norm {norm_off:.1e}");
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
