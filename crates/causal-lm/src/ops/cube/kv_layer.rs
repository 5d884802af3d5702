use std::ops::Range;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor};
use cpu_kernels::decoder::{AttentionShape, KvDtype};

use super::super::composed::primitive;

/// Keys and values of one layer on a graphics processor: `[slots · kv_heads, capacity, head_dim]` each.
///
/// In f32, or in half precision where less was asked for; there are no 8-bit caches here.
#[derive(Debug)]
pub struct CubeKvLayer<B: Backend> {
    /// Keys, then values; away only while they are written to, so that they are written in place.
    parts: [Option<Tensor<B, 3>>; 2],
    kv_heads: usize,
}

impl<B: Backend> CubeKvLayer<B> {
    pub(super) fn new(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        device: &B::Device,
        half: DType,
    ) -> Self {
        let dtype = match dtype {
            KvDtype::F32 => DType::F32,
            KvDtype::Bf16 | KvDtype::Q8 => half,
        };
        let AttentionShape { kv_heads, head_dim, .. } = *shape;
        let part = || Some(Tensor::zeros([slots * kv_heads, capacity, head_dim], (device, dtype)));
        Self { parts: [part(), part()], kv_heads }
    }

    /// Stores keys and values, `[kv_heads, len, head_dim]` each, from `position` on.
    pub(super) fn store(&mut self, slot: usize, position: usize, new: [Tensor<B, 3>; 2]) {
        let heads = self.heads(slot);
        for (part, new) in self.parts.iter_mut().zip(new) {
            *part = part.take().map(|part| {
                let [_, len, dim] = new.dims();
                let at = [heads.clone(), position..position + len, 0..dim];
                let new = new.cast(part.dtype());
                part.slice_assign(at, new)
            });
        }
    }

    /// Keys and values of all slots.
    pub(super) fn parts(&self) -> [FloatTensor<B>; 2] {
        self.parts.each_ref().map(|part| match part {
            Some(part) => primitive(part.clone()),
            None => unreachable!("no part is away between calls"),
        })
    }

    /// Keys and values of the tokens `tokens` of a sequence, in `dtype`.
    pub(super) fn load(
        &self,
        slot: usize,
        tokens: Range<usize>,
        dtype: DType,
    ) -> Vec<Tensor<B, 3>> {
        let read = |part: &Tensor<B, 3>| {
            let [_, _, dim] = part.dims();
            part.clone().slice([self.heads(slot), tokens.clone(), 0..dim]).cast(dtype)
        };
        self.parts.iter().flatten().map(read).collect()
    }

    pub(super) fn copy_slot(&mut self, from: usize, to: usize, len: usize) {
        let (source, target) = (self.heads(from), self.heads(to));
        for part in &mut self.parts {
            *part = part.take().map(|part| {
                let [_, _, dim] = part.dims();
                let beginning = part.clone().slice([source.clone(), 0..len, 0..dim]);
                part.slice_assign([target.clone(), 0..len, 0..dim], beginning)
            });
        }
    }

    fn heads(&self, slot: usize) -> Range<usize> {
        slot * self.kv_heads..(slot + 1) * self.kv_heads
    }
}
