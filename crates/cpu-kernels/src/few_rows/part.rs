use std::marker::PhantomData;
use std::ops::Range;

use super::format::{Bf16, F16, F32, Format, Int8, Nf4, Row};
use super::inputs::{Inputs, Order, STEP};
use super::lanes::Lanes;
use super::portable::Portable;
use super::tile::{GROUP, Operands, group};
use crate::cpu_features::Isa;
use crate::{Absmax, ComputeDtype, FrozenWeight, Output, Values};

/// One weight with its input and output.
pub(super) struct Part<'a> {
    weight: &'a FrozenWeight,
    operands: Operands,
    round: bool,
    borrows: PhantomData<(&'a mut [f32], &'a [f32])>,
}

// SAFETY: threads write different columns of the output, and only read what else the pointers lead to.
unsafe impl Sync for Part<'_> {}

/// The order in which the weight's kernel takes `x`.
pub(super) fn order(weight: &FrozenWeight) -> Order {
    match weight.values() {
        Values::Bf16(_) => Bf16::ORDER,
        Values::Nf4(_) if weight.cols() % STEP == 0 => Nf4::<false>::ORDER,
        _ => Order::Natural,
    }
}

impl<'a> Part<'a> {
    /// `inputs` are in [`order`].
    pub(super) fn new(
        output: &'a mut Output<'_>,
        inputs: &'a Inputs<'_>,
        m: usize,
        compute: ComputeDtype,
    ) -> Self {
        let (n, k) = (output.weight.rows(), output.weight.cols());
        assert_eq!(output.out.len(), m * n, "an output of another size");
        assert_eq!(inputs.values().len(), m * inputs.stride(), "an input of another size");
        assert_eq!(inputs.stride(), k.next_multiple_of(STEP), "weights of different widths");
        let operands = Operands {
            x: inputs.values().as_ptr(),
            stride: inputs.stride(),
            m,
            out: output.out.as_mut_ptr(),
            n,
            steps: k / STEP,
        };
        let round = compute == ComputeDtype::Bf16;
        Self { weight: output.weight, operands, round, borrows: PhantomData }
    }

    /// Rows of weights.
    pub(super) fn rows(&self) -> usize {
        self.weight.rows()
    }

    /// Bytes of weights.
    pub(super) fn bytes(&self) -> usize {
        self.weight.bytes()
    }

