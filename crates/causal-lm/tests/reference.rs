//! All families against transformers 5.23 and PEFT 0.21, on every backend; on graphics processors with the features `cuda` or
//! `vulkan`.

mod common;

use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadOptions};
use common::{
    FAMILIES, Reference, argmax, loaded, logits, max_difference, model_folder, reference, values,
    with_adapter,
};
use cpu_kernels::decoder::{KvDtype, Span};

/// Against another program: sums in another order.
const TOLERANCE: f32 = 1e-4;
/// Against ourselves.
const SAME: f32 = 1e-5;

fn check_logits<B: DecoderBackend>(family: &str) {
    let Reference { rows, logits: expected, logits_adapter, .. } = reference(family);
    let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
    let plain = loaded::<B>(&model_folder(family), &LoadOptions::default());
    let adapted = loaded::<B>(&model_folder(family), &with_adapter(family));
    for (what, model, expected) in
        [("base", &plain, &expected), ("adapter", &adapted, &logits_adapter)]
    {
        let difference = max_difference(&logits(model, &rows), expected);
        assert!(difference < TOLERANCE, "{family}, {what}: {difference}");
    }
    let apart = max_difference(&expected, &logits_adapter);
    assert!(apart > 100.0 * TOLERANCE, "{family}: the adapter changes nothing: {apart}");
}

fn check_rows_alone<B: DecoderBackend>(family: &str) {
    let rows = reference(family).rows;
    let model = loaded::<B>(&model_folder(family), &LoadOptions::default());
    let (a, b) = (&rows[0][..], &rows[1][..31]);
    let together = logits(&model, &[a, b, &a[..7]]);
    let alone = [logits(&model, &[a]), logits(&model, &[b]), logits(&model, &[&a[..7]])].concat();
    let difference = max_difference(&together, &alone);
    assert!(difference < SAME, "{family}: {difference}");
}

/// The logits of a row that goes into the cache in parts of `step` tokens, beside another row.
fn cached_logits<B: DecoderBackend>(
    model: &CausalLm<B>,
    row: &[u32],
    other: &[u32],
    step: usize,
) -> Vec<f32> {
    let mut cache = model.new_cache(3, row.len(), KvDtype::F32);
    let mut all = Vec::new();
    for (part, chunk) in row.chunks(step).enumerate() {
        let position = part * step;
        let beside = &other[position..position + chunk.len()];
        let spans = [
            Span { start: 0, len: chunk.len(), position, slot: 2 },
            Span { start: chunk.len(), len: chunk.len(), position, slot: 0 },
        ];
        let ids = [chunk, beside].concat();
        let hidden = model.hidden(&ids, &spans, Some(&mut cache)).expect("a part that fits");
        let logits = values(model.logits(hidden.narrow(0, 0, chunk.len())));
        all.extend(logits);
    }
    all
}

fn check_cache<B: DecoderBackend>(family: &str) {
    let rows = reference(family).rows;
    let model = loaded::<B>(&model_folder(family), &LoadOptions::default());
    let expected = logits(&model, &[&rows[0]]);
    for step in [rows[0].len(), 16, 5, 1] {
        let difference =
            max_difference(&cached_logits(&model, &rows[0], &rows[1], step), &expected);
        assert!(difference < SAME, "{family}, in parts of {step}: {difference}");
    }
}

fn check_greedy<B: DecoderBackend>(family: &str) {
    let Reference { rows, greedy, .. } = reference(family);
    let model = loaded::<B>(&model_folder(family), &LoadOptions::default());
    let vocab = model.config().vocab_size;
    let mut cache = model.new_cache(1, 64, KvDtype::F32);
    let (mut ids, mut position) = (rows[0].clone(), 0);
    let mut found = Vec::new();
    while found.len() < greedy.len() {
        let span = Span { start: 0, len: ids.len(), position, slot: 0 };
        let hidden = model.hidden(&ids, &[span], Some(&mut cache)).expect("a step");
        position += ids.len();
        let all = values(model.logits(hidden));
        let next = argmax(&all[all.len() - vocab..]);
        found.push(next);
        ids = vec![next];
    }
    assert_eq!(found, greedy, "{family}");
}

macro_rules! on_families {
    ($families:expr; $($test:ident: $check:ident on $($backend:ty),+;)+) => {$(
        #[test]
        fn $test() {
            for family in $families {
                $($check::<$backend>(family);)+
            }
        }
    )+};
}

on_families! {
    FAMILIES;
    logits_are_those_of_transformers_on_flex: check_logits on Flex;
    logits_are_those_of_transformers_on_ndarray: check_logits on NdArray;
    logits_are_those_of_transformers_with_a_graph: check_logits on Autodiff<Flex>, Autodiff<NdArray>;
    rows_do_not_know_one_another: check_rows_alone on Flex, NdArray;
    the_cache_changes_nothing: check_cache on Flex, NdArray;
    greedy_answers_are_those_of_transformers: check_greedy on Flex, NdArray;
}

#[cfg(any(feature = "cuda", feature = "vulkan"))]
on_families! {
    common::gpu_families();
    logits_are_those_of_transformers_on_a_gpu: check_logits on cube_kernels::Gpu;
    rows_do_not_know_one_another_on_a_gpu: check_rows_alone on cube_kernels::Gpu;
    the_cache_changes_nothing_on_a_gpu: check_cache on cube_kernels::Gpu;
    greedy_answers_are_those_of_transformers_on_a_gpu: check_greedy on cube_kernels::Gpu;
}
