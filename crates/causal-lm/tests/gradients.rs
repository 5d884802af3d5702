//! Gradients of all families against transformers 5.23 and PEFT 0.21 (torch 2.13), on every CPU backend.

mod common;

use std::collections::BTreeMap;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{
    BatchLoss, Gradients, Parameters, PassOptions, Target, TokenBatch, batch_loss,
    loss_and_gradients, train_tokens, train_whole,
};
use causal_lm::{CausalLm, LoadOptions};
use checkpoint_files::Checkpoint;
use common::{FAMILIES, fixture, loaded, model_folder, reference, whole_spans, with_adapter};
use cpu_kernels::ComputeDtype;
use serde::Deserialize;

/// Norm of the difference over the norm, against another program.
const TOLERANCE: f64 = 1e-5;

struct Expected {
    ids: Vec<u32>,
    targets: Vec<Target>,
    loss: f64,
    file: Checkpoint,
}

fn expected(family: &str) -> Expected {
    let file = Checkpoint::open(model_folder(family).join("reference.safetensors"))
        .expect("a reference file");
    let (words, _) = file.get("labels").expect("labels").bytes.as_chunks();
    let labels: Vec<i64> = words.iter().map(|word| i64::from_le_bytes(*word)).collect();
    let rows = reference(family).rows;
    let width = rows[0].len();
    let first_of_row = |place: usize| place.is_multiple_of(width);
    let targets =
        labels.iter().enumerate().filter(|(place, label)| **label >= 0 && !first_of_row(*place));
    let targets =
        targets.map(|(place, &id)| Target { row: place - 1, id: id as u32, weight: 1.0 }).collect();
    let mut loss = Vec::new();
    file.get("loss_adapter").expect("loss").to_f32(&mut loss).expect("floats");
    Expected { ids: rows.concat(), targets, loss: f64::from(loss[0]), file }
}

fn options(targets: usize, recompute: bool) -> PassOptions {
    PassOptions {
        scale: 1.0 / targets as f32,
        recompute,
        dropout: 0.0,
        neftune_alpha: None,
        seed: 0,
    }
}

/// The norm of the difference over the norm.
fn distance(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt()
    };
    square(&mut got.iter().zip(expected).map(|(a, b)| a - b))
        / square(&mut expected.iter().copied())
}

/// The losses of the last of several passes, and the sum of their gradients.
fn passes<B: DecoderBackend>(
    model: &CausalLm<B>,
    parameters: &Parameters,
    batch: &TokenBatch<'_>,
    options: &PassOptions,
    count: usize,
) -> (BatchLoss, Vec<f32>) {
    let (mut gradients, mut loss) = (Gradients::new(parameters), BatchLoss::default());
    for _ in 0..count {
        loss = loss_and_gradients(model, parameters, batch, options, &mut gradients)
            .expect("a batch that fits")
            .read()
            .expect("a device that works");
    }
    (loss, gradients.read().expect("a device that works"))
}

fn check_adapter<B: DecoderBackend>(family: &str) {
    check_adapter_in::<B>(family, ComputeDtype::F32, [1e-5, TOLERANCE]);
}

