//! Gradients of attention, with scores recomputed in tiles from the log-sum-exp of each row: memory is linear in the tokens.
//!
//! A task has neighbouring queries of one head of keys and values: it owns their gradients, and adds those of the keys and
//! values that they see to sums of its own, which are put together in the order of the queries afterwards. So each tile is
//! computed once, without a race, and how the work is cut depends on the shape alone.
//!
//! Source: Dao (2023), FlashAttention-2.

#![expect(unsafe_code, reason = "threads write disjoint parts of the gradients")]

mod gradients;
mod packed;
mod part;

use packed::{Packed, pack};
use part::{Part, ROWS};

use super::{AttentionShape, Sequence, WORTH_THREADS, assert_disjoint};
use crate::cpu_features::Isa;
use crate::decoder::Span;
use crate::lanes::LANES;
use crate::parallel::parallel_parts;
use crate::scratch::{Disjoint, Scratch};

/// Tasks that a long sequence is cut into at least, all heads of keys and values together.
const TASKS: usize = 16;

/// Tasks of one head of a sequence at most: each has its own sums for the keys and values that it sees.
const TASKS_OF_HEAD: usize = 8;

/// Tokens whose sums are put together at once.
const TOKENS: usize = 64;

/// Gradients of [`attention_with_lse`](super::attention_with_lse), all overwritten for the tokens of the spans and left as
/// they are for others: `dq` as `q`, `dk` and `dv` as `k` and `v`.
///
/// `q`, `k`, `v`, `spans` and `shape` are those of the forward call, `out` and `lse` its results, `dout` the gradient with
/// respect to `out`. Each span's gradients have the same bits whatever the other spans and the number of threads are.
///
/// # Panics
///
/// Where `kv_heads` does not divide `heads`, a length does not fit the others, or spans overlap or go beyond the tokens.
#[expect(clippy::too_many_arguments, reason = "operands and results of one operation")]
pub fn attention_backward(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    out: &[f32],
    lse: &[f32],
    dout: &[f32],
    spans: &[Span],
    shape: &AttentionShape,
    dq: &mut [f32],
    dk: &mut [f32],
    dv: &mut [f32],
) {
    let results = Results { q, k, v, out, lse, dout };
    backward(Isa::detected(), results, spans, shape, dq, dk, dv);
}

/// What the forward pass had and gave, and the gradient of the latter.
#[derive(Clone, Copy, Debug)]
pub(in crate::decoder) struct Results<'a> {
    pub(in crate::decoder) q: &'a [f32],
    pub(in crate::decoder) k: &'a [f32],
    pub(in crate::decoder) v: &'a [f32],
    pub(in crate::decoder) out: &'a [f32],
    pub(in crate::decoder) lse: &'a [f32],
    pub(in crate::decoder) dout: &'a [f32],
}

/// Neighbouring queries of a sequence, in the heads that share one head of keys and values.
struct Task {
    span: Span,
    /// Where the span's keys are among those packed.
    base: usize,
    kv_head: usize,
    /// The first query within the span, and the one behind the last.
    queries: (usize, usize),
    /// The first key that one of them sees, in whole vectors, and the one behind the last.
    keys: (usize, usize),
    /// Where the task's sums begin: those of the keys, then those of the values, each `[keys, head_dim]`.
    sums: usize,
}

/// [`attention_backward`] with the instructions of `isa`.
pub(in crate::decoder) fn backward(
    isa: Isa,
    of: Results<'_>,
    spans: &[Span],
    shape: &AttentionShape,
    dq: &mut [f32],
    dk: &mut [f32],
    dv: &mut [f32],
) {
    let AttentionShape { heads, kv_heads, head_dim, .. } = *shape;
    assert!(kv_heads > 0 && heads.is_multiple_of(kv_heads), "{kv_heads} do not divide {heads}");
    let tokens = of.q.len() / (heads * head_dim).max(1);
    let (of_queries, of_keys) = (tokens * heads * head_dim, tokens * kv_heads * head_dim);
    assert_eq!([of.q.len(), of.out.len(), of.dout.len(), dq.len()], [of_queries; 4], "queries");
    assert_eq!([of.k.len(), of.v.len(), dk.len(), dv.len()], [of_keys; 4], "keys and values");
    assert_eq!(of.lse.len(), tokens * heads, "sums of exponentials");
    let sequences: Vec<_> = spans
        .iter()
        .map(|&span| Sequence { span: Span { position: 0, ..span }, base: 0 })
        .collect();
    assert_disjoint(&sequences, tokens);

    if tokens == 0 {
        return;
    }
    let packed_tokens: usize = spans.iter().map(|span| span.len.next_multiple_of(LANES)).sum();
    let (mut tasks, sums_len, seen) = tasks(spans, shape);
    let threads = 2 * seen * heads * head_dim >= WORTH_THREADS;
    let run = |parts: usize, part: &(dyn Fn(usize) + Sync)| {
        if threads { parallel_parts(parts, part) } else { (0..parts).for_each(part) }
    };
    let packed_len = packed_tokens * kv_heads * head_dim;
    let mut memory = Scratch::shared(3 * packed_len + sums_len);
    let (packed, sums) = memory.floats().split_at_mut(3 * packed_len);
    let packed = pack(isa, of.k, of.v, spans, (kv_heads, head_dim), packed, &run);

    // The longest first.
    tasks.sort_by_key(|task| {
        std::cmp::Reverse((task.queries.1 - task.queries.0) * (task.keys.1 - task.keys.0))
    });
    let shared_sums = Disjoint::new(sums);
    let dq = Disjoint::new(dq);
    run(tasks.len(), &|i| {
        let task = &tasks[i];
        let len = (task.keys.1 - task.keys.0) * head_dim;
        // SAFETY: each task has sums of its own.
        let sums = unsafe { shared_sums.slice(task.sums, 2 * len) };
        let (dk, dv) = sums.split_at_mut(len);
        Part { isa, shape, task, of, packed: &packed, dq: &dq, dk, dv }.run();
    });
    let sums = &*sums;
    join(&mut tasks, (kv_heads, head_dim), sums, dk, dv, &run);
}

