use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use cpu_kernels::decoder::Span;

use super::{Frequencies, RopeConfig, RopeScaling, frequencies};

/// Where the tokens of a batch are: cosines and sines, `[tokens, pairs]` each, and where each is the only one of its sequence, its
/// place in a cache.
#[derive(Clone, Debug)]
pub struct Rotation<B: Backend> {
    /// Cosines.
    pub cos: Tensor<B, 2>,
    /// Sines.
    pub sin: Tensor<B, 2>,
    /// Slot and position, `[tokens, 2]`: of next tokens alone, which one kernel may take together.
    pub places: Option<Tensor<B, 2, Int>>,
}

/// A rotary embedding with the rows that were needed so far.
#[derive(Debug)]
pub(crate) struct RopeTable {
    config: RopeConfig,
    short: Rows,
    /// For sequences beyond the original context, where the frequencies change there once.
    long: Option<Rows>,
}

impl RopeTable {
    pub(crate) fn new(config: &RopeConfig) -> Self {
        let long = match config.scaling {
            RopeScaling::LongRope { .. } => Some(Rows::new(frequencies(config, usize::MAX))),
            _ => None,
        };
        Self { short: Rows::new(frequencies(config, 0)), long, config: config.clone() }
    }

    /// The rows of all tokens of the spans, in their order.
    ///
    /// A sequence's own length decides about frequencies that depend on it, so that no row depends on what else is in
    /// the batch; transformers takes the longest of the batch.
    pub(crate) fn rotation<B: Backend>(&self, spans: &[Span], device: &B::Device) -> Rotation<B> {
        let (tokens, pairs) = (spans.iter().map(|span| span.len).sum(), self.config.pairs());
        let mut cos = Vec::with_capacity(tokens * pairs);
        let mut sin = Vec::with_capacity(tokens * pairs);
        for span in spans {
            let positions = span.position..span.position + span.len;
            self.append(positions, &mut cos, &mut sin);
        }
        let tensor = |values| Tensor::from_data(TensorData::new(values, [tokens, pairs]), device);
        let next = spans.iter().all(|span| span.len == 1);
        let place = |span: &Span| [span.slot as i32, span.position as i32];
        let places = next.then(|| spans.iter().flat_map(place).collect::<Vec<_>>());
        let places =
            places.map(|places| Tensor::from_data(TensorData::new(places, [tokens, 2]), device));
        Rotation { cos: tensor(cos), sin: tensor(sin), places }
    }

    /// The rows of neighbouring positions, the last of which ends the sequence.
    fn append(&self, positions: Range<usize>, cos: &mut Vec<f32>, sin: &mut Vec<f32>) {
        let len = positions.end;
        match (&self.config.scaling, &self.long) {
            (RopeScaling::Dynamic { max_positions, .. }, _) if len > *max_positions => {
                frequencies(&self.config, len).append(positions, cos, sin);
            }
            (RopeScaling::LongRope { original_positions, .. }, Some(long))
                if len > *original_positions =>
            {
                long.append(positions, cos, sin);
            }
            _ => self.short.append(positions, cos, sin),
        }
    }
}

/// Cosines and sines by position, computed up to the furthest that was asked for.
#[derive(Debug)]
struct Rows {
    frequencies: Frequencies,
    cached: Mutex<(Vec<f32>, Vec<f32>)>,
}

impl Rows {
    fn new(frequencies: Frequencies) -> Self {
        Self { frequencies, cached: Mutex::default() }
    }

    fn append(&self, positions: Range<usize>, cos: &mut Vec<f32>, sin: &mut Vec<f32>) {
        let pairs = self.frequencies.inverse.len();
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let (known_cos, known_sin) = &mut *cached;
        let known = known_cos.len() / pairs.max(1);
        self.frequencies.append(known..positions.end, known_cos, known_sin);
        let at = positions.start * pairs..positions.end * pairs;
        cos.extend_from_slice(&known_cos[at.clone()]);
        sin.extend_from_slice(&known_sin[at]);
    }
}

impl Frequencies {
    /// Computes the rows of positions.
    fn append(&self, positions: Range<usize>, cos: &mut Vec<f32>, sin: &mut Vec<f32>) {
        for position in positions {
            let angles = self.inverse.iter().map(|frequency| position as f32 * frequency);
            cos.extend(angles.clone().map(|angle| angle.cos() * self.attention_factor));
            sin.extend(angles.map(|angle| angle.sin() * self.attention_factor));
        }
    }
}
