#![expect(unsafe_code, reason = "vector instructions on pointers")]

use super::product::{Blocks, Rows, product};
use super::softmax::{Running, Scores, weigh};
use super::{AttentionShape, KEYS};
use crate::decoder::kv_cache::{Head, Stored};
use crate::lanes::{Kernel, LANES, Lanes};
use crate::scratch::{Disjoint, Scratch};

/// Attention of neighbouring tokens of one span, in the heads that share one head of keys and values.
pub(super) struct Part<'a, T> {
    pub(super) shape: &'a AttentionShape,
    /// Keys and values of the sequence, from its position 0 on.
    pub(super) head: Head<'a, T>,
    /// The first head of the queries.
    pub(super) first_head: usize,
    /// Index of the first token in the batch.
    pub(super) token: usize,
    /// Position of the first token in its sequence.
    pub(super) position: usize,
    pub(super) tokens: usize,
    /// `[tokens of the batch, heads · head_dim]`, as is `out`.
    pub(super) q: &'a [f32],
    pub(super) out: &'a Disjoint<'a>,
    /// `[tokens of the batch, heads]`.
    pub(super) lse: Option<&'a Disjoint<'a>>,
}

impl<T: Stored> Kernel for Part<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let AttentionShape { heads, kv_heads, head_dim, scale, window, softcap } = *self.shape;
        let group = heads / kv_heads;
        let rows = self.tokens * group;
        let width = head_dim.next_multiple_of(LANES);
        let end = self.position + self.tokens;
        let first_seen = |position: usize| match window {
            Some(window) => (position + 1).saturating_sub(window),
            None => 0,
        };
        let floats = rows * (width + KEYS + width + LANES + 2);
        let mut scratch = Scratch::new(floats);
        let scratch = scratch.floats();
        let (queries, scratch) = scratch.split_at_mut(rows * width);
        let (scores, scratch) = scratch.split_at_mut(rows * KEYS);
        let (sums_of_values, scratch) = scratch.split_at_mut(rows * width);
        let (sums, scratch) = scratch.split_at_mut(rows * LANES);
        let (greatest, factors) = scratch.split_at_mut(rows);
        sums_of_values.fill(0.0);
        sums.fill(0.0);
        greatest.fill(f32::NEG_INFINITY);
        for token in 0..self.tokens {
            let from = ((self.token + token) * heads + self.first_head) * head_dim;
            let from = self.q[from..from + group * head_dim].chunks_exact(head_dim);
            let to = queries[token * group * width..].chunks_exact_mut(width);
            for (to, from) in to.zip(from) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = from * scale);
            }
        }
        let mut tile = first_seen(self.position) / KEYS * KEYS;
        while tile < end {
            let seen = (first_seen(self.position).max(tile) - tile, (end - tile).min(KEYS));
            let blocks = (seen.0 / LANES, seen.1.div_ceil(LANES));
            let start = tile + blocks.0 * LANES;
            let keys = &self.head.keys[start * head_dim..(tile + blocks.1 * LANES) * head_dim];
            let values = &self.head.values[start * width..(tile + seen.1) * width];
            let scales = if T::SCALED { tile..tile + blocks.1 * LANES } else { 0..0 };
            // SAFETY: the slices above are all that is read; rows have the strides given.
            unsafe {
                product::<L, T>(
                    Rows { values: queries.as_ptr(), stride: width },
                    rows,
                    &Blocks {
                        numbers: keys.as_ptr(),
                        line: LANES,
                        block: LANES * head_dim,
                        count: blocks.1 - blocks.0,
                        depth: head_dim,
                    },
                    None,
                    Rows { values: scores[blocks.0 * LANES..].as_mut_ptr(), stride: KEYS },
                );
                for row in 0..rows {
                    let position = self.position + row / group;
                    let within = |at: usize| at.max(tile).min(tile + KEYS) - tile;
                    let scores_of = Scores {
                        softcap,
                        key_scales: &self.head.key_scales[scales.clone()],
                        value_scales: &self.head.value_scales[scales.clone()],
                        blocks,
                        seen: (within(first_seen(position)), within(position + 1)),
                    };
                    let mut running =
                        Running { greatest: greatest[row], sums: sums[row * LANES..].as_mut_ptr() };
                    let row_scores = scores[row * KEYS..].as_mut_ptr();
                    factors[row] = weigh::<L>(row_scores, &scores_of, &mut running);
                    greatest[row] = running.greatest;
                }
                product::<L, T>(
                    Rows { values: scores[blocks.0 * LANES..].as_ptr(), stride: KEYS },
                    rows,
                    &Blocks {
                        numbers: values.as_ptr(),
                        line: width,
                        block: LANES,
                        count: width / LANES,
                        depth: seen.1 - blocks.0 * LANES,
                    },
                    Some(factors.as_ptr()),
                    Rows { values: sums_of_values.as_mut_ptr(), stride: width },
                );
            }
            tile += KEYS;
        }
        for row in 0..rows {
            let index = (self.token + row / group) * heads + self.first_head + row % group;
            // SAFETY: tokens and heads of parts are disjoint; a row of sums is 16 long.
            unsafe {
                let total = L::load(sums[row * LANES..].as_ptr()).sum();
                let out = self.out.slice(index * head_dim, head_dim);
                // A window of nothing sees nothing.
                let factor = if total == 0.0 { 0.0 } else { 1.0 / total };
                let from = &sums_of_values[row * width..][..head_dim];
                out.iter_mut().zip(from).for_each(|(out, sum)| *out = sum * factor);
                if let Some(lse) = self.lse {
                    lse.slice(index, 1)[0] = greatest[row] + total.ln();
                }
            }
        }
    }
}
