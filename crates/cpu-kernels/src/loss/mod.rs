#![expect(unsafe_code, reason = "loops over vectors")]

//! Cross entropy over a vocabulary.

#[cfg(test)]
mod tests;

use crate::cpu_features::Isa;
use crate::exp::exp;
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::parallel::parallel_parts;
use crate::scratch::Disjoint;

/// Logits that are read together: they are in the first-level cache when their exponentials are taken.
const CHUNK: usize = 1024;

/// Vectors that are worked on apart.
const APART: usize = 4;

/// Logits that one thread takes at a time, about.
const VALUES: usize = 32 * 1024;

/// Cross entropy of each row of `logits`, `[rows, vocab]`, and its gradient in the place of the logits.
///
/// `losses[i] = ln Σ e^row - row[targets[i]]`, unweighted; `predicted[i]` is the index of the greatest logit, the lowest of
/// equals. The row becomes `scale · weights[i] · (softmax(row) - onehot(targets[i]))`, zeros where the weight is 0.
/// Exponentials are relative to the greatest logit and added up in f64, 1,024 logits at a time; a row with NaN or positive
/// infinity has the loss NaN.
///
/// # Panics
///
/// Where `logits` is not `targets.len()` rows, `weights`, `losses` or `predicted` differ from `targets` in length, or a
/// target is not in the vocabulary.
pub fn cross_entropy(
    logits: &mut [f32],
    vocab: usize,
    targets: &[u32],
    weights: &[f32],
    scale: f32,
    losses: &mut [f32],
    predicted: &mut [u32],
) {
    assert_eq!(weights.len(), targets.len(), "weights and targets");
    let gradient = Gradient { logits: Disjoint::new(logits), weights, scale };
    each_row(Isa::detected(), Logits::Replaced(gradient), vocab, targets, losses, predicted);
}

/// [`cross_entropy`] without the gradient.
///
/// # Panics
///
/// As [`cross_entropy`].
pub fn losses_only(
    logits: &[f32],
    vocab: usize,
    targets: &[u32],
    losses: &mut [f32],
    predicted: &mut [u32],
) {
    each_row(Isa::detected(), Logits::Read(logits), vocab, targets, losses, predicted);
}

/// The logits, and whether gradients take their place.
enum Logits<'a> {
    Read(&'a [f32]),
    Replaced(Gradient<'a>),
}

struct Gradient<'a> {
    logits: Disjoint<'a>,
    weights: &'a [f32],
    scale: f32,
}

fn each_row(
    isa: Isa,
    logits: Logits<'_>,
    vocab: usize,
    targets: &[u32],
    losses: &mut [f32],
    predicted: &mut [u32],
) {
    let rows = targets.len();
    assert_eq!((losses.len(), predicted.len()), (rows, rows), "results and targets");
    let len = match &logits {
        Logits::Read(logits) => logits.len(),
        Logits::Replaced(gradient) => gradient.logits.len(),
    };
    assert_eq!(Some(len), rows.checked_mul(vocab), "logits of {rows} rows of {vocab}");
    let known = |&target: &u32| (target as usize) < vocab;
    assert!(targets.iter().all(known), "a target beyond the vocabulary of {vocab}");
    let rows_of_part = (VALUES / vocab.max(1)).max(1);
    let (losses, predicted) = (Disjoint::new(losses), Disjoint::new(predicted));
    let part = |i: usize| {
        for row in i * rows_of_part..rows.min((i + 1) * rows_of_part) {
            let target = targets[row] as usize;
            // SAFETY: rows are disjoint, and each is in one part.
            unsafe {
                let mut seen = Row::default();
                match &logits {
                    Logits::Read(logits) => {
                        let logits = &logits[row * vocab..][..vocab];
                        run_on(isa, Sum { logits, seen: &mut seen });
                        losses.slice(row, 1)[0] = seen.loss(logits[target]);
                    }
                    Logits::Replaced(Gradient { logits, weights, scale }) => {
                        let logits = logits.slice(row * vocab, vocab);
                        run_on(isa, Sum { logits, seen: &mut seen });
                        losses.slice(row, 1)[0] = seen.loss(logits[target]);
                        let factor = scale * weights[row];
                        run_on(isa, Replace { logits, target, seen: &seen, factor });
                    }
                }
                predicted.slice(row, 1)[0] = seen.predicted;
            }
        }
    };
    let parts = rows.div_ceil(rows_of_part);
    if len < 2 * VALUES { (0..parts).for_each(part) } else { parallel_parts(parts, &part) }
}

/// What is known of a row when it has been read.
#[derive(Debug)]
struct Row {
    greatest: f32,
    predicted: u32,
    /// `Σ e^(logit - greatest)`.
    sum: f64,
}

