//! Short runs on the tiny models.
#![allow(dead_code, reason = "every test uses some of it")]

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use causal_lm::adapter::{AdapterSpec, InitialWeights};
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadOptions, Quantization, load};
use collective::Collective;
use cpu_kernels::ComputeDtype;
use lora_train::checkpoint::Found;
use lora_train::data::{PlanOptions, ReadOptions, TokenRows};
use lora_train::{
    Digests, Event, Observer, Outcome, StepReport, TrainError, TrainOptions, TrainedPart, Training,
    train,
};
use optimizer::{AdamWConfig, Schedule, ScheduleKind, StateDtype};
use run_manifest::Run;

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}

/// A tiny model with the adapter that PEFT made for it.
pub(crate) fn adapted<B: DecoderBackend>(model: &str, quantization: Quantization) -> CausalLm<B> {
    adapted_in(model, quantization, ComputeDtype::F32)
}

pub(crate) fn adapted_in<B: DecoderBackend>(
    model: &str,
    quantization: Quantization,
    compute: ComputeDtype,
) -> CausalLm<B> {
    let folder = fixture("models").join(model);
    let adapter = Some(folder.join("adapter"));
    let options = LoadOptions { quantization, adapter, compute, ..LoadOptions::default() };
    load(&folder, &options, &B::Device::default(), &|_| {}).expect("a model")
}

/// 72 rows that Python's `datasets` 5.2.0 wrote.
pub(crate) fn rows() -> TokenRows {
    let read = ReadOptions { vocab_size: 261, max_length: 64 };
    TokenRows::open(&fixture("sft/llama-dataset"), "train", &read).expect("token rows").0
}

pub(crate) fn part() -> TrainedPart {
    TrainedPart::Adapter(AdapterSpec {
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
    })
}

/// Steps of `micro_batch · accumulation` rows in the order of the file.
pub(crate) fn options(steps: u64, micro_batch: usize, accumulation: usize) -> TrainOptions {
    TrainOptions {
        steps,
        schedule: Schedule {
            kind: ScheduleKind::Cosine,
            warmup: 4,
            total: steps,
            peak: 3e-3,
            min_ratio: 0.0,
        },
        optimizer: AdamWConfig::default(),
        optimizer_state: StateDtype::F32,
        max_grad_norm: Some(0.5),
        plan: PlanOptions {
            seed: 0,
            shuffle: false,
            balanced: false,
            micro_batch,
            accumulation,
            world: 1,
        },
        gradient_checkpointing: true,
        dropout: 0.0,
        neftune_alpha: None,
        eval_steps: None,
        save_steps: None,
        keep_last: 1,
        early_stopping: None,
        max_bad_steps: 1,
        sample_steps: None,
        seed: 0,
    }
}

/// Takes note of everything.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Vec<Event>);

impl<B: DecoderBackend> Observer<B> for Notes {
    fn event(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}

impl Notes {
    pub(crate) fn steps(&self) -> Vec<StepReport> {
        let step = |event: &Event| match event {
            Event::Step(step) => Some(step.clone()),
            _ => None,
        };
        self.0.iter().filter_map(step).collect()
    }

    pub(crate) fn losses(&self) -> Vec<f64> {
        self.steps().iter().map(|step| step.loss).collect()
    }
}

/// A run in `folder`; what happened, and how it ended.
pub(crate) fn run<B: DecoderBackend>(
    model: &mut CausalLm<B>,
    rows: &TokenRows,
    validation: Option<&TokenRows>,
    options: &TrainOptions,
    folder: &Path,
    resume: Option<Found>,
) -> (Notes, Result<Outcome, TrainError>) {
    let mut notes = Notes::default();
    let training = Training {
        model,
        part: &part(),
        rows,
        validation,
        options,
        finder: None,
        collective: &mut Collective::Single,
        folder,
        manifest: &|| Run::begin("train-sft", "0", &serde_json::Value::Null).expect("a run"),
        digests: Digests::default(),
        resume,
        stop: &AtomicBool::new(false),
    };
    let outcome = train(training, &mut notes);
    (notes, outcome)
}
