use std::ops::Range;

use rayon::prelude::*;

use crate::nf4::{expect_len, finite};
use crate::{Float, WeightError};

#[cfg(test)]
mod tests;

/// What one step of a code is worth where the largest value of the row is 1: 1/127, as bitsandbytes writes it.
pub(crate) const STEP: f32 = 7.874_016e-3;

/// Values in 8 bits with one scale a row: code `round(w * 127 / absmax)`, ties to even.
///
/// Value `w` is `code * absmax / 127`. This is how LLM.int8() (Dettmers et al., 2022) stores weights; there are no outlier
/// columns, which it takes out of the activations, never out of a stored weight. The codes and scales are those of
/// `int8_vectorwise_quant` of bitsandbytes 0.50 for the same input (its `Linear8bitLt` rounds to f16 first).
#[derive(Clone, Debug, PartialEq)]
pub struct Int8 {
    cols: usize,
    codes: Vec<i8>,
    absmax: Vec<f32>,
}

impl Int8 {
    /// Quantizes `rows` rows of `cols` values.
    ///
    /// # Errors
    /// [`WeightError::Length`] where `values` has another length; [`WeightError::NotFinite`] for the first infinity or NaN.
    pub fn quantize<T: Float>(rows: usize, cols: usize, values: &[T]) -> Result<Self, WeightError> {
        expect_len("values", count(rows, cols)?, values.len())?;
        let mut codes = vec![0; values.len()];
        let mut absmax = vec![0.0; rows];
        if cols > 0 {
            codes
                .par_chunks_exact_mut(cols)
                .zip(values.par_chunks_exact(cols))
                .zip(&mut absmax)
                .for_each(|((codes, values), absmax)| *absmax = quantize_row(values, codes));
        }
        if let Some(row) = absmax.iter().position(|a| !a.is_finite()) {
            let within = values[row * cols..].iter().position(|v| !v.to_f32().is_finite());
            let index = row * cols + within.unwrap_or(0);
            return Err(WeightError::NotFinite { part: "values", index });
        }
        Ok(Self { cols, codes, absmax })
    }

    /// Parts that were stored: one absmax a row, `cols` codes a row.
    ///
    /// # Errors
    /// [`WeightError::Length`] where the parts do not fit one another, [`WeightError::NotFinite`] for a scale that is no number.
    pub fn from_parts(cols: usize, codes: Vec<i8>, absmax: Vec<f32>) -> Result<Self, WeightError> {
        expect_len("codes", count(absmax.len(), cols)?, codes.len())?;
        finite("absmax", &absmax)?;
        Ok(Self { cols, codes, absmax })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.absmax.len()
    }

    /// Values a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The codes, row-major (`CB` or `weight` of bitsandbytes).
    pub fn codes(&self) -> &[i8] {
        &self.codes
    }

    /// The largest absolute value of each row (`SCB` of bitsandbytes).
    pub fn absmax(&self) -> &[f32] {
        &self.absmax
    }

    /// What one step of row `row`'s codes is worth: `absmax / 127`.
    #[inline(always)]
    pub fn scale(&self, row: usize) -> f32 {
        self.absmax[row] * STEP
    }

    /// Bytes of memory that codes and scales take.
    pub fn bytes(&self) -> usize {
        self.codes.len() + size_of_val(self.absmax.as_slice())
    }

    /// The values `range` of the flattened rows as f32, into `out` of as many values.
    ///
    /// # Panics
    /// Where `range` goes beyond the values, or `out` is not as long as `range`.
    pub fn dequantize(&self, range: Range<usize>, out: &mut [f32]) {
        assert_eq!(range.len(), out.len(), "a range outside of the weight");
        for ((at, code), out) in range.clone().zip(&self.codes[range]).zip(out) {
            *out = f32::from(*code) * self.absmax[at / self.cols] * STEP;
        }
    }
}

/// The codes of one row; its absmax.
fn quantize_row<T: Float>(values: &[T], codes: &mut [i8]) -> f32 {
    let bits = values.iter().fold(0, |max, v| max.max(v.to_f32().to_bits() & 0x7fff_ffff));
    let absmax = f32::from_bits(bits);
    let per_value = 127.0 / absmax;
    if per_value.is_finite() {
        for (code, value) in codes.iter_mut().zip(values) {
            *code = round(value.to_f32() * per_value);
        }
    } else if absmax > 0.0 {
        // So near to zero that its reciprocal is beyond f32.
        for (code, value) in codes.iter_mut().zip(values) {
            *code = round(value.to_f32() / absmax * 127.0);
        }
    }
    absmax
}

/// To the nearest code, ties to even. A sum of this size has no place for fractions, and rounds them so; it needs no
/// instruction that old processors lack.
#[inline(always)]
fn round(value: f32) -> i8 {
    const NO_FRACTIONS: f32 = 12_582_912.0;
    (value + NO_FRACTIONS - NO_FRACTIONS) as i8
}

/// `rows * cols`, if it can be counted.
pub(crate) fn count(rows: usize, cols: usize) -> Result<usize, WeightError> {
    rows.checked_mul(cols).ok_or(WeightError::TooLarge { rows, cols })
}
