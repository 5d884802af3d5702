#![expect(unsafe_code, reason = "vector instructions on pointers")]

use super::{AttentionShape, first_seen};
use crate::decoder::attention::KEYS;
use crate::exp::{exp, tanh};
use crate::lanes::{Kernel, LANES, Lanes};

/// Products of the rows of `dout` and `out`, `[rows, width]`.
pub(super) struct Dots<'a> {
    pub(super) dout: &'a [f32],
    pub(super) out: &'a [f32],
    pub(super) width: usize,
    pub(super) dots: &'a mut [f32],
}

impl Kernel for Dots<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let rows = self.dout.chunks_exact(self.width).zip(self.out.chunks_exact(self.width));
        for ((dout, out), dot) in rows.zip(self.dots) {
            // SAFETY: chunks of both have the same lengths.
            unsafe {
                let mut sum = L::splat(0.0);
                for (dout, out) in dout.chunks(LANES).zip(out.chunks(LANES)) {
                    let dout = L::load_first(dout.as_ptr(), dout.len());
                    sum = dout.mul_add(L::load_first(out.as_ptr(), out.len()), sum);
                }
                *dot = sum.sum();
            }
        }
    }
}

/// Turns scores into weights of the softmax, and gradients by these weights into gradients by the products of queries and
/// keys: `weight · (gradient - dot)`, times the slope of the cap. Both are zero where a row does not see a key.
pub(super) struct Gradients<'a> {
    pub(super) shape: &'a AttentionShape,
    /// Of the first row, within the span.
    pub(super) token: usize,
    /// The tile's first key, and the one behind its last.
    pub(super) keys: (usize, usize),
    /// `[rows]`, as the next.
    pub(super) lse: &'a [f32],
    pub(super) dots: &'a [f32],
    /// `[rows, 64]`, as the next.
    pub(super) weights: &'a mut [f32],
    pub(super) gradients: &'a mut [f32],
}

impl Kernel for Gradients<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let group = self.shape.heads / self.shape.kv_heads;
        let (key, end) = self.keys;
        let vectors = (end - key).div_ceil(LANES);
        let rows = self.weights.chunks_exact_mut(KEYS).zip(self.gradients.chunks_exact_mut(KEYS));
        let of_rows = self.lse.iter().zip(self.dots);
        for (row, ((weights, gradients), (&lse, &dot))) in rows.zip(of_rows).enumerate() {
            let token = self.token + row / group;
            let from = first_seen(self.shape, token).clamp(key, end) - key;
            let to = (token + 1).clamp(key, end) - key;
            for i in 0..vectors {
                let (start, stop) = (i * LANES, (i + 1) * LANES);
                // SAFETY: rows are four vectors long.
                unsafe {
                    let weight = weights.as_mut_ptr().add(start);
                    let gradient = gradients.as_mut_ptr().add(start);
                    let zero = L::splat(0.0);
                    if to <= start || from >= stop {
                        zero.store(weight);
                        zero.store(gradient);
                        continue;
                    }
                    let mut score = L::load(weight);
                    let mut by_score = L::load(gradient).sub(L::splat(dot));
                    if let Some(cap) = self.shape.softcap {
                        let bounded = tanh(score.div(L::splat(cap)));
                        score = bounded.mul(L::splat(cap));
                        by_score = by_score.mul(L::splat(1.0).sub(bounded.mul(bounded)));
                    }
                    let mut share = exp(score.sub(L::splat(lse)));
                    by_score = share.mul(by_score);
                    if from > start || to < stop {
                        let (first, last) = (from.max(start) - start, to.min(stop) - start);
                        share = share.keep(first, last, zero);
                        by_score = by_score.keep(first, last, zero);
                    }
                    share.store(weight);
                    by_score.store(gradient);
                }
            }
        }
    }
}
