use std::marker::PhantomData;
use std::ops::Range;
use std::ptr::null;

use super::format::{Bf16, F16, F32, Format, Int8, Nf4, RoundedInt8, Row};
use super::inputs::{Inputs, Order, STEP};
use super::lanes::Lanes;
use super::portable::Portable;
use super::tile::{GROUP, Group, Operands, products};
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
        Values::Nf4(_) if weight.cols().is_multiple_of(STEP) => Nf4::<false>::ORDER,
        _ => Order::Natural,
    }
}

impl<'a> Part<'a> {
    /// `inputs` are in [`order`].
    pub(super) fn new(
        output: &'a mut Output<'_>,
        inputs: &'a Inputs,
        m: usize,
        compute: ComputeDtype,
    ) -> Self {
        let (n, k) = (output.weight.rows(), output.weight.cols());
        assert_eq!(output.out.len(), m * n, "an output of another size");
        assert_eq!(inputs.len(), m * inputs.stride(), "an input of another size");
        assert_eq!(inputs.stride(), k.next_multiple_of(STEP), "weights of different widths");
        let operands = Operands {
            x: inputs.as_ptr(),
            stride: inputs.stride(),
            m,
            out: output.out.as_mut_ptr(),
            n,
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
        let plain = |_| (null(), 1.0);
        // SAFETY: the caller has the instructions, and the weight is of the format.
        unsafe {
            match (self.weight.values(), self.round) {
                (Values::F32(v), false) => self.dense::<L, F32<false>, _>(v, rows, plain),
                (Values::F32(v), true) => self.dense::<L, F32<true>, _>(v, rows, plain),
                (Values::Bf16(v), _) => self.dense::<L, Bf16, _>(v, rows, plain),
                (Values::F16(v), false) => self.dense::<L, F16<false>, _>(v, rows, plain),
                (Values::F16(v), true) => self.dense::<L, F16<true>, _>(v, rows, plain),
                (Values::Int8(v), false) => {
                    self.dense::<L, Int8, _>(v.codes(), rows, |row| (null(), v.scale(row)));
                }
                (Values::Int8(v), true) => {
                    let absmax = |row: usize| (&raw const v.absmax()[row], 1.0);
                    self.dense::<L, RoundedInt8, _>(v.codes(), rows, absmax);
                }
                (Values::Nf4(_), false) if !k.is_multiple_of(STEP) => {
                    self.unpacked::<L, F32<false>>(rows);
                }
                (Values::Nf4(_), true) if !k.is_multiple_of(STEP) => {
                    self.unpacked::<L, F32<true>>(rows);
                }
                (Values::Nf4(v), false) => self.nf4::<L, Nf4<false>>(v, rows),
                (Values::Nf4(v), true) => self.nf4::<L, Nf4<true>>(v, rows),
            }
        }
    }

    /// Rows of values of one size, with scales and a factor each; the last step of a row may be short.
    #[inline(always)]
    unsafe fn dense<L: Lanes, F: Format, T>(
        &self,
        values: &[T],
        rows: Range<usize>,
        scale: impl Fn(usize) -> (*const f32, f32),
    ) {
        let k = self.weight.cols();
        let whole = k / STEP * STEP;
        let runs = if whole < k { 2 } else { 1 };
        let mut ends = [[0_u8; 256]; GROUP];
        for j in rows.clone().step_by(GROUP) {
            let members = members(j, &rows);
            let row = |r: usize| &values[members[r] * k..(members[r] + 1) * k];
            if whole < k {
                for (r, end) in ends.iter_mut().enumerate() {
                    let short = &row(r)[whole..];
                    let bytes = size_of_val(short);
                    // SAFETY: fewer than 64 values of at most 4 bytes fit, and any bytes are bytes.
                    unsafe {
                        std::ptr::copy_nonoverlapping(
                            short.as_ptr().cast(),
                            end.as_mut_ptr(),
                            bytes,
                        );
                    }
                }
            }
            let scaled = members.map(&scale);
            let row_at = |r: usize, values| Row { values, scales: scaled[r].0 };
            let runs = &[
                (std::array::from_fn(|r| row_at(r, row(r).as_ptr().cast())), k / STEP),
                (std::array::from_fn(|r| row_at(r, ends[r].as_ptr())), 1),
            ][..runs];
            let factors = scaled.map(|(_, factor)| factor);
            let group = Group { runs, factors, wanted: GROUP.min(rows.end - j) };
            // SAFETY: whole steps of these rows are in `values`, and the rest in their copies.
            unsafe { products::<L, F>(self.column(j), group) };
        }
    }

    /// Rows of whole NF4 blocks.
    #[inline(always)]
    unsafe fn nf4<L: Lanes, F: Format>(&self, weight: &crate::Nf4, rows: Range<usize>) {
        let blocks = self.weight.cols() / STEP;
        let bytes = blocks * F::BYTES;
        let packed = weight.packed();
        let mut decoded = match weight.absmax() {
            Absmax::Plain(_) => Vec::new(),
            Absmax::Double(_) => vec![0.0; GROUP * blocks],
        };
        for j in rows.clone().step_by(GROUP) {
            let members = members(j, &rows);
            let mut scales = |r: usize| {
                let at = members[r] * blocks..(members[r] + 1) * blocks;
                match weight.absmax() {
                    Absmax::Plain(absmax) => absmax[at].as_ptr(),
                    Absmax::Double(double) => {
                        let out = &mut decoded[r * blocks..(r + 1) * blocks];
                        double.decode(at, out);
                        out.as_ptr()
                    }
                }
            };
            let scales: [_; GROUP] = std::array::from_fn(&mut scales);
            let values = |r: usize| packed[members[r] * bytes..(members[r] + 1) * bytes].as_ptr();
            let rows_of_group =
                std::array::from_fn(|r| Row { values: values(r), scales: scales[r] });
            let runs = &[(rows_of_group, blocks)];
            let group = Group { runs, factors: [1.0; GROUP], wanted: GROUP.min(rows.end - j) };
            // SAFETY: these rows and their scales are there.
            unsafe { products::<L, F>(self.column(j), group) };
        }
    }

    /// Rows of any form, made f32 and filled with zeros first.
    #[inline(always)]
    unsafe fn unpacked<L: Lanes, F: Format>(&self, rows: Range<usize>) {
        let (k, stride) = (self.weight.cols(), self.operands.stride);
        let mut values = vec![0.0_f32; GROUP * stride];
        for j in rows.clone().step_by(GROUP) {
            let wanted = GROUP.min(rows.end - j);
            for (row, out) in (j..j + wanted).zip(values.chunks_exact_mut(stride)) {
                self.weight.row(row, &mut out[..k]);
            }
            let row = |r: usize| values[r * stride..(r + 1) * stride].as_ptr().cast();
            let rows = std::array::from_fn(|r| Row { values: row(r), scales: null() });
            let runs = &[(rows, stride / STEP)];
            let group = Group { runs, factors: [1.0; GROUP], wanted };
            // SAFETY: `values` are whole steps.
            unsafe { products::<L, F>(self.column(j), group) };
        }
    }

    /// The operands of the rows from `j` on.
    #[inline(always)]
    fn column(&self, j: usize) -> Operands {
        // SAFETY: `j` is one of the columns of the output.
        Operands { out: unsafe { self.operands.out.add(j) }, ..self.operands }
    }
}

/// The rows of the group that begins at `j`; behind the end, the last row again.
#[inline(always)]
fn members(j: usize, rows: &Range<usize>) -> [usize; GROUP] {
    std::array::from_fn(|r| (j + r).min(rows.end - 1))
}
