use super::{KvLayer, Span};

/// Shape and scores of an attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionShape {
    /// Heads of the queries.
    pub heads: usize,
    /// Heads of keys and values; divides `heads`.
    pub kv_heads: usize,
    /// Dimensions of a head.
    pub head_dim: usize,
    /// What scores are multiplied by.
    pub scale: f32,
    /// A token sees itself and the `window - 1` tokens before it; `None`: all before it.
    pub window: Option<usize>,
    /// Scores become `cap · tanh(score / cap)`.
    pub softcap: Option<f32>,
}

/// Causal attention within each span, without a cache: `q` is `[tokens, heads · head_dim]`, `k` and `v` are
/// `[tokens, kv_heads · head_dim]`, `out` is as `q`. Spans are whole sequences; their `position` and `slot` are not looked at.
pub fn attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
) {
    let width = shape.kv_heads * shape.head_dim;
    for span in spans {
        let vector = |of: &[f32], position: usize, head: usize| {
            let at = (span.start + position) * width + head * shape.head_dim;
            of[at..at + shape.head_dim].to_vec()
        };
        let whole = Span { position: 0, ..*span };
        attend(q, &whole, shape, out, |position, head| {
            (vector(k, position, head), vector(v, position, head))
        });
    }
}

/// Attention of the spans' tokens over the cache, where their own keys and values are already: call [`KvLayer::append`] first.
pub fn cached_attention(
    q: &[f32],
    cache: &KvLayer,
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
) {
    for span in spans {
        attend(q, span, shape, out, |position, head| {
            let (key, value) = cache.at(span.slot, position, head);
            (key.to_vec(), value.to_vec())
        });
    }
}

fn attend(
    q: &[f32],
    span: &Span,
    shape: &AttentionShape,
    out: &mut [f32],
    vectors: impl Fn(usize, usize) -> (Vec<f32>, Vec<f32>),
) {
    let group = shape.heads / shape.kv_heads;
    for token in 0..span.len {
        let last = span.position + token;
        let first = shape.window.map_or(0, |window| (last + 1).saturating_sub(window));
        for head in 0..shape.heads {
            let at = ((span.start + token) * shape.heads + head) * shape.head_dim;
            let query = &q[at..at + shape.head_dim];
            let seen: Vec<_> =
                (first..=last).map(|position| vectors(position, head / group)).collect();
            let scores: Vec<f32> = seen
                .iter()
                .map(|(key, _)| {
                    let score =
                        shape.scale * query.iter().zip(key).map(|(q, k)| q * k).sum::<f32>();
                    shape.softcap.map_or(score, |cap| cap * (score / cap).tanh())
                })
                .collect();
            let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = scores.iter().map(|score| (score - greatest).exp()).collect();
            let total: f32 = weights.iter().sum();
            let out = &mut out[at..at + shape.head_dim];
            out.fill(0.0);
            for ((_, value), weight) in seen.iter().zip(&weights) {
                out.iter_mut().zip(value).for_each(|(out, value)| *out += weight / total * value);
            }
        }
    }
}
