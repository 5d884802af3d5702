//! `x` in the order in which a format's weights come out of their vectors.

use std::borrow::Cow;

use super::portable::round_bf16;
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

/// `m` rows of `x`, each filled with zeros to whole steps.
pub(super) struct Inputs<'a> {
    values: Cow<'a, [f32]>,
    stride: usize,
}

impl<'a> Inputs<'a> {
    /// `x` is `[m, k]`.
    pub(super) fn new(x: &'a [f32], k: usize, compute: ComputeDtype, order: Order) -> Self {
        let stride = k.next_multiple_of(STEP);
        if order == Order::Natural && compute == ComputeDtype::F32 && stride == k {
            return Self { values: Cow::Borrowed(x), stride };
        }
        let mut values = vec![0.0; x.len() / k * stride];
        for (row, out) in x.chunks_exact(k).zip(values.chunks_exact_mut(stride)) {
            out[..k].copy_from_slice(row);
            if compute == ComputeDtype::Bf16 {
                out.iter_mut().for_each(|v| *v = round_bf16(*v));
            }
            order.arrange(out);
        }
        Self { values: Cow::Owned(values), stride }
    }

    /// Values from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// All rows.
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Order {
    /// Puts whole steps into this order.
    fn arrange(self, values: &mut [f32]) {
        let (steps, _) = values.as_chunks_mut::<STEP>();
        match self {
            Self::Natural => {}
            Self::EvenOdd => steps.iter_mut().for_each(|step| {
                let from = *step;
                for i in 0..STEP {
                    step[i] = from[i / 32 * 32 + i % 16 * 2 + i % 32 / 16];
                }
            }),
            Self::Nf4 => steps.iter_mut().for_each(|step| {
                let from = *step;
                for i in 0..STEP {
                    step[i] = from[i % 8 * 8 + i % 16 / 8 * 4 + ((i / 16) ^ 1)];
                }
            }),
        }
    }
}
