//! Gradients of all families against transformers 5.23 and PEFT 0.21 (torch 2.13), on every CPU backend.

mod common;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{
    Parameters, PassOptions, Target, TokenBatch, batch_loss, loss_and_gradients,
};
use checkpoint_files::Checkpoint;
use common::{FAMILIES, loaded, model_folder, reference, whole_spans, with_adapter};

/// Norm of the difference over the norm, against another program.
const TOLERANCE: f64 = 1e-3;

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

fn check_adapter<B: DecoderBackend>(family: &str) {
    let Expected { ids, targets, loss, file } = expected(family);
    let mut model = loaded::<B>(&model_folder(family), &with_adapter(family));
    let parameters = Parameters::of(&mut model);
    let spans = whole_spans([ids.len() / 2, ids.len() / 2]);
    let batch = TokenBatch { ids: &ids, spans: &spans, targets: &targets };
    let mut gradients = [false, true].map(|recompute| {
        let mut gradient = vec![0.0; parameters.len()];
        let options = options(targets.len(), recompute);
        let found = loss_and_gradients(&model, &parameters, &batch, &options, &mut gradient)
            .expect("a batch that fits");
        let mean = found.weighted_sum / targets.len() as f64;
        assert!((mean - loss).abs() < 1e-5 * loss, "{family}: loss {mean}, PEFT has {loss}");
        assert_eq!(found.predicted.len(), targets.len());
        gradient
    });
    assert!(gradients[0] == gradients[1], "{family}: computed again, other bits");
    let names = file.tensors().iter().filter(|tensor| tensor.name.starts_with("grad.")).count();
    assert_eq!(parameters.all().len(), names, "{family}: as many as PEFT trains");
    for parameter in parameters.all() {
        let mut expected = Vec::new();
        let view = file.get(&format!("grad.{}", parameter.name)).expect("a gradient of that name");
        assert_eq!(view.shape, parameter.shape, "{}", parameter.name);
        view.to_f32(&mut expected).expect("floats");
        let off = distance(&gradients[0][parameter.range.clone()], &expected);
        assert!(off < TOLERANCE, "{family}: {}: {off}", parameter.name);
    }
    // A second batch is added to the first.
    let once = gradients[1].clone();
    loss_and_gradients(
        &model,
        &parameters,
        &batch,
        &options(targets.len(), true),
        &mut gradients[1],
    )
    .expect("a batch that fits");
    let twice: Vec<f32> = once.iter().map(|value| value + value).collect();
    assert!(gradients[1] == twice, "{family}: a second batch is added to the first");
    let without = batch_loss(&model, &batch).expect("a batch that fits");
    assert!((without.weighted_sum / targets.len() as f64 - loss).abs() < 1e-5 * loss);
}

#[test]
fn adapters_on_flex() {
    FAMILIES.into_iter().for_each(check_adapter::<Flex>);
}

#[test]
fn adapters_on_ndarray() {
    FAMILIES.into_iter().for_each(check_adapter::<NdArray>);
}
