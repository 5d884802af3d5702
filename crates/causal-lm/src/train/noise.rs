use burn::tensor::{Tensor, TensorData};
use cpu_kernels::decoder::Span;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::ops::DecoderBackend;

/// Noise on embeddings, `[tokens, hidden]`: uniform in ±`alpha / √(len · hidden)`, `len` being the tokens of a sequence.
///
/// Source: Jain et al. (2023), NEFTune.
pub(super) fn embedding_noise<B: DecoderBackend>(
    alpha: f64,
    seed: u64,
    spans: &[Span],
    hidden: usize,
    device: &B::Device,
) -> Tensor<B, 2> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let tokens: usize = spans.iter().map(|span| span.len).sum();
    let mut values = Vec::with_capacity(tokens * hidden);
    for span in spans {
        let bound = (alpha / ((span.len * hidden) as f64).sqrt()) as f32;
        values.extend((0..span.len * hidden).map(|_| bound * (2.0 * rng.random::<f32>() - 1.0)));
    }
    Tensor::from_data(TensorData::new(values, [tokens, hidden]), device)
}
