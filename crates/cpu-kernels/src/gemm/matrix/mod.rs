//! Rows of a matrix of any form, piece by piece, as the words of a kernel.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod bf16_words;

use std::ops::Range;

use half::{bf16, f16};

use super::kernel::{BLOCK, PANEL, Word};
use super::method::Method;
use crate::cpu_features::Isa;
use crate::{Float, FrozenWeight, Int8, Nf4, Values};

/// Columns that [`Matrix::write_lines`] takes at most.
pub(super) const MAX_LINE: usize = 256;

/// A row-major matrix of so many columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<'a> {
    cols: usize,
    form: Form<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    F32(&'a [f32]),
    Bf16(&'a [bf16]),
    F16(&'a [f16]),
    Nf4(&'a Nf4),
    Int8(&'a Int8),
}

impl<'a> From<&'a FrozenWeight> for Matrix<'a> {
    fn from(weight: &'a FrozenWeight) -> Self {
        let form = match weight.values() {
            Values::F32(v) => Form::F32(v),
            Values::Bf16(v) => Form::Bf16(v),
            Values::F16(v) => Form::F16(v),
            Values::Nf4(v) => Form::Nf4(v),
            Values::Int8(v) => Form::Int8(v),
        };
        Self { cols: weight.cols(), form }
    }
}

impl<'a> Matrix<'a> {
    pub(super) fn dense(values: &'a [f32], cols: usize) -> Self {
        Self { cols, form: Form::F32(values) }
    }

    /// Columns `cols` of row `row` as words, for a sum along the row. Zeros fill up `words`.
    pub(super) fn write_row(
        self,
        method: Method,
        row: usize,
        cols: Range<usize>,
        words: &mut [f32],
    ) {
        let at = self.at(row, cols);
        match method.kernel.word {
            Word::F32 => {
                let (values, zeros) = words.split_at_mut(at.len());
                self.values(method, at, values);
                zeros.fill(0.0);
                if method.rounded {
                    bf16_words::round(values);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Word::Bf16Pair if method.kernel.isa == Isa::Avx512 => {
                avx512::row_pairs(self, at, words);
            }
            Word::Bf16Pair => {
                let mut values = [0.0; 2 * BLOCK];
                let values = &mut values[..at.len()];
                self.values(method, at, values);
                bf16_words::adjacent(values, words);
            }
        }
    }

    /// Columns `cols` of the row, or the two rows, of one word, for a sum down the rows: a line of 16 of each panel.
    ///
    /// `rows` may end in the middle of a pair. The panels begin `stride` words after each other.
    pub(super) fn write_lines(
        self,
        method: Method,
        rows: Range<usize>,
        cols: Range<usize>,
        panels: &mut [f32],
        stride: usize,
    ) {
        assert!(cols.len() <= MAX_LINE);
        let first = self.at(rows.start, cols.clone());
        let second = (rows.len() > 1).then(|| self.at(rows.start + 1, cols));
        #[cfg(target_arch = "x86_64")]
        if method.kernel.isa == Isa::Avx512 && !method.rounded {
            match method.kernel.word {
                Word::F32 => avx512::lines(self, first, panels, stride),
                Word::Bf16Pair => avx512::line_pairs(self, first, second, panels, stride),
            }
            return;
        }
        let lines = panels.chunks_mut(stride).map(|panel| &mut panel[..PANEL]);
        let mut values = [0.0; MAX_LINE];
        let mut lower = [0.0; MAX_LINE];
        self.values(method, first.clone(), &mut values[..first.len()]);
        match method.kernel.word {
            Word::F32 => {
                if method.rounded {
                    bf16_words::round(&mut values);
                }
                for (line, values) in lines.zip(values.chunks(PANEL)) {
                    line.copy_from_slice(values);
                }
            }
            Word::Bf16Pair => {
                if let Some(second) = second {
                    self.values(method, second, &mut lower[..first.len()]);
                }
                for (line, pairs) in lines.zip(values.chunks(PANEL).zip(lower.chunks(PANEL))) {
                    bf16_words::side_by_side(pairs, line);
                }
            }
        }
    }

    /// Values as f32, `at` in the flattened matrix and within one row.
    fn values(self, method: Method, at: Range<usize>, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if method.kernel.isa == Isa::Avx512 {
            return avx512::values(self, at, out);
        }
        self.values_portable(at, out);
    }

    fn values_portable(self, at: Range<usize>, out: &mut [f32]) {
        match self.form {
            Form::F32(v) => out.copy_from_slice(&v[at]),
            Form::Bf16(v) => widen(&v[at], out),
            Form::F16(v) => widen(&v[at], out),
            Form::Nf4(v) => v.dequantize(at, out),
            Form::Int8(v) => v.dequantize(at, out),
        }
    }

    fn at(self, row: usize, cols: Range<usize>) -> Range<usize> {
        assert!(cols.end <= self.cols);
        row * self.cols + cols.start..row * self.cols + cols.end
    }
}

fn widen<T: Float>(values: &[T], out: &mut [f32]) {
    values.iter().zip(out).for_each(|(v, o)| *o = v.to_f32());
}