/// Loss and gradients within so much of the reference, relative to it.
fn check_adapter_in<B: DecoderBackend>(
    family: &str,
    compute: ComputeDtype,
    [of_loss, of_gradient]: [f64; 2],
) {
    let Expected { ids, targets, loss, file } = expected(family);
    let loading = LoadOptions { compute, ..with_adapter(family) };
    let mut model = loaded::<B>(&model_folder(family), &loading);
    let parameters = Parameters::of(&mut model);
    let spans = whole_spans([ids.len() / 2, ids.len() / 2]);
    let batch = TokenBatch { ids: &ids, spans: &spans, targets: &targets };
    // Devices that choose among several products do so in the first pass; later ones are the same to the bit.
    let gradients = [false, false, true].map(|recompute| {
        let options = options(targets.len(), recompute);
        let (found, gradient) = passes(&model, &parameters, &batch, &options, 1);
        let mean = found.weighted_sum / targets.len() as f64;
        assert!((mean - loss).abs() < of_loss * loss, "{family}: loss {mean}, PEFT has {loss}");
        assert_eq!(found.predicted.len(), targets.len());
        gradient
    });
    assert!(gradients[1] == gradients[2], "{family}: computed again, other bits");
    let names = file.tensors().iter().filter(|tensor| tensor.name.starts_with("grad.")).count();
    assert_eq!(parameters.all().len(), names, "{family}: as many as PEFT trains");
    for parameter in parameters.all() {
        let mut expected = Vec::new();
        let view = file.get(&format!("grad.{}", parameter.name)).expect("a gradient of that name");
        assert_eq!(view.shape, parameter.shape, "{}", parameter.name);
        view.to_f32(&mut expected).expect("floats");
        let off = distance(&gradients[0][parameter.range.clone()], &expected);
        assert!(off < of_gradient, "{family}: {}: {off}", parameter.name);
    }
    // A second batch is added to the first.
    let (_, sum) = passes(&model, &parameters, &batch, &options(targets.len(), true), 2);
    let twice: Vec<f32> = gradients[2].iter().map(|value| value + value).collect();
    assert!(sum == twice, "{family}: a second batch is added to the first");
    let without = batch_loss(&model, &batch).expect("a batch that fits");
    assert!((without.weighted_sum / targets.len() as f64 - loss).abs() < of_loss * loss);
}

#[test]
fn adapters_on_flex() {
    FAMILIES.into_iter().for_each(check_adapter::<Flex>);
}

#[test]
fn adapters_on_ndarray() {
    FAMILIES.into_iter().for_each(check_adapter::<NdArray>);
}

/// `fixtures/models/gradients.json`.
#[derive(Deserialize)]
struct Recorded {
    whole: BTreeMap<String, Sketch>,
    adapters: BTreeMap<String, Sketch>,
}

#[derive(Deserialize)]
struct Sketch {
    family: Option<String>,
    loss: f64,
    input_ids: Vec<u32>,
    labels: Vec<i64>,
    /// The norm of each tensor, and the sum of its values times cos(index).
    gradients: BTreeMap<String, [f64; 2]>,
}

fn sketches() -> Recorded {
    let text = std::fs::read_to_string(fixture("models/gradients.json")).expect("a fixture");
    serde_json::from_str(&text).expect("a fixture")
}

/// `rows_of` says, for a tensor of rows of trained tokens, where each of ours stands in PEFT's.
fn check_sketch<B: DecoderBackend>(
    name: &str,
    mut model: CausalLm<B>,
    expected: &Sketch,
    rows_of: &[usize],
) {
    let labels = expected.labels.iter().enumerate().skip(1).filter(|(_, label)| **label >= 0);
    let targets: Vec<Target> =
        labels.map(|(place, &id)| Target { row: place - 1, id: id as u32, weight: 1.0 }).collect();
    let parameters = Parameters::of(&mut model);
    // Values that come back as they were change nothing.
    let values = parameters.values(&mut model);
    parameters.set_values(&mut model, &values);
    assert!(parameters.values(&mut model) == values, "{name}");
    let spans = whole_spans([expected.input_ids.len()]);
    let batch = TokenBatch { ids: &expected.input_ids, spans: &spans, targets: &targets };
    for recompute in [false, true] {
        let options = options(targets.len(), recompute);
        let (loss, gradient) = passes(&model, &parameters, &batch, &options, 1);
        let mean = loss.weighted_sum / targets.len() as f64;
        assert!((mean - expected.loss).abs() < 2e-5 * expected.loss, "{name}: loss {mean}");
        let mut names: Vec<&str> = expected.gradients.keys().map(String::as_str).collect();
        for parameter in parameters.all() {
            let alias = format!("{}.weight", parameter.name);
            let key =
                if expected.gradients.contains_key(&alias) { &alias } else { &parameter.name };
            let [norm, wave] = expected.gradients[key];
            names.retain(|name| name != key);
            let values = &gradient[parameter.range.clone()];
            let width = parameter.shape.last().copied().unwrap_or(1);
            let of_rows = parameter.name.ends_with("trainable_tokens_delta");
            let (mut square, mut sum) = (0.0, 0.0);
            for (index, &value) in values.iter().enumerate() {
                let place = match of_rows {
                    true => rows_of[index / width] * width + index % width,
                    false => index,
                };
                square += f64::from(value).powi(2);
                sum += f64::from(value) * (place as f64).cos();
            }
            let (norm_off, wave_off) = ((square.sqrt() - norm).abs(), (sum - wave).abs());
            assert!(norm_off < TOLERANCE * norm, "{name}: {key}: norm off by {norm_off} of {norm}");
            assert!(wave_off < TOLERANCE * norm, "{name}: {key}: wave off by {wave_off} of {norm}");
        }
        assert!(names.is_empty(), "{name}: not trained here: {names:?}");
    }
}

