//! Pieces of the rows of a matrix as f32, whatever its form.

#[cfg(target_arch = "x86_64")]
mod avx512;

use std::ops::Range;

use crate::cpu_features::Isa;
use crate::{Float, FrozenWeight, Values};

/// A matrix whose rows can be had in pieces, as f32.
pub(super) trait Segments: Sync {
    /// Columns `cols` of row `row`, into `out` of that length.
    fn segment(&self, row: usize, cols: Range<usize>, out: &mut [f32]);
}

/// A dense row-major matrix of so many columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dense<'a> {
    pub(super) values: &'a [f32],
    pub(super) cols: usize,
}

impl Segments for Dense<'_> {
    fn segment(&self, row: usize, cols: Range<usize>, out: &mut [f32]) {
        out.copy_from_slice(&self.values[row * self.cols + cols.start..row * self.cols + cols.end]);
    }
}

impl Segments for FrozenWeight {
    fn segment(&self, row: usize, cols: Range<usize>, out: &mut [f32]) {
        let at = row * self.cols() + cols.start..row * self.cols() + cols.end;
        assert!(cols.end <= self.cols() && out.len() == at.len());
        #[cfg(target_arch = "x86_64")]
        if Isa::detected() == Isa::Avx512 {
            avx512::segment(self, row, at, out);
            return;
        }
        match self.values() {
            Values::F32(v) => out.copy_from_slice(&v[at]),
            Values::Bf16(v) => widen(&v[at], out),
            Values::F16(v) => widen(&v[at], out),
            Values::Nf4(v) => v.dequantize(at, out),
            Values::Int8(v) => v.dequantize(at, out),
        }
    }
}

fn widen<T: Float>(values: &[T], out: &mut [f32]) {
    values.iter().zip(out).for_each(|(v, o)| *o = v.to_f32());
}
