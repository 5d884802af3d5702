use super::reference;
use crate::cpu_features::Isa;
use crate::decoder::attention::{cached, uncached};
use crate::decoder::{AttentionShape, KvDtype, KvLayer, Span};
use crate::normal::normal;

/// Sequences of random keys and values, each in a slot of its own, and a batch of their last tokens.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) shape: AttentionShape,
    pub(super) dtype: KvDtype,
    /// Tokens that are in the cache already, and tokens of the batch, for each sequence.
    pub(super) lengths: Vec<(usize, usize)>,
}

/// Without window and cap; the scale is `1 / √head_dim`.
pub(super) fn shape(heads: usize, kv_heads: usize, head_dim: usize) -> AttentionShape {
    let scale = 1.0 / (head_dim as f32).sqrt();
    AttentionShape { heads, kv_heads, head_dim, scale, window: None, softcap: None }
}

/// Keys, or values, of a whole sequence.
fn of_sequence(seed: usize, tokens: usize, shape: &AttentionShape) -> Vec<f32> {
    normal(seed as u64, tokens * shape.kv_heads * shape.head_dim)
}

impl Scenario {
    /// The spans of the batch; slots are in reverse.
    pub(super) fn spans(&self) -> Vec<Span> {
        let mut start = 0;
        let spans = self.lengths.iter().enumerate().map(|(i, &(position, len))| {
            start += len;
            Span { start: start - len, len, position, slot: self.lengths.len() - 1 - i }
        });
        spans.collect()
    }

    pub(super) fn tokens(&self) -> usize {
        self.lengths.iter().map(|lengths| lengths.1).sum()
    }

    pub(super) fn queries(&self) -> Vec<f32> {
        normal(77, self.tokens() * self.shape.heads * self.shape.head_dim)
    }

    /// Keys and values of the whole sequence `i`.
    fn sequence(&self, i: usize) -> (Vec<f32>, Vec<f32>) {
        let tokens = self.lengths[i].0 + self.lengths[i].1;
        (of_sequence(2 * i, tokens, &self.shape), of_sequence(2 * i + 1, tokens, &self.shape))
    }

    /// The cache with everything in it. Slots have held other, longer sequences before.
    pub(super) fn cache(&self) -> KvLayer {
        let longest = self.lengths.iter().map(|(position, len)| position + len).max().unwrap_or(0);
        let capacity = longest + 3;
        let AttentionShape { kv_heads, head_dim, .. } = self.shape;
        let mut cache = KvLayer::new(self.lengths.len(), capacity, kv_heads, head_dim, self.dtype);
        let old = vec![f32::NAN; capacity * kv_heads * head_dim];
        for slot in 0..cache.slots() {
            cache.append(&old, &old, &[Span { start: 0, len: capacity, position: 0, slot }]);
        }
        for (i, span) in self.spans().into_iter().enumerate() {
            let (keys, values) = self.sequence(i);
            // The history first, then the batch's own.
            let history = Span { start: 0, len: span.position, position: 0, ..span };
            cache.append(&keys, &values, &[history]);
            cache.append(&keys, &values, &[Span { start: span.position, ..span }]);
        }
        cache
    }

    pub(super) fn cached(&self, isa: Isa) -> Vec<f32> {
        let q = self.queries();
        let mut out = vec![f32::NAN; q.len()];
        cached(isa, &q, &self.cache(), &self.spans(), &self.shape, &mut out);
        out
    }

    /// Results and log-sum-exp without a cache: only where the batch has whole sequences.
    pub(super) fn uncached(&self, isa: Isa) -> (Vec<f32>, Vec<f32>) {
        let (q, tokens) = (self.queries(), self.tokens());
        let (mut k, mut v) = (Vec::new(), Vec::new());
        for i in 0..self.lengths.len() {
            let (keys, values) = self.sequence(i);
            k.extend(keys);
            v.extend(values);
        }
        let mut out = vec![f32::NAN; q.len()];
        let mut lse = vec![f32::NAN; tokens * self.shape.heads];
        uncached(isa, &q, &k, &v, &self.spans(), &self.shape, &mut out, Some(&mut lse));
        (out, lse)
    }

    /// Results and log-sum-exp by the definition.
    pub(super) fn expected(&self) -> (Vec<f64>, Vec<f64>) {
        let AttentionShape { heads, kv_heads, head_dim, .. } = self.shape;
        let q = self.queries();
        let mut queries = q.chunks_exact(head_dim);
        let (mut out, mut lse) = (Vec::new(), Vec::new());
        for (i, span) in self.spans().iter().enumerate() {
            let (keys, values) = self.sequence(i);
            let of_head = |all: &[f32], head: usize| -> Vec<Vec<f64>> {
                let vectors = all.chunks_exact(head_dim).skip(head).step_by(kv_heads);
                vectors.map(|vector| reference::stored(vector, self.dtype)).collect()
            };
            let sequence: Vec<_> =
                (0..kv_heads).map(|head| (of_head(&keys, head), of_head(&values, head))).collect();
            for token in 0..span.len {
                let seen = span.position + token + 1;
                for head in 0..heads {
                    let (keys, values) = &sequence[head * kv_heads / heads];
                    let query = queries.next().expect("as many queries as tokens and heads");
                    let (row, sum) =
                        reference::attend(query, &keys[..seen], &values[..seen], &self.shape);
                    out.extend(row);
                    lse.push(sum);
                }
            }
        }
        (out, lse)
    }
}

/// Both within `tolerance`, and as many.
#[track_caller]
pub(super) fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs();
        assert!(error <= tolerance, "{what}: value {i} is {got}, expected {expected}");
    }
}