/// A parallel loop.
type Run<'a> = dyn Fn(usize, &(dyn Fn(usize) + Sync)) + 'a;

/// The work cut into tasks, the length of all sums, and how many keys all tokens see together, about.
fn tasks(spans: &[Span], shape: &AttentionShape) -> (Vec<Task>, usize, usize) {
    let group = shape.heads / shape.kv_heads;
    let (mut tasks, mut sums, mut seen, mut base) = (Vec::new(), 0, 0, 0);
    for &span in spans {
        let cuts = TASKS.div_ceil(shape.kv_heads).clamp(1, TASKS_OF_HEAD);
        let step = span.len.div_ceil(cuts).next_multiple_of((ROWS / group).max(1)).max(TOKENS);
        for kv_head in 0..shape.kv_heads {
            for first in (0..span.len).step_by(step) {
                let end = span.len.min(first + step);
                let first_key = first_seen(shape, first).min(end) / LANES * LANES;
                let keys = (first_key, end);
                tasks.push(Task { span, base, kv_head, queries: (first, end), keys, sums });
                sums += 2 * (end - first_key) * shape.head_dim;
                seen += (end - first) * (end - first_key);
            }
        }
        base += span.len.next_multiple_of(LANES);
    }
    (tasks, sums, seen / shape.kv_heads)
}

/// The first key that the query at `position` sees.
fn first_seen(shape: &AttentionShape, position: usize) -> usize {
    shape.window.map_or(0, |window| (position + 1).saturating_sub(window))
}

/// Adds up the sums of all tasks, in the order of the queries.
fn join(
    tasks: &mut [Task],
    (kv_heads, head_dim): (usize, usize),
    sums: &[f32],
    dk: &mut [f32],
    dv: &mut [f32],
    run: &Run<'_>,
) {
    tasks.sort_by_key(|task| task.sums);
    let (dk, dv) = (Disjoint::new(dk), Disjoint::new(dv));
    let of_one_head = |a: &Task, b: &Task| (a.base, a.kv_head) == (b.base, b.kv_head);
    let mut blocks = Vec::new();
    for tasks in tasks.chunk_by(of_one_head) {
        let len = tasks[0].span.len;
        blocks.extend((0..len).step_by(TOKENS).map(|token| (tasks, token)));
    }
    run(blocks.len(), &|i| {
        let (tasks, first) = blocks[i];
        let Task { span, kv_head, .. } = tasks[0];
        for token in first..span.len.min(first + TOKENS) {
            let at = ((span.start + token) * kv_heads + kv_head) * head_dim;
            // SAFETY: spans are disjoint, and so are blocks of their tokens and heads.
            let (dk, dv) = unsafe { (dk.slice(at, head_dim), dv.slice(at, head_dim)) };
            dk.fill(0.0);
            dv.fill(0.0);
            for task in tasks.iter().filter(|task| (task.keys.0..task.keys.1).contains(&token)) {
                let of_keys = task.sums + (token - task.keys.0) * head_dim;
                let of_values = of_keys + (task.keys.1 - task.keys.0) * head_dim;
                add(dk, &sums[of_keys..]);
                add(dv, &sums[of_values..]);
            }
        }
    });
}

fn add(to: &mut [f32], values: &[f32]) {
    to.iter_mut().zip(values).for_each(|(to, value)| *to += value);
}
