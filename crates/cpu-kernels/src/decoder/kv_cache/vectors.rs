use super::Stored;
use crate::decoder::cache_lines::CacheLines;
use crate::lanes::LANES;

/// Sizes of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) kv_heads: usize,
    pub(super) head_dim: usize,
    /// Tokens of a slot, whole blocks.
    pub(super) tokens: usize,
}

/// Keys and values of one layer, as attention reads them.
///
/// Every head of every slot has its tokens together. Keys lie in blocks of 16 tokens, each `[head_dim][16]`: a vector
/// has one dimension of 16 keys, and scores need no sum over its lanes. Values lie token by token, `[tokens][head_dim]`,
/// with zeros up to whole vectors. Scales, where there are any, are `[tokens]`.
#[derive(Clone, Debug)]
pub(super) struct Vectors<T: Stored> {
    layout: Layout,
    keys: CacheLines<T>,
    values: CacheLines<T>,
    key_scales: CacheLines<f32>,
    value_scales: CacheLines<f32>,
}

/// Keys and values of one head of one sequence, from a whole block on; see [`Vectors`].
#[derive(Clone, Copy, Debug)]
pub(in crate::decoder) struct Head<'a, T> {
    pub(in crate::decoder) keys: &'a [T],
    pub(in crate::decoder) values: &'a [T],
    /// Empty where numbers have no scale, as are the values'.
    pub(in crate::decoder) key_scales: &'a [f32],
    pub(in crate::decoder) value_scales: &'a [f32],
}

impl Layout {
    /// Numbers from one value vector to the next.
    pub(super) fn value_width(&self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }
}

impl<T: Stored> Vectors<T> {
    pub(super) fn new(slots: usize, layout: Layout) -> Self {
        let vectors = slots.saturating_mul(layout.kv_heads).saturating_mul(layout.tokens);
        let scales =
            || CacheLines::new(if T::SCALED { vectors } else { 0 }, <f32 as Stored>::zeros);
        Self {
            layout,
            keys: CacheLines::new(vectors.saturating_mul(layout.head_dim), T::zeros),
            values: CacheLines::new(vectors.saturating_mul(layout.value_width()), T::zeros),
            key_scales: scales(),
            value_scales: scales(),
        }
    }

    /// Stores keys and values, `[tokens, kv_heads · head_dim]` each, in `slot` from `position` on.
    pub(super) fn append(&mut self, slot: usize, position: usize, keys: &[f32], values: &[f32]) {
        let Layout { kv_heads, head_dim, tokens } = self.layout;
        let width = self.layout.value_width();
        let mut encoded = vec![T::default(); head_dim];
        let vectors = keys.chunks_exact(head_dim).zip(values.chunks_exact(head_dim));
        for (i, (key, value)) in vectors.enumerate() {
            let token = (slot * kv_heads + i % kv_heads) * tokens + position + i / kv_heads;
            let (block, lane) = (token / LANES, token % LANES);
            let key_scale = T::encode(key, &mut encoded);
            let block = &mut self.keys[block * LANES * head_dim..][..LANES * head_dim];
            for (line, &key) in block.chunks_exact_mut(LANES).zip(&encoded) {
                line[lane] = key;
            }
            let value_scale = T::encode(value, &mut self.values[token * width..][..head_dim]);
            if T::SCALED {
                self.key_scales[token] = key_scale;
                self.value_scales[token] = value_scale;
            }
        }
    }

    /// Copies the first `len` tokens of slot `from` to slot `to`.
    pub(super) fn copy_slot(&mut self, from: usize, to: usize, len: usize) {
        let Layout { kv_heads, head_dim, tokens } = self.layout;
        let width = self.layout.value_width();
        for head in 0..kv_heads {
            let token = |slot: usize| (slot * kv_heads + head) * tokens;
            let (source, target) = (token(from), token(to));
            let copy = |of: &mut [T], width: usize, start: usize, len: usize| {
                let from = source * width + start;
                of.copy_within(from..from + len, target * width + start);
            };
            copy(&mut self.values, width, 0, len * width);
            let (whole, rest) = (len / LANES * LANES, len % LANES);
            copy(&mut self.keys, head_dim, 0, whole * head_dim);
            for dim in 0..head_dim {
                copy(&mut self.keys, head_dim, whole * head_dim + dim * LANES, rest);
            }
            if T::SCALED {
                self.key_scales.copy_within(source..source + len, target);
                self.value_scales.copy_within(source..source + len, target);
            }
        }
    }

    /// One head of one slot, from token `base` on, which begins a block.
    pub(super) fn head(&self, slot: usize, base: usize, head: usize) -> Head<'_, T> {
        let Layout { kv_heads, head_dim, tokens } = self.layout;
        let first = (slot * kv_heads + head) * tokens;
        let (start, end) = (first + base, first + tokens);
        let width = self.layout.value_width();
        let scales = if T::SCALED { start..end } else { 0..0 };
        Head {
            keys: &self.keys[start * head_dim..end * head_dim],
            values: &self.values[start * width..end * width],
            key_scales: &self.key_scales[scales.clone()],
            value_scales: &self.value_scales[scales],
        }
    }
}
