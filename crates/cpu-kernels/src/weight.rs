use std::ops::Range;

use half::{bf16, f16};

use crate::int8::count;
use crate::nf4::expect_len;
use crate::{DenseDtype, Float, Int8, Nf4, WeightError};

#[cfg(test)]
mod tests;

/// A weight that training does not change: `rows` outputs by `cols` inputs, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenWeight {
    rows: usize,
    cols: usize,
    values: Values,
}

/// The values of a frozen weight, in the form in which they lie in memory.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// bfloat16.
    Bf16(Vec<bf16>),
    /// IEEE half precision.
    F16(Vec<f16>),
    /// 4-bit NormalFloat in blocks of 64.
    Nf4(Nf4),
    /// 8 bits with a scale a row.
    Int8(Int8),
}

impl FrozenWeight {
    /// A weight of any form.
    ///
    /// # Errors
    /// [`WeightError::Length`] where the number of values is not `rows * cols`.
    pub fn new(rows: usize, cols: usize, values: Values) -> Result<Self, WeightError> {
        let expected = count(rows, cols)?;
        expect_len("values", expected, values.len())?;
        if let Values::Int8(v) = &values {
            expect_len("rows", rows, v.rows())?;
        }
        Ok(Self { rows, cols, values })
    }

    /// A dense weight of 32-bit floats; `None` where the number of values is not `rows * cols`.
    pub fn f32(rows: usize, cols: usize, values: Vec<f32>) -> Option<Self> {
        Self::new(rows, cols, Values::F32(values)).ok()
    }

    /// A dense weight from little-endian bytes, as safetensors has them.
    ///
    /// # Errors
    /// [`WeightError::Length`] where `bytes` are not `rows * cols` values.
    pub fn from_le_bytes(
        rows: usize,
        cols: usize,
        dtype: DenseDtype,
        bytes: &[u8],
    ) -> Result<Self, WeightError> {
        let too_large = WeightError::TooLarge { rows, cols };
        let expected = count(rows, cols)?.checked_mul(dtype.size()).ok_or(too_large)?;
        expect_len("bytes", expected, bytes.len())?;
        Self::new(rows, cols, dtype.read(bytes))
    }

    /// `values` quantized to NF4.
    ///
    /// # Errors
    /// As [`Nf4::quantize`] and [`FrozenWeight::new`].
    pub fn nf4<T: Float>(rows: usize, cols: usize, values: &[T]) -> Result<Self, WeightError> {
        expect_len("values", count(rows, cols)?, values.len())?;
        Self::new(rows, cols, Values::Nf4(Nf4::quantize(values)?))
    }

    /// `values` quantized to NF4 with 8-bit scales.
    ///
    /// # Errors
    /// As [`FrozenWeight::nf4`] and [`Nf4::double_quantized`].
    pub fn nf4_double<T: Float>(
        rows: usize,
        cols: usize,
        values: &[T],
    ) -> Result<Self, WeightError> {
        expect_len("values", count(rows, cols)?, values.len())?;
        Self::new(rows, cols, Values::Nf4(Nf4::quantize(values)?.double_quantized()?))
    }

    /// `values` quantized to 8 bits with a scale a row.
    ///
    /// # Errors
    /// As [`Int8::quantize`].
    pub fn int8<T: Float>(rows: usize, cols: usize, values: &[T]) -> Result<Self, WeightError> {
        Self::new(rows, cols, Values::Int8(Int8::quantize(rows, cols, values)?))
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The values as they lie in memory.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Bytes of memory that the values take, with their scales.
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::F32(v) => size_of_val(v.as_slice()),
            Values::Bf16(v) => size_of_val(v.as_slice()),
            Values::F16(v) => size_of_val(v.as_slice()),
            Values::Nf4(v) => v.bytes(),
            Values::Int8(v) => v.bytes(),
        }
    }

    /// Row `row` as f32, into `out` of `cols` values. For an embedding look-up, and as the reference of kernels.
    ///
    /// # Panics
    /// Where there is no such row, or `out` is not one row long.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        self.dequantize(row..row + 1, out);
    }

    /// The rows `rows` as f32, into `out` of `rows.len() * cols` values.
    ///
    /// # Panics
    /// Where there are no such rows, or `out` is not as long as they are.
    pub fn dequantize(&self, rows: Range<usize>, out: &mut [f32]) {
        assert!(rows.end <= self.rows, "rows {rows:?} of a weight of {}", self.rows);
        let at = rows.start * self.cols..rows.end * self.cols;
        assert_eq!(out.len(), at.len(), "an output of another length");
        match &self.values {
            Values::F32(v) => out.copy_from_slice(&v[at]),
            Values::Bf16(v) => widen(&v[at], out),
            Values::F16(v) => widen(&v[at], out),
            Values::Nf4(v) => v.dequantize(at, out),
            Values::Int8(v) => v.dequantize(at, out),
        }
    }

    /// The same weight in dense form: f32 exactly, bf16 and f16 rounded to the nearest, ties to even.
    pub fn to_dense(&self, dtype: DenseDtype) -> Self {
        let mut values = vec![0.0; self.values.len()];
        self.dequantize(0..self.rows, &mut values);
        Self { values: dtype.round(values), ..*self }
    }
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::Bf16(v) => v.len(),
            Self::F16(v) => v.len(),
            Self::Nf4(v) => v.len(),
            Self::Int8(v) => v.codes().len(),
        }
    }
}

fn widen<T: Float>(values: &[T], out: &mut [f32]) {
    values.iter().zip(out).for_each(|(v, o)| *o = v.to_f32());
}
