use std::fmt::Debug;

use burn::tensor::backend::Backend;
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{Int, Tensor, TensorData, Transaction};
use cpu_kernels::decoder::{Activation, AttentionShape, KvDtype, Span};
use lora_linear::FrozenBackend;
use optimizer::AdamWStep;

use super::{backward, composed};
use crate::BatchError;
use crate::estimate::Place;
use crate::rope::Rotation;

/// A backend that runs a decoder. Tensors are `[tokens, width]`: a batch is flat, and spans say whose tokens they are.
pub trait DecoderBackend: FrozenBackend {
    /// Keys and values of one layer.
    type KvLayer: Debug + Send;

    /// Bytes that this process has on the device, with what is kept for later; `None` where they are the machine's own.
    fn device_memory(_device: &Self::Device) -> Option<u64> {
        None
    }

    /// Root mean square norm of each row, times `weight` (`[width]`).
    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        composed::rms_norm::<Self>(x, weight, eps)
    }

    /// Rotates `heads` heads in each row, dimension `i` of a head with `i + pairs`; `cos` and `sin` are `[tokens, pairs]`.
    fn rope(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        composed::rope::<Self>(x, cos, sin, heads)
    }

    /// `activation(gate) · up`.
    fn gate(
        activation: Activation,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        composed::gate::<Self>(activation, gate, up)
    }

    /// Causal attention within each span, without a cache; spans are whole sequences, in order and without gaps.
    fn span_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self> {
        let [out, _] = composed::attention::<Self>(q, k, v, spans, shape);
        out
    }

    /// [`span_attention`](Self::span_attention) with what its gradient needs: the logarithm of each row's sum of
    /// exponentials, `[tokens, heads]`.
    fn span_attention_with_lse(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> [FloatTensor<Self>; 2] {
        composed::attention::<Self>(q, k, v, spans, shape)
    }

    /// Gradients of [`rms_norm`](Self::rms_norm): of `x`, and of `weight` where it is wanted.
    fn rms_norm_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        eps: f32,
        dy: FloatTensor<Self>,
        of_weight: bool,
    ) -> (FloatTensor<Self>, Option<FloatTensor<Self>>) {
        let [dx, dweight] = backward::rms_norm::<Self>(x, weight, eps, dy);
        (dx, of_weight.then_some(dweight))
    }

    /// Gradient of [`rope`](Self::rope).
    fn rope_backward(
        dy: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        // The transpose of a rotation is the rotation back.
        Self::rope(dy, cos, Self::float_neg(sin), heads)
    }

    /// Gradients of [`gate`](Self::gate): of `gate` and of `up`.
    fn gate_backward(
        activation: Activation,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
        dy: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 2] {
        backward::gate::<Self>(activation, gate, up, dy)
    }

    /// Gradients of [`span_attention`](Self::span_attention): of `q`, `k` and `v`.
    #[expect(clippy::too_many_arguments, reason = "what attention has, and what became of it")]
    fn span_attention_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        out: FloatTensor<Self>,
        lse: FloatTensor<Self>,
        dout: FloatTensor<Self>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> [FloatTensor<Self>; 3] {
        backward::attention::<Self>(q, k, v, out, lse, dout, spans, shape)
    }

    /// Cross-entropy of each row of `logits`, `[rows, vocab]`, which become its gradient times `scale` and the row's
    /// weight.
    fn cross_entropy(
        logits: FloatTensor<Self>,
        targets: &[u32],
        weights: &[f32],
        scale: f32,
    ) -> (FloatTensor<Self>, RowLosses<Self>) {
        composed::cross_entropy::<Self>(logits, targets, weights, scale)
    }

    /// Cross-entropy of each row of `logits`, without a gradient.
    fn row_losses(logits: FloatTensor<Self>, targets: &[u32]) -> RowLosses<Self> {
        composed::row_losses::<Self>(logits, targets)
    }

    /// Whether [`likeliest`](Self::likeliest) is quicker than what it saves, the way of all logits to the host.
    fn picks_tokens() -> bool {
        false
    }

    /// The likeliest token of each row of `logits`, the lowest id among equals, and its negative log-likelihood.
    fn likeliest(logits: FloatTensor<Self>) -> RowLosses<Self> {
        composed::likeliest::<Self>(logits)
    }

    /// Rows whose logits, of `vocab` tokens each, are held at a time in training.
    fn logit_rows(vocab: usize) -> usize {
        Place::Processor.logit_rows(vocab)
    }

    /// Whether AdamW works where the tensors are: then [`adamw`](Self::adamw) and
    /// [`sums_of_squares`](Self::sums_of_squares) are quicker than what they save, the way to the host and back.
    fn keeps_optimizer() -> bool {
        false
    }

    /// Squares of all values of flat f32 tensors, summed in parts, `[any]`.
    fn sums_of_squares(tensors: Vec<FloatTensor<Self>>) -> FloatTensor<Self> {
        composed::sums_of_squares::<Self>(tensors)
    }

    /// A parameter and both its moments after a step of AdamW, flat and in f32; the gradient `g` is multiplied by `factor` first.
    fn adamw(
        [p, g, m, v]: [FloatTensor<Self>; 4],
        factor: f32,
        step: &AdamWStep,
    ) -> [FloatTensor<Self>; 3] {
        composed::adamw::<Self>([p, g, m, v], factor, step)
    }

    /// An empty cache of one layer for `slots` sequences of up to `capacity` tokens.
    fn new_kv_layer(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        device: &Self::Device,
    ) -> Self::KvLayer;

    /// Stores the spans' keys and values, and attends over all that their sequences have in the cache.
    fn cached_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self>;

    /// [`rope`](Self::rope) of queries and keys, then [`cached_attention`](Self::cached_attention).
    fn rotated_cached_attention(
        qkv: [FloatTensor<Self>; 3],
        rotation: &Rotation<Self>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self> {
        composed::rotated_cached_attention::<Self>(qkv, rotation, cache, spans, shape)
    }

    /// Copies the first `len` tokens of slot `from` to slot `to`: the shared beginning of several answers.
    fn copy_kv_slot(cache: &mut Self::KvLayer, from: usize, to: usize, len: usize);
}

