//! Tiny models with what transformers computes from them.
#![allow(dead_code, reason = "every test uses some of it")]

use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadError, LoadOptions, load};
use checkpoint_files::Checkpoint;
use cpu_kernels::decoder::Span;

/// Vulkan in software takes its time: between these two are grouped heads, windows and both activations.
#[cfg(any(feature = "cuda", feature = "vulkan"))]
pub(crate) fn gpu_families() -> Vec<&'static str> {
    if cfg!(feature = "cuda") { FAMILIES.to_vec() } else { vec!["llama", "gemma3_text"] }
}

pub(crate) const FAMILIES: [&str; 7] =
    ["llama", "llama_tied_rope3", "mistral", "qwen2", "qwen3", "phi3", "gemma3_text"];

pub(crate) fn fixture(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(path)
}

pub(crate) fn model_folder(family: &str) -> PathBuf {
    fixture("models").join(family)
}

pub(crate) fn with_adapter(family: &str) -> LoadOptions {
    LoadOptions { adapter: Some(model_folder(family).join("adapter")), ..LoadOptions::default() }
}

pub(crate) fn try_load<B: DecoderBackend>(
    path: &Path,
    options: &LoadOptions,
) -> Result<CausalLm<B>, LoadError> {
    load(path, options, &B::Device::default(), &|_| {})
}

pub(crate) fn loaded<B: DecoderBackend>(path: &Path, options: &LoadOptions) -> CausalLm<B> {
    try_load(path, options).expect("a model that loads")
}

/// What the first reference row begins with where an adapter of `fixtures/models/adapters` is on the model.
pub(crate) fn first_ids(adapter: &str) -> [u32; 3] {
    if adapter == "tokens_beyond" { [5, 272, 274] } else { [5, 7, 9] }
}

/// What transformers computes for two rows of 48 tokens.
pub(crate) struct Reference {
    pub(crate) rows: Vec<Vec<u32>>,
    /// `[rows · tokens, vocab]`.
    pub(crate) logits: Vec<f32>,
    pub(crate) logits_adapter: Vec<f32>,
    /// What follows the first row.
    pub(crate) greedy: Vec<u32>,
}

pub(crate) fn reference(family: &str) -> Reference {
    let file = Checkpoint::open(model_folder(family).join("reference.safetensors"))
        .expect("a reference file");
    let floats = |name: &str| {
        let mut values = Vec::new();
        file.get(name).expect(name).to_f32(&mut values).expect(name);
        values
    };
    let integers = |name: &str| {
        let (words, _) = file.get(name).expect(name).bytes.as_chunks();
        words.iter().map(|word| i64::from_le_bytes(*word) as u32).collect::<Vec<u32>>()
    };
    let width = file.get("input_ids").expect("input_ids").shape[1];
    Reference {
        rows: integers("input_ids").chunks(width).map(<[u32]>::to_vec).collect(),
        logits: floats("logits"),
        logits_adapter: floats("logits_adapter"),
        greedy: integers("greedy"),
    }
}

/// Spans of whole sequences, each in a slot of its own.
pub(crate) fn whole_spans(lens: impl IntoIterator<Item = usize>) -> Vec<Span> {
    let mut start = 0;
    let span = |(slot, len)| {
        let span = Span { start, len, position: 0, slot };
        start += len;
        span
    };
    lens.into_iter().enumerate().map(span).collect()
}

/// Logits of all tokens of some rows in one batch without a cache, `[tokens · vocab]`.
pub(crate) fn logits<B: DecoderBackend>(model: &CausalLm<B>, rows: &[&[u32]]) -> Vec<f32> {
    let spans = whole_spans(rows.iter().map(|row| row.len()));
    let hidden = model.hidden(&rows.concat(), &spans, None).expect("a batch that fits");
    values(model.logits(hidden))
}

pub(crate) fn values<B: DecoderBackend>(tensor: Tensor<B, 2>) -> Vec<f32> {
    tensor.into_data().into_vec().expect("f32")
}

pub(crate) fn max_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |max, d| if d > max || d.is_nan() { d } else { max })
}

pub(crate) fn argmax(row: &[f32]) -> u32 {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(id, _)| id as u32)
}
