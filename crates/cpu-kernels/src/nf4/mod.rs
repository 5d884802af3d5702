//! 4-bit NormalFloat, as QLoRA (Dettmers et al., 2023) defines and bitsandbytes packs it.

mod absmax;
mod codebook;
mod double;
mod mean;
mod quantize;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use absmax::finite;
pub use absmax::{Absmax, DoubleAbsmax};
pub(crate) use codebook::CODEBOOK;

use crate::{Float, WeightError};

/// Values per absmax.
pub(crate) const BLOCK: usize = 64;

/// Values in 4 bits each, two a byte, the first in the high nibble, with one scale for each block of 64.
///
/// Blocks run over the flattened row-major values; the last one may be short. Value `i` is
/// `codebook[code(i)] * absmax[i / 64]`. Quantizing gives the bytes that bitsandbytes 0.50 gives on a CPU.
#[derive(Clone, Debug, PartialEq)]
pub struct Nf4 {
    len: usize,
    packed: Vec<u8>,
    absmax: Absmax,
}

impl Nf4 {
    /// Quantizes `values`, with an f32 absmax a block.
    ///
    /// # Errors
    /// [`WeightError::NotFinite`] names the first infinity or NaN.
    pub fn quantize<T: Float>(values: &[T]) -> Result<Self, WeightError> {
        let (packed, absmax) = quantize::quantize(values)?;
        Ok(Self { len: values.len(), packed, absmax: Absmax::Plain(absmax) })
    }

    /// Parts that were stored, `len` values of them.
    ///
    /// # Errors
    /// [`WeightError::Length`] where a part does not fit `len`, [`WeightError::NotFinite`] for a scale that is no number.
    pub fn from_parts(len: usize, packed: Vec<u8>, absmax: Absmax) -> Result<Self, WeightError> {
        expect_len("packed codes", len.div_ceil(2), packed.len())?;
        absmax.validate(len.div_ceil(BLOCK))?;
        Ok(Self { len, packed, absmax })
    }

    /// The same codes with the absmax quantized to 8 bits: 4.127 instead of 4.5 bits a value. Does nothing the second time.
    ///
    /// # Errors
    /// [`WeightError::MeanOverflows`] for values near the end of f32.
    pub fn double_quantized(self) -> Result<Self, WeightError> {
        let absmax = match self.absmax {
            Absmax::Plain(absmax) => Absmax::Double(DoubleAbsmax::quantize(&absmax)?),
            double @ Absmax::Double(_) => double,
        };
        Ok(Self { absmax, ..self })
    }

    /// The 16 values of the codes, rising.
    pub fn codebook() -> &'static [f32; 16] {
        &CODEBOOK
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The codes, two a byte; the low nibble of the last byte is 7 (zero) where the number of values is odd.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// The scales.
    pub fn absmax(&self) -> &Absmax {
        &self.absmax
    }

    /// Bytes of memory that codes and scales take.
    pub fn bytes(&self) -> usize {
        self.packed.len() + self.absmax.bytes()
    }

    /// The values `range` as f32, into `out` of as many values.
    ///
    /// # Panics
    /// Where `range` goes beyond the values, or `out` is not as long as `range`.
    pub fn dequantize(&self, range: Range<usize>, out: &mut [f32]) {
        assert!(range.end <= self.len && range.len() == out.len(), "a range outside of the weight");
        let (mut at, mut out) = (range.start, out);
        while at < range.end {
            let block = at / BLOCK;
            let here = (range.end - at).min((block + 1) * BLOCK - at);
            let (now, later) = out.split_at_mut(here);
            let scale = self.absmax.get(block);
            self.dequantize_within(at, &CODEBOOK.map(|v| v * scale), now);
            (at, out) = (at + here, later);
        }
    }

    /// Values of one block, from value `at` on; `values` stand for the codes.
    #[inline(always)]
    fn dequantize_within(&self, at: usize, values: &[f32; 16], out: &mut [f32]) {
        let high = |byte: u8| values[usize::from(byte >> 4)];
        let low = |byte: u8| values[usize::from(byte & 0xf)];
        let (first, out) = out.split_at_mut(at % 2);
        first.iter_mut().for_each(|out| *out = low(self.packed[at / 2]));
        let packed = &self.packed[at.div_ceil(2)..];
        let (pairs, last) = out.as_chunks_mut();
        for ([first, second], byte) in pairs.iter_mut().zip(packed) {
            (*first, *second) = (high(*byte), low(*byte));
        }
        last.iter_mut().for_each(|out| *out = high(packed[pairs.len()]));
    }
}

/// An error where `part` has not as many elements as it must.
pub(crate) fn expect_len(
    part: &'static str,
    expected: usize,
    got: usize,
) -> Result<(), WeightError> {
    if expected == got { Ok(()) } else { Err(WeightError::Length { part, expected, got }) }
}
