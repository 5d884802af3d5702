use super::Span;

/// How keys and values lie in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvDtype {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
    /// 8-bit integers with an f32 scale for each vector of a head.
    Q8,
}

/// Keys and values of one layer, for `slots` sequences of up to `capacity` tokens; allocated at once.
#[derive(Clone, Debug)]
pub struct KvLayer {
    slots: usize,
    capacity: usize,
    kv_heads: usize,
    head_dim: usize,
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl KvLayer {
    /// An empty cache.
    pub fn new(
        slots: usize,
        capacity: usize,
        kv_heads: usize,
        head_dim: usize,
        dtype: KvDtype,
    ) -> Self {
        let _ = dtype;
        let len = slots * capacity * kv_heads * head_dim;
        Self { slots, capacity, kv_heads, head_dim, keys: vec![0.0; len], values: vec![0.0; len] }
    }

    /// Number of sequences.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Tokens that a sequence may have.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes of the cache of one layer, before it is made.
    pub fn bytes(
        slots: usize,
        capacity: usize,
        kv_heads: usize,
        head_dim: usize,
        dtype: KvDtype,
    ) -> usize {
        let vectors = 2 * slots * capacity * kv_heads;
        match dtype {
            KvDtype::F32 => vectors * head_dim * 4,
            KvDtype::Bf16 => vectors * head_dim * 2,
            KvDtype::Q8 => vectors * (head_dim + 4),
        }
    }

    /// Stores the keys and values of the spans' tokens, each `[tokens, kv_heads · head_dim]`, at their positions.
    pub fn append(&mut self, keys: &[f32], values: &[f32], spans: &[Span]) {
        let width = self.kv_heads * self.head_dim;
        for span in spans {
            let from = span.start * width..(span.start + span.len) * width;
            let at = (span.slot * self.capacity + span.position) * width;
            let to = at..at + span.len * width;
            self.keys[to.clone()].copy_from_slice(&keys[from.clone()]);
            self.values[to].copy_from_slice(&values[from]);
        }
    }

    /// Moves the first `len` tokens of slot `from` to slot `to`: the shared beginning of several answers.
    pub fn copy_slot(&mut self, from: usize, to: usize, len: usize) {
        let width = self.kv_heads * self.head_dim;
        let (source, target) = (from * self.capacity * width, to * self.capacity * width);
        self.keys.copy_within(source..source + len * width, target);
        self.values.copy_within(source..source + len * width, target);
    }

    /// Key and value vectors of `head` at `position` of `slot`.
    pub(super) fn at(&self, slot: usize, position: usize, head: usize) -> (&[f32], &[f32]) {
        let at = ((slot * self.capacity + position) * self.kv_heads + head) * self.head_dim;
        (&self.keys[at..at + self.head_dim], &self.values[at..at + self.head_dim])
    }
}
