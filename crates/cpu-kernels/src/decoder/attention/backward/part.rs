#![expect(unsafe_code, reason = "threads write disjoint parts of the gradients")]

use super::gradients::{Dots, Gradients};
use super::{AttentionShape, Packed, Results, Task, first_seen};
use crate::cpu_features::Isa;
use crate::decoder::attention::KEYS;
use crate::lanes::{LANES, run_on};
use crate::scratch::{Disjoint, Scratch};
use crate::small_product::{Left, Right, Sums, small_product};

/// Rows of a block, about: queries of neighbouring tokens in all heads that share keys and values.
pub(super) const ROWS: usize = 96;

/// One task and where its results go.
pub(super) struct Part<'a> {
    pub(super) isa: Isa,
    pub(super) shape: &'a AttentionShape,
    pub(super) task: &'a Task,
    pub(super) of: Results<'a>,
    pub(super) packed: &'a Packed<'a>,
    pub(super) dq: &'a Disjoint<'a>,
    /// Of the keys that the task sees, `[keys, head_dim]`; overwritten, as `dv`.
    pub(super) dk: &'a mut [f32],
    pub(super) dv: &'a mut [f32],
}

/// A block of rows: token by token, head by head.
struct Block<'a> {
    /// Within the span.
    token: usize,
    /// Scaled, `[rows, head_dim]`, as the next.
    queries: &'a [f32],
    dout: &'a [f32],
    /// `[rows]`, as the next.
    lse: &'a [f32],
    /// Products of the rows of `dout` and `out`.
    dots: &'a [f32],
}

impl Part<'_> {
    pub(super) fn run(mut self) {
        let head_dim = self.shape.head_dim;
        let group = self.shape.heads / self.shape.kv_heads;
        self.dk.fill(0.0);
        self.dv.fill(0.0);
        let most = (ROWS / group).max(1);
        let rows = most * group;
        let mut memory = Scratch::new(rows * (3 * head_dim + 2 * KEYS + 2));
        let (queries, memory) = memory.floats().split_at_mut(rows * head_dim);
        let (dout, memory) = memory.split_at_mut(rows * head_dim);
        let (dq, memory) = memory.split_at_mut(rows * head_dim);
        let (scores, memory) = memory.split_at_mut(2 * rows * KEYS);
        let (lse, dots) = memory.split_at_mut(rows);
        let (first, end) = self.task.queries;
        for token in (first..end).step_by(most) {
            let tokens = most.min(end - token);
            let n = tokens * group;
            for i in 0..tokens {
                let head = (self.task.span.start + token + i) * self.shape.heads
                    + self.task.kv_head * group;
                let rows = i * group..(i + 1) * group;
                let floats = rows.start * head_dim..rows.end * head_dim;
                let from = head * head_dim..(head + group) * head_dim;
                dout[floats.clone()].copy_from_slice(&self.of.dout[from.clone()]);
                let scale = self.shape.scale;
                for (to, q) in queries[floats.clone()].iter_mut().zip(&self.of.q[from.clone()]) {
                    *to = q * scale;
                }
                lse[rows.clone()].copy_from_slice(&self.of.lse[head..head + group]);
                let (dout, out) = (&dout[floats], &self.of.out[from]);
                run_on(self.isa, Dots { dout, out, width: head_dim, dots: &mut dots[rows] });
            }
            let block = Block {
                token,
                queries: &queries[..n * head_dim],
                dout: &dout[..n * head_dim],
                lse: &lse[..n],
                dots: &dots[..n],
            };
            let dq = &mut dq[..n * head_dim];
            dq.fill(0.0);
            let end_of_keys = token + tokens;
            let mut key = first_seen(self.shape, token).min(end_of_keys) / LANES * LANES;
            while key < end_of_keys {
                // Tiles begin at multiples of their size, but for the first.
                let next = (key / KEYS + 1) * KEYS;
                self.tile(&block, (key, next.min(end_of_keys)), scores, dq);
                key = next;
            }
            for (i, dq) in dq.chunks_exact(group * head_dim).enumerate() {
                let head = (self.task.span.start + token + i) * self.shape.heads
                    + self.task.kv_head * group;
                // SAFETY: tasks have tokens or heads of their own.
                unsafe { self.dq.slice(head * head_dim, group * head_dim) }.copy_from_slice(dq);
            }
        }
    }

    /// Adds what a block of rows and a tile of keys give to the gradients of both.
    fn tile(
        &mut self,
        block: &Block<'_>,
        (key, end): (usize, usize),
        scores: &mut [f32],
        dq: &mut [f32],
    ) {
        let AttentionShape { head_dim, scale, .. } = *self.shape;
        let (isa, rows, keys) = (self.isa, block.lse.len(), end - key);
        let padded = keys.next_multiple_of(LANES);
        let (weights, gradients) = scores.split_at_mut(scores.len() / 2);
        let at = (self.task.kv_head * self.packed.tokens + self.task.base + key) * head_dim;
        let columns = |values| Right { values, term: LANES, block: LANES * head_dim };
        let row = |values| Right { values, term: head_dim, block: LANES };
        let (key_columns, value_columns) =
            (&self.packed.key_columns[at..], &self.packed.value_columns[at..]);
        for (left, right, values) in [
            (block.queries, key_columns, &mut *weights),
            (block.dout, value_columns, &mut *gradients),
        ] {
            small_product(
                isa,
                (rows, padded, head_dim),
                Left { values: left, row: head_dim, term: 1 },
                columns(right),
                Sums { values, row: KEYS, factor: 1.0, add: false },
            );
        }
        let of_scores = Gradients {
            shape: self.shape,
            token: block.token,
            keys: (key, end),
            lse: block.lse,
            dots: block.dots,
            weights,
            gradients,
        };
        run_on(isa, of_scores);
        let of_task = (key - self.task.keys.0) * head_dim..;
        for (left, right, sums) in
            [(&*weights, block.dout, &mut *self.dv), (&*gradients, block.queries, &mut *self.dk)]
        {
            let values = &mut sums[of_task.clone()];
            small_product(
                isa,
                (keys, head_dim, rows),
                Left { values: left, row: 1, term: KEYS },
                row(right),
                Sums { values, row: head_dim, factor: 1.0, add: true },
            );
        }
        small_product(
            isa,
            (rows, head_dim, keys),
            Left { values: gradients, row: KEYS, term: 1 },
            row(&self.packed.key_rows[at..]),
            Sums { values: dq, row: head_dim, factor: scale, add: true },
        );
    }
}