impl Default for Row {
    fn default() -> Self {
        Self { greatest: f32::NEG_INFINITY, predicted: 0, sum: 0.0 }
    }
}

impl Row {
    fn loss(&self, target: f32) -> f32 {
        (f64::from(self.greatest) - f64::from(target) + self.sum.ln()) as f32
    }
}

/// Greatest logit, its index, and the sum of exponentials, in one pass.
///
/// Source: Milakov and Gimelshein (2018), online softmax.
struct Sum<'a> {
    logits: &'a [f32],
    seen: &'a mut Row,
}

impl Kernel for Sum<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let seen = self.seen;
        for (i, chunk) in self.logits.chunks(CHUNK).enumerate() {
            // SAFETY: passed on.
            unsafe {
                let greatest = greatest::<L>(chunk);
                if greatest > seen.greatest {
                    seen.sum *= f64::from(seen.greatest - greatest).exp();
                    seen.greatest = greatest;
                    let at = chunk.iter().position(|&logit| logit == greatest).unwrap_or(0);
                    seen.predicted = (i * CHUNK + at) as u32;
                }
                seen.sum += f64::from(sum_of_exponentials::<L>(chunk, seen.greatest));
            }
        }
    }
}

/// The row's gradient in the place of its logits.
struct Replace<'a> {
    logits: &'a mut [f32],
    target: usize,
    seen: &'a Row,
    /// What the gradient is multiplied by.
    factor: f32,
}

impl Kernel for Replace<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        if self.factor == 0.0 {
            self.logits.fill(0.0);
            return;
        }
        let target = f64::from(self.logits[self.target] - self.seen.greatest).exp() / self.seen.sum;
        // SAFETY: passed on; chunks have the lengths given.
        unsafe {
            let factor = L::splat((f64::from(self.factor) / self.seen.sum) as f32);
            let shift = L::splat(self.seen.greatest);
            let mut chunks = self.logits.chunks_exact_mut(LANES);
            for chunk in &mut chunks {
                let weight = exp(L::load(chunk.as_ptr()).sub(shift));
                weight.mul(factor).store(chunk.as_mut_ptr());
            }
            let rest = chunks.into_remainder();
            if !rest.is_empty() {
                let weight = exp(L::load_first(rest.as_ptr(), rest.len()).sub(shift));
                weight.mul(factor).store_first(rest.as_mut_ptr(), rest.len());
            }
        }
        self.logits[self.target] = (f64::from(self.factor) * (target - 1.0)) as f32;
    }
}

/// # Safety
///
/// As [`Kernel::run`].
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices keep the vectors in registers")]
unsafe fn greatest<L: Lanes>(chunk: &[f32]) -> f32 {
    // SAFETY: passed on; chunks have the lengths given.
    unsafe {
        let lowest = L::splat(f32::NEG_INFINITY);
        let mut greatest = [lowest; APART];
        let chunks = chunk.chunks_exact(APART * LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for i in 0..APART {
                greatest[i] = L::load(chunk.as_ptr().add(i * LANES)).max(greatest[i]);
            }
        }
        for (i, chunk) in rest.chunks(LANES).enumerate() {
            let logits = L::load_first(chunk.as_ptr(), chunk.len()).keep(0, chunk.len(), lowest);
            greatest[i] = logits.max(greatest[i]);
        }
        greatest[0].max(greatest[1]).max(greatest[2].max(greatest[3])).greatest()
    }
}

/// `Σ e^(logit - greatest)` of one chunk.
///
/// # Safety
///
/// As [`Kernel::run`].
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices keep the vectors in registers")]
unsafe fn sum_of_exponentials<L: Lanes>(chunk: &[f32], greatest: f32) -> f32 {
    // SAFETY: passed on; chunks have the lengths given.
    unsafe {
        // As long as nothing is above negative infinity, its exponential is 0.
        let shift = if greatest == f32::NEG_INFINITY { 0.0 } else { greatest };
        let (zero, shift) = (L::splat(0.0), L::splat(shift));
        let mut sums = [zero; APART];
        let chunks = chunk.chunks_exact(APART * LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for i in 0..APART {
                let logits = L::load(chunk.as_ptr().add(i * LANES));
                sums[i] = sums[i].add(exp(logits.sub(shift)));
            }
        }
        for (i, chunk) in rest.chunks(LANES).enumerate() {
            let logits = L::load_first(chunk.as_ptr(), chunk.len());
            let weights = exp(logits.sub(shift)).keep(0, chunk.len(), zero);
            sums[i] = sums[i].add(weights);
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum()
    }
}