    /// The outputs of `rows`. No other thread may have the same rows.
    pub(super) fn run(&self, isa: Isa, rows: Range<usize>) {
        assert!(rows.end <= self.rows());
        // SAFETY: the processor has what `isa` says; the lengths were looked at in `new`.
        unsafe {
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => self.run_avx512(rows),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => self.run_avx2(rows),
                _ => self.run_with::<Portable>(rows),
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn run_avx512(&self, rows: Range<usize>) {
        // SAFETY: the features are enabled.
        unsafe { self.run_with::<super::avx512::Avx512>(rows) }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c")]
    unsafe fn run_avx2(&self, rows: Range<usize>) {
        // SAFETY: the features are enabled.
        unsafe { self.run_with::<super::avx2::Avx2>(rows) }
    }

    #[inline(always)]
    unsafe fn run_with<L: Lanes>(&self, rows: Range<usize>) {
        let k = self.weight.cols();
        // SAFETY: the caller has the instructions, and the weight is of the format.
        unsafe {
            match (self.weight.values(), self.round) {
                (Values::F32(v), false) => self.dense::<L, F32<false>, _>(v, rows, |_| 1.0),
                (Values::F32(v), true) => self.dense::<L, F32<true>, _>(v, rows, |_| 1.0),
                (Values::Bf16(v), _) => self.dense::<L, Bf16, _>(v, rows, |_| 1.0),
                (Values::F16(v), false) => self.dense::<L, F16<false>, _>(v, rows, |_| 1.0),
                (Values::F16(v), true) => self.dense::<L, F16<true>, _>(v, rows, |_| 1.0),
                (Values::Int8(v), _) => {
                    self.dense::<L, Int8, _>(v.codes(), rows, |row| v.scale(row));
                }
                (Values::Nf4(_), false) if k % STEP != 0 => self.unpacked::<L, F32<false>>(rows),
                (Values::Nf4(_), true) if k % STEP != 0 => self.unpacked::<L, F32<true>>(rows),
                (Values::Nf4(v), false) => self.nf4::<L, Nf4<false>>(v, rows),
                (Values::Nf4(v), true) => self.nf4::<L, Nf4<true>>(v, rows),
            }
        }
    }

    /// Rows of values of one size, with a factor each; the last step of a row may be short.
    #[inline(always)]
    unsafe fn dense<L: Lanes, F: Format, T>(
        &self,
        values: &[T],
        rows: Range<usize>,
        factor: impl Fn(usize) -> f32,
    ) {
        let k = self.weight.cols();
        let whole = k / STEP * STEP;
        let mut tails = [[0_u8; 256]; GROUP];
        let row = |row: usize| &values[row * k..(row + 1) * k];
        let whole_row = |j: usize| Row { values: row(j).as_ptr().cast(), scales: std::ptr::null() };
        let mut fill = |r: usize, j: usize| {
            let tail = &row(j)[whole..];
            let bytes = size_of_val(tail);
            // SAFETY: fewer than 64 values of at most 4 bytes fit into the buffer, and any bytes are bytes.
            unsafe {
                std::ptr::copy_nonoverlapping(tail.as_ptr().cast(), tails[r].as_mut_ptr(), bytes);
            }
            Row { values: tails[r].as_ptr(), scales: std::ptr::null() }
        };
        for (j, whole_group) in groups(rows) {
            let operands = self.column(j);
            // SAFETY: whole steps of these rows are in `values`, and the tails in their buffers.
            unsafe {
                if whole_group {
                    let tails = (whole < k).then(|| std::array::from_fn(|r| fill(r, j + r)));
                    let rows = std::array::from_fn(|r| whole_row(j + r));
                    let factors = std::array::from_fn(|r| factor(j + r));
                    group::<L, F, GROUP>(operands, rows, tails, factors);
                } else {
                    let tail = (whole < k).then(|| [fill(0, j)]);
                    group::<L, F, 1>(operands, [whole_row(j)], tail, [factor(j)]);
                }
            }
        }
    }

    /// Rows of whole NF4 blocks.
    #[inline(always)]
    unsafe fn nf4<L: Lanes, F: Format>(&self, weight: &crate::Nf4, rows: Range<usize>) {
        let blocks = self.operands.steps;
        let mut decoded = vec![0.0; GROUP * blocks];
        let packed = weight.packed();
        let bytes = blocks * F::BYTES;
        let mut row = |r: usize, j: usize| {
            let at = j * blocks..(j + 1) * blocks;
            let scales = match weight.absmax() {
                Absmax::Plain(absmax) => absmax[at].as_ptr(),
                Absmax::Double(double) => {
                    let out = &mut decoded[r * blocks..(r + 1) * blocks];
                    at.zip(&mut *out).for_each(|(block, out)| *out = double.get(block));
                    out.as_ptr()
                }
            };
            Row { values: packed[j * bytes..(j + 1) * bytes].as_ptr(), scales }
        };
        for (j, whole_group) in groups(rows) {
            let operands = self.column(j);
            // SAFETY: these rows and their scales are there.
            unsafe {
                if whole_group {
                    let rows = std::array::from_fn(|r| row(r, j + r));
                    group::<L, F, GROUP>(operands, rows, None, [1.0; GROUP]);
                } else {
                    group::<L, F, 1>(operands, [row(0, j)], None, [1.0]);
                }
            }
        }
    }

    /// Rows of any form, made f32 and filled with zeros first.
    #[inline(always)]
    unsafe fn unpacked<L: Lanes, F: Format>(&self, rows: Range<usize>) {
        let (k, stride) = (self.weight.cols(), self.operands.stride);
        let mut values = vec![0.0_f32; stride];
        for j in rows {
            self.weight.row(j, &mut values[..k]);
            let row = Row { values: values.as_ptr().cast(), scales: std::ptr::null() };
            let operands = Operands { steps: stride / STEP, ..self.column(j) };
            // SAFETY: `values` are whole steps.
            unsafe { group::<L, F, 1>(operands, [row], None, [1.0]) }
        }
    }

    /// The operands of the rows from `j` on.
    #[inline(always)]
    fn column(&self, j: usize) -> Operands {
        // SAFETY: `j` is one of the columns of the output.
        Operands { out: unsafe { self.operands.out.add(j) }, ..self.operands }
    }
}

/// Where groups begin, and whether they are whole; behind the last whole one, single rows.
#[inline(always)]
fn groups(rows: Range<usize>) -> impl Iterator<Item = (usize, bool)> {
    let mut j = rows.start;
    std::iter::from_fn(move || {
        let whole = j + GROUP <= rows.end;
        let at = (j < rows.end).then_some((j, whole));
        j += if whole { GROUP } else { 1 };
        at
    })
}
