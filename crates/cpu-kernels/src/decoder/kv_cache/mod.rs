//! The cache of keys and values of one layer.

mod stored;
mod vectors;

use vectors::{Layout, Vectors};
pub(super) use {stored::Stored, vectors::Head};

use super::Span;
use crate::lanes::LANES;

/// How keys and values lie in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvDtype {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16, rounded to nearest, even at ties.
    Bf16,
    /// 8-bit integers with an f32 scale for each vector of a head: the largest absolute value is 127.
    Q8,
}

/// Keys and values of one layer, for `slots` sequences of up to `capacity` tokens; allocated at once.
///
/// Memory that no token has been stored in costs nothing on systems that hand out zero pages lazily.
#[derive(Clone, Debug)]
pub struct KvLayer {
    slots: usize,
    capacity: usize,
    kv_heads: usize,
    head_dim: usize,
    vectors: VectorsOf,
}

#[derive(Clone, Debug)]
enum VectorsOf {
    F32(Vectors<f32>),
    Bf16(Vectors<u16>),
    Q8(Vectors<i8>),
}

/// Keys and values of one head in the cache's type.
#[derive(Clone, Copy, Debug)]
pub(super) enum HeadOf<'a> {
    F32(Head<'a, f32>),
    Bf16(Head<'a, u16>),
    Q8(Head<'a, i8>),
}

/// The same expression for every type of numbers.
macro_rules! each_dtype {
    ($vectors:expr, $name:ident => $body:expr) => {
        match $vectors {
            VectorsOf::F32($name) => $body,
            VectorsOf::Bf16($name) => $body,
            VectorsOf::Q8($name) => $body,
        }
    };
}

impl KvLayer {
    /// An empty cache.
    ///
    /// # Panics
    ///
    /// Where heads have no dimensions, or its bytes cannot be counted.
    pub fn new(
        slots: usize,
        capacity: usize,
        kv_heads: usize,
        head_dim: usize,
        dtype: KvDtype,
    ) -> Self {
        assert!(head_dim > 0, "heads without dimensions");
        let layout = Layout { kv_heads, head_dim, tokens: capacity.next_multiple_of(LANES) };
        let vectors = match dtype {
            KvDtype::F32 => VectorsOf::F32(Vectors::new(slots, layout)),
            KvDtype::Bf16 => VectorsOf::Bf16(Vectors::new(slots, layout)),
            KvDtype::Q8 => VectorsOf::Q8(Vectors::new(slots, layout)),
        };
        Self { slots, capacity, kv_heads, head_dim, vectors }
    }

    /// Number of sequences.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Tokens that a sequence may have.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Heads of keys and values.
    pub fn kv_heads(&self) -> usize {
        self.kv_heads
    }

    /// Dimensions of a head.
    pub fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Bytes of the cache of one layer, before it is made: blocks of 16 tokens, and value vectors of whole cache lines
    /// of f32. The largest number where they cannot be counted.
    pub fn bytes(
        slots: usize,
        capacity: usize,
        kv_heads: usize,
        head_dim: usize,
        dtype: KvDtype,
    ) -> usize {
        let numbers = head_dim.saturating_add(head_dim.saturating_add(LANES - 1) / LANES * LANES);
        let pair = match dtype {
            KvDtype::F32 => numbers.saturating_mul(4),
            KvDtype::Bf16 => numbers.saturating_mul(2),
            KvDtype::Q8 => numbers.saturating_add(2 * size_of::<f32>()),
        };
        let tokens = capacity.saturating_add(LANES - 1) / LANES * LANES;
        [slots, tokens, kv_heads].into_iter().fold(pair, usize::saturating_mul)
    }

    /// Whether the cache has the span's slot, and room for its last token.
    pub fn fits(&self, span: &Span) -> bool {
        let end = span.position.checked_add(span.len);
        span.slot < self.slots && end.is_some_and(|end| end <= self.capacity)
    }

    /// Stores the keys and values of the spans' tokens, each `[tokens, kv_heads · head_dim]`, at their positions.
    ///
    /// # Panics
    ///
    /// Where a span is beyond the cache or the tokens; callers ask [`KvLayer::fits`] first.
    pub fn append(&mut self, keys: &[f32], values: &[f32], spans: &[Span]) {
        let width = self.kv_heads * self.head_dim;
        for span in spans {
            assert!(self.fits(span), "{span:?} is beyond the cache");
            let from = span.start * width..(span.start + span.len) * width;
            let (keys, values) = (&keys[from.clone()], &values[from]);
            each_dtype!(&mut self.vectors, of => of.append(span.slot, span.position, keys, values));
        }
    }

    /// Copies the first `len` tokens of slot `from` to slot `to`: the shared beginning of several answers.
    ///
    /// # Panics
    ///
    /// Where the cache has no such slots or fewer tokens.
    pub fn copy_slot(&mut self, from: usize, to: usize, len: usize) {
        assert!(from < self.slots && to < self.slots && len <= self.capacity);
        each_dtype!(&mut self.vectors, of => of.copy_slot(from, to, len));
    }

    /// One head of one slot, from token `base` on, which is a multiple of 16.
    pub(super) fn head(&self, slot: usize, base: usize, head: usize) -> HeadOf<'_> {
        match &self.vectors {
            VectorsOf::F32(of) => HeadOf::F32(of.head(slot, base, head)),
            VectorsOf::Bf16(of) => HeadOf::Bf16(of.head(slot, base, head)),
            VectorsOf::Q8(of) => HeadOf::Q8(of.head(slot, base, head)),
        }
    }
}
