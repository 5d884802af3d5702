//! Causal attention in tiles of keys, with a running softmax: scores are never held whole.
//!
//! One kernel serves prefill and decoding: a row is a token in one head, rows of all heads that share keys and values go
//! together, and tiles begin at multiples of 64 positions. So a row's result depends neither on the other rows, nor on
//! how a sequence was cut into calls, nor on the number of threads.
//!
//! Source: Dao et al. (2022), FlashAttention.

pub(super) mod backward;
mod part;
mod product;
mod softmax;

use std::cell::Cell;

pub use backward::attention_backward;
use part::Part;

use super::kv_cache::{HeadOf, Stored};
use super::{KvDtype, KvLayer, Span};
use crate::cpu_features::Isa;
use crate::lanes::{LANES, run_on};
use crate::parallel::parallel_parts;
use crate::scratch::Disjoint;

/// Keys of a tile.
const KEYS: usize = 64;

/// Rows of a part, about: as many as share a tile of keys in the first-level cache.
const ROWS: usize = 48;

/// Below so many multiplications threads cost more than they bring.
const WORTH_THREADS: usize = 2_000_000;

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
///
/// # Panics
///
/// Where `kv_heads` does not divide `heads`, or spans overlap or go beyond the tokens.
pub fn attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
) {
    uncached(Isa::detected(), q, k, v, spans, shape, out, None);
}

/// [`attention`] that also gives the logarithm of each row's sum of exponentials, `lse`: `[tokens, heads]`. A backward pass needs it.
///
/// # Panics
///
/// As [`attention`].
pub fn attention_with_lse(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
    lse: &mut [f32],
) {
    uncached(Isa::detected(), q, k, v, spans, shape, out, Some(lse));
}

/// Attention of the spans' tokens over the cache, where their own keys and values are already: call [`KvLayer::append`] first.
///
/// # Panics
///
/// Where the cache is of another shape, or spans overlap or go beyond tokens or cache; callers ask [`KvLayer::fits`] first.
pub fn cached_attention(
    q: &[f32],
    cache: &KvLayer,
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
) {
    cached(Isa::detected(), q, cache, spans, shape, out);
}

thread_local! {
    /// Keys and values of the last call without a cache: its memory serves the next.
    static OWN_CACHE: Cell<Option<KvLayer>> = const { Cell::new(None) };
}

/// [`attention_with_lse`] with the instructions of `isa`.
#[expect(clippy::too_many_arguments, reason = "the public function's, and two")]
pub(super) fn uncached(
    isa: Isa,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
    lse: Option<&mut [f32]>,
) {
    // The spans' keys and values are put into a cache of one slot, each from a whole block on.
    let mut capacity = 0;
    let placed: Vec<_> = spans
        .iter()
        .map(|span| {
            let base = capacity;
            capacity += span.len.next_multiple_of(LANES);
            Span { position: base, slot: 0, ..*span }
        })
        .collect();
    let mut cache = OWN_CACHE
        .take()
        .filter(|cache| {
            (cache.kv_heads(), cache.head_dim()) == (shape.kv_heads, shape.head_dim)
                && cache.capacity() >= capacity
        })
        .unwrap_or_else(|| KvLayer::new(1, capacity, shape.kv_heads, shape.head_dim, KvDtype::F32));
    cache.append(k, v, &placed);
    let sequences: Vec<_> = placed
        .iter()
        .map(|span| Sequence { base: span.position, span: Span { position: 0, ..*span } })
        .collect();
    attend(isa, q, &cache, &sequences, shape, out, lse);
    OWN_CACHE.set(Some(cache));
}