fn check_whole<B: DecoderBackend>() {
    for (family, expected) in sketches().whole {
        let mut model = loaded::<B>(&model_folder(&family), &LoadOptions::default());
        train_whole(&mut model);
        check_sketch(&family, model, &expected, &[]);
    }
}

fn check_other_adapters<B: DecoderBackend>() {
    for (name, expected) in sketches().adapters {
        let family = expected.family.as_deref().expect("the family of an adapter");
        let adapter = Some(fixture("models/adapters").join(&name));
        let options = LoadOptions { adapter, ..LoadOptions::default() };
        let mut model = loaded::<B>(&model_folder(family), &options);
        // The order in which the fixture's adapters name them.
        let tokens: &[u32] = match name.as_str() {
            "tokens" => &[7, 3, 260],
            "tokens_tied" => &[5, 9, 1],
            "tokens_beyond" => &[273, 5, 274, 272],
            _ => &[],
        };
        train_tokens(&mut model, tokens).expect("tokens of the vocabulary");
        let mut sorted = tokens.to_vec();
        sorted.sort_unstable();
        let place = |id: &u32| tokens.iter().position(|token| token == id).expect("the same ids");
        let rows_of: Vec<usize> = sorted.iter().map(place).collect();
        check_sketch(&name, model, &expected, &rows_of);
    }
}

#[test]
fn whole_models_on_flex() {
    check_whole::<Flex>();
}

#[test]
fn whole_models_on_ndarray() {
    check_whole::<NdArray>();
}

#[test]
fn tokens_and_dora_on_flex() {
    check_other_adapters::<Flex>();
}

#[test]
fn tokens_and_dora_on_ndarray() {
    check_other_adapters::<NdArray>();
}

/// Dropout and noise follow from the seed alone, and the backends have the same.
#[test]
fn dropout_is_the_same_everywhere() {
    let Expected { ids, targets, .. } = expected("llama");
    let spans = whole_spans([ids.len() / 2, ids.len() / 2]);
    let batch = TokenBatch { ids: &ids, spans: &spans, targets: &targets };
    fn gradient<B: DecoderBackend>(batch: &TokenBatch<'_>, seed: u64, recompute: bool) -> Vec<f32> {
        let mut model = loaded::<B>(&model_folder("llama"), &with_adapter("llama"));
        let parameters = Parameters::of(&mut model);
        let options = PassOptions {
            dropout: 0.3,
            neftune_alpha: Some(5.0),
            seed,
            ..options(batch.targets.len(), recompute)
        };
        passes(&model, &parameters, batch, &options, 1).1
    }
    let flex = gradient::<Flex>(&batch, 3, false);
    assert!(flex == gradient::<Flex>(&batch, 3, true), "computed again, other bits");
    assert!(distance(&gradient::<NdArray>(&batch, 3, true), &flex) < 1e-5);
    assert!(distance(&gradient::<Flex>(&batch, 4, true), &flex) > 1e-2, "another seed");
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn adapters_on_a_gpu() {
    common::gpu_families().into_iter().for_each(check_adapter::<cube_kernels::Gpu>);
}

/// In bfloat16, or on a device without it in IEEE half precision.
#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn adapters_in_half_precision_on_a_gpu() {
    let check = |family| {
        check_adapter_in::<cube_kernels::Gpu>(family, ComputeDtype::Bf16, [1e-2, 3e-2]);
    };
    // The last of them has the most operations.
    let count = if cfg!(feature = "cuda") { FAMILIES.len() } else { 1 };
    FAMILIES.into_iter().rev().take(count).for_each(check);
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
#[test]
fn tokens_and_dora_on_a_gpu() {
    check_other_adapters::<cube_kernels::Gpu>();
}
