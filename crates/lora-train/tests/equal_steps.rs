//! What must not change what is computed: how a step is made up of micro-batches, packing, a resume.

mod common;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::Quantization;
use causal_lm::ops::DecoderBackend;
use common::{adapted, options, rows, run};
use lora_train::checkpoint::newest;
use lora_train::{EarlyStoppingOptions, End, Event, TrainError, TrainOptions, WatchedMetric};
use optimizer::StateDtype;

const NF4: Quantization = Quantization::Nf4 { double: true };

fn losses(micro_batch: usize, accumulation: usize, pack: Option<usize>) -> Vec<f64> {
    let mut rows = rows();
    if let Some(max_length) = pack {
        rows.pack(max_length);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = adapted::<Flex>("llama", NF4);
    let options = options(6, micro_batch, accumulation);
    let (notes, outcome) = run(&mut model, &rows, None, &options, folder.path(), None);
    outcome.expect("a run that finishes");
    notes.losses()
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / b).fold(0.0, f64::max)
}

#[test]
fn one_micro_batch_of_eight_is_eight_of_one() {
    let one_by_one = losses(1, 8, None);
    for (micro_batch, accumulation) in [(8, 1), (4, 2), (3, 3)] {
        // Three times three is nine rows a step: another run.
        let off = furthest(&losses(micro_batch, accumulation, None), &one_by_one);
        let expected = if micro_batch * accumulation == 8 { 0.0..1e-5 } else { 1e-3..1.0 };
        assert!(expected.contains(&off), "{micro_batch} times {accumulation}: {off}");
    }
}

#[test]
fn packed_rows_are_unpacked_ones() {
    // All 72 examples in one step, whatever the rows: packing changes which examples share one.
    let unpacked = losses(72, 1, None);
    let packed = losses(72, 1, Some(200));
    assert!(furthest(&packed, &unpacked) < 1e-5, "{packed:?} {unpacked:?}");
}

/// Runs 12 steps, and again in two parts: the same losses, gradient norms and final values, bit for bit.
fn check_resume<B: DecoderBackend>(change: impl Fn(TrainOptions) -> TrainOptions) {
    let rows = rows();
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let whole_run = change(TrainOptions { save_steps: Some(5), ..options(12, 2, 2) });
    let mut model = adapted::<B>("llama", NF4);
    let (whole, outcome) = run(&mut model, &rows, None, &whole_run, folders[0].path(), None);
    outcome.expect("a run that finishes");

    // Ends after the checkpoint of step 5, as a killed run does.
    let first_part = TrainOptions { steps: 5, ..whole_run.clone() };
    let mut model = adapted::<B>("llama", NF4);
    run(&mut model, &rows, None, &first_part, folders[1].path(), None).1.expect("a first part");
    let found = newest(folders[1].path()).expect("a folder").found;
    assert_eq!(found.as_ref().map(|found| found.state.step), Some(5));
    let mut model = adapted::<B>("llama", NF4);
    let (rest, outcome) = run(&mut model, &rows, None, &whole_run, folders[1].path(), found);
    outcome.expect("a second part");
    let numbers = |notes: &common::Notes| -> Vec<[u64; 4]> {
        let steps = notes.steps();
        let bits = steps.iter().map(|step| {
            [step.step, step.loss.to_bits(), step.grad_norm.to_bits(), step.learning_rate.to_bits()]
        });
        bits.collect()
    };
    assert_eq!(numbers(&rest), numbers(&whole)[5..]);
    let adapter = |folder: &tempfile::TempDir| {
        let path = folder.path().join("checkpoint-12/adapter_model.safetensors");
        std::fs::read(path).expect("an adapter")
    };
    assert!(adapter(&folders[0]) == adapter(&folders[1]), "other bytes");
}

#[test]
fn a_resumed_run_is_as_if_nothing_had_happened() {
    check_resume::<Flex>(|options| options);
    // The optimizer is where the model is.
    check_resume::<NdArray>(|options| options);
    check_resume::<Flex>(|options| TrainOptions {
        dropout: 0.2,
        neftune_alpha: Some(5.0),
        plan: lora_train::data::PlanOptions { shuffle: true, ..options.plan },
        ..options
    });
    check_resume::<Flex>(|options| TrainOptions {
        optimizer_state: StateDtype::Blockwise8,
        ..options
    });
}

#[test]
fn another_number_of_processes_is_named() {
    let rows = rows();
    let folder = tempfile::tempdir().unwrap();
    let mut model = adapted::<Flex>("llama", NF4);
    run(&mut model, &rows, None, &options(2, 1, 1), folder.path(), None).1.unwrap();
    let mut found = newest(folder.path()).unwrap().found.unwrap();
    found.state.world_size = 4;
    let (_, outcome) = run(&mut model, &rows, None, &options(3, 1, 1), folder.path(), Some(found));
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("4 processes, and this one has 1"), "{message}");
}

/// A learning rate that nothing survives: steps are left out, then the run ends, and the good checkpoint stays.
#[test]
fn losses_that_are_not_finite_end_the_run() {
    let rows = rows();
    let folder = tempfile::tempdir().unwrap();
    let mut model = adapted::<Flex>("llama", NF4);
    run(&mut model, &rows, None, &options(2, 1, 1), folder.path(), None).1.unwrap();
    let found = newest(folder.path()).unwrap().found;
    let mut wild = TrainOptions { max_bad_steps: 3, save_steps: Some(1), ..options(20, 1, 1) };
    wild.schedule.peak = 1e30;
    let (notes, outcome) = run(&mut model, &rows, None, &wild, folder.path(), found);
    match outcome.unwrap_err() {
        TrainError::NotFinite { in_a_row: 3, checkpoint: Some(path), .. } => assert!(path.exists()),
        other => panic!("{other}"),
    }
    let skipped = notes.0.iter().filter(|event| matches!(event, Event::Skipped { .. })).count();
    assert_eq!(skipped, 3);
}

#[test]
fn evaluations_that_do_not_improve_end_the_run_with_the_best_model() {
    let rows = rows();
    let folder = tempfile::tempdir().unwrap();
    let mut options = TrainOptions {
        eval_steps: Some(1),
        early_stopping: Some(EarlyStoppingOptions {
            patience: 2,
            min_delta: 0.0,
            metric: WatchedMetric::Loss,
        }),
        ..options(60, 1, 1)
    };
    options.schedule.peak = 0.2;
    let mut model = adapted::<Flex>("llama", NF4);
    let (notes, outcome) = run(&mut model, &rows, Some(&rows), &options, folder.path(), None);
    let outcome = outcome.unwrap();
    assert_eq!(outcome.end, End::Early);
    let evaluations: Vec<f64> = notes
        .0
        .iter()
        .filter_map(|event| match event {
            Event::Evaluation(report) => Some(report.loss),
            _ => None,
        })
        .collect();
    let best = evaluations.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(outcome.state.early_stopping.best, Some(best));
    assert_eq!(evaluations[evaluations.len() - 3], best, "two evaluations after the best one");
    let again =
        lora_train::evaluate(&model, &rows, None, 1, 0, &mut collective::Collective::Single);
    assert_eq!(again.unwrap().loss, best, "the model is the best one");
}
