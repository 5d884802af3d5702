//! `x` in the order in which a format's weights come out of their vectors.

use half::bf16;

use crate::ComputeDtype;

/// Values per step of a kernel.
pub(super) const STEP: usize = 64;

/// The place of each value within 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they lie in memory.
    Natural,
    /// Of each 32 first those with even places, then those with odd ones.
    EvenOdd,
    /// As [`super::lanes::Lanes::load_nf4`] gives them.
    Nf4,
}

/// A cache line of floats: vectors of `x` are loaded far more often than weights, and must not cross lines.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read through a pointer")] [f32; LINE]);

const LINE: usize = 16;

/// `m` rows of `x`, each filled with zeros to whole steps.
pub(super) struct Inputs {
    lines: Vec<Line>,
    stride: usize,
}

impl Inputs {
    /// `x` is `[m, k]`.
    pub(super) fn new(x: &[f32], k: usize, compute: ComputeDtype, order: Order) -> Self {
        let stride = k.next_multiple_of(STEP);
        let mut lines = Vec::with_capacity(x.len() / k * stride / LINE);
        for row in x.chunks_exact(k) {
            for values in row.chunks(STEP) {
                let mut step = [0.0; STEP];
                step[..values.len()].copy_from_slice(values);
                if compute == ComputeDtype::Bf16 {
                    step.iter_mut().for_each(|v| *v = bf16::from_f32(*v).to_f32());
                }
                let step = order.arrange(&step);
                lines.extend(step.as_chunks().0.iter().map(|line| Line(*line)));
            }
        }
        Self { lines, stride }
    }

    /// Values from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Values of all rows.
    pub(super) fn len(&self) -> usize {
        self.lines.len() * LINE
    }

    /// The first value of the first row.
    pub(super) fn as_ptr(&self) -> *const f32 {
        self.lines.as_ptr().cast()
    }
}

impl Order {
    /// One step in this order.
    fn arrange(self, step: &[f32; STEP]) -> [f32; STEP] {
        match self {
            Self::Natural => *step,
            Self::EvenOdd => std::array::from_fn(|i| step[i / 32 * 32 + i % 16 * 2 + i % 32 / 16]),
            Self::Nf4 => std::array::from_fn(|i| step[i % 8 * 8 + i % 16 / 8 * 4 + ((i / 16) ^ 1)]),
        }
    }
}