/// What each row of logits says of one token, on the device.
#[derive(Clone, Debug)]
pub struct RowLosses<B: Backend> {
    /// Negative log-likelihood of the token, in nats, `[rows, 1]`, f32.
    pub losses: FloatTensor<B>,
    /// The likeliest token, the lowest id among equals, `[rows, 1]`.
    pub predicted: IntTensor<B>,
}

impl<B: Backend> RowLosses<B> {
    /// Losses and likeliest tokens of all rows of all parts. Waits for the device, once.
    ///
    /// # Errors
    /// [`BatchError::Device`].
    pub fn read(parts: Vec<Self>) -> Result<(Vec<f32>, Vec<u32>), BatchError> {
        let wanted = parts.into_iter().fold(Transaction::default(), |wanted, part| {
            let losses: Tensor<B, 2> = composed::tensor(part.losses);
            wanted.register(losses).register(Tensor::<B, 2, Int>::new(part.predicted))
        });
        let (mut losses, mut predicted) = (Vec::new(), Vec::new());
        for (index, data) in read(wanted)?.into_iter().enumerate() {
            if index.is_multiple_of(2) {
                losses.extend(data.iter::<f32>());
            } else {
                predicted.extend(data.iter::<u32>());
            }
        }
        Ok((losses, predicted))
    }
}

/// What a transaction reads. Waits for the device.
pub(crate) fn read<B: Backend>(tensors: Transaction<B>) -> Result<Vec<TensorData>, BatchError> {
    tensors.try_execute().map_err(|error| BatchError::Device { reason: error.to_string() })
}