/// [`cached_attention`] with the instructions of `isa`.
pub(super) fn cached(
    isa: Isa,
    q: &[f32],
    cache: &KvLayer,
    spans: &[Span],
    shape: &AttentionShape,
    out: &mut [f32],
) {
    let shape_of_cache = (cache.kv_heads(), cache.head_dim());
    assert_eq!(shape_of_cache, (shape.kv_heads, shape.head_dim), "shape of the cache");
    let sequences: Vec<_> = spans
        .iter()
        .map(|&span| {
            assert!(cache.fits(&span), "{span:?} is beyond the cache");
            Sequence { span, base: 0 }
        })
        .collect();
    attend(isa, q, cache, &sequences, shape, out, None);
}

/// A span, and the place of its sequence's position 0 in the slot.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    span: Span,
    base: usize,
}

/// Neighbouring tokens of a sequence, in one head of keys and values.
struct Task {
    sequence: Sequence,
    kv_head: usize,
    /// The first token, within its span.
    token: usize,
    tokens: usize,
}

fn attend(
    isa: Isa,
    q: &[f32],
    cache: &KvLayer,
    sequences: &[Sequence],
    shape: &AttentionShape,
    out: &mut [f32],
    lse: Option<&mut [f32]>,
) {
    let AttentionShape { heads, kv_heads, head_dim, .. } = *shape;
    assert!(kv_heads > 0 && heads.is_multiple_of(kv_heads), "{kv_heads} do not divide {heads}");
    assert_eq!(q.len(), out.len(), "queries and results");
    assert_disjoint(sequences, q.len() / (heads * head_dim).max(1));
    let group = heads / kv_heads;
    let (tasks, seen) = tasks(sequences, shape);
    let (out, lse) = (Disjoint::new(out), lse.map(Disjoint::new));
    let part = |i: usize| {
        let Task { sequence: Sequence { span, base }, kv_head, token, tokens } = tasks[i];
        let (token, position) = (span.start + token, span.position + token);
        macro_rules! run {
            ($head:expr) => {
                run(
                    isa,
                    Part {
                        shape,
                        head: $head,
                        first_head: kv_head * group,
                        token,
                        position,
                        tokens,
                        q,
                        out: &out,
                        lse: lse.as_ref(),
                    },
                )
            };
        }
        match cache.head(span.slot, base, kv_head) {
            HeadOf::F32(head) => run!(head),
            HeadOf::Bf16(head) => run!(head),
            HeadOf::Q8(head) => run!(head),
        }
    };
    if seen * heads * head_dim * 2 < WORTH_THREADS {
        (0..tasks.len()).for_each(part);
    } else {
        parallel_parts(tasks.len(), &part);
    }
}

/// Kept apart, so that each kernel is compiled once.
#[inline(never)]
fn run<T: Stored>(isa: Isa, part: Part<'_, T>) {
    run_on(isa, part);
}

/// The work cut into parts, the longest first, and how many keys all tokens see together.
fn tasks(sequences: &[Sequence], shape: &AttentionShape) -> (Vec<Task>, usize) {
    let tokens_of_part = (ROWS * shape.kv_heads / shape.heads.max(1)).max(1);
    let (mut tasks, mut seen) = (Vec::new(), 0);
    for &sequence in sequences {
        let Span { len, position, .. } = sequence.span;
        for kv_head in 0..shape.kv_heads {
            for token in (0..len).step_by(tokens_of_part).rev() {
                let tokens = tokens_of_part.min(len - token);
                let keys = position + token + tokens;
                seen += tokens * shape.window.map_or(keys, |window| window.min(keys));
                tasks.push(Task { sequence, kv_head, token, tokens });
            }
        }
    }
    (tasks, seen / shape.kv_heads)
}

/// Threads write to what spans name, so no token may be in two of them.
fn assert_disjoint(sequences: &[Sequence], tokens: usize) {
    let spans = sequences.iter().map(|of| of.span).filter(|span| span.len > 0);
    let mut ranges: Vec<_> =
        spans.map(|span| (span.start, span.start.saturating_add(span.len))).collect();
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "spans overlap");
    assert!(ranges.last().is_none_or(|last| last.1 <= tokens), "spans beyond {tokens} tokens");
}
