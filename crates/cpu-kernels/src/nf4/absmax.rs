use std::ops::Range;

use super::expect_len;
use crate::WeightError;

/// Scales per second-level scale.
pub(super) const NESTED_BLOCK: usize = 256;

/// The largest absolute value of each block of 64.
#[derive(Clone, Debug, PartialEq)]
pub enum Absmax {
    /// As f32.
    Plain(Vec<f32>),
    /// As 8-bit codes: double quantization.
    Double(DoubleAbsmax),
}

/// Scales in 8 bits: scale `i` is `code[codes[i]] * absmax[i / 256] + offset`.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubleAbsmax {
    /// One code a block of 64 values.
    pub codes: Vec<u8>,
    /// One scale of scales for each 256 codes (`nested_absmax` of bitsandbytes).
    pub absmax: Vec<f32>,
    /// What a code stands for (`nested_quant_map`).
    pub code: Box<[f32; 256]>,
    /// The mean of the scales, which was taken away before (`nested_offset`).
    pub offset: f32,
}

impl Absmax {
    /// The scale of block `block`.
    #[inline(always)]
    pub fn get(&self, block: usize) -> f32 {
        match self {
            Self::Plain(absmax) => absmax[block],
            Self::Double(double) => double.get(block),
        }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Plain(absmax) => size_of_val(absmax.as_slice()),
            Self::Double(d) => {
                d.codes.len() + size_of_val(d.absmax.as_slice()) + size_of_val(&*d.code) + 4
            }
        }
    }

    pub(super) fn validate(&self, blocks: usize) -> Result<(), WeightError> {
        match self {
            Self::Plain(absmax) => {
                expect_len("absmax", blocks, absmax.len())?;
                finite("absmax", absmax)
            }
            Self::Double(d) => {
                expect_len("absmax codes", blocks, d.codes.len())?;
                expect_len("nested absmax", blocks.div_ceil(NESTED_BLOCK), d.absmax.len())?;
                finite("nested absmax", &d.absmax)?;
                finite("nested code", &d.code[..])?;
                finite("nested offset", &[d.offset])
            }
        }
    }
}

impl DoubleAbsmax {
    /// Two roundings, not a fused one, as bitsandbytes has them.
    #[inline(always)]
    pub(crate) fn get(&self, block: usize) -> f32 {
        self.code[usize::from(self.codes[block])] * self.absmax[block / NESTED_BLOCK] + self.offset
    }

    /// The scales of blocks `blocks`.
    #[inline(always)]
    pub(crate) fn decode(&self, blocks: Range<usize>, out: &mut [f32]) {
        let (mut block, mut out) = (blocks.start, out);
        while block < blocks.end {
            let end = blocks.end.min((block / NESTED_BLOCK + 1) * NESTED_BLOCK);
            let absmax = self.absmax[block / NESTED_BLOCK];
            let (now, later) = out.split_at_mut(end - block);
            for (code, out) in self.codes[block..end].iter().zip(now) {
                *out = self.code[usize::from(*code)] * absmax + self.offset;
            }
            (block, out) = (end, later);
        }
    }
}

/// An error that names the first value that is no number.
pub(crate) fn finite(part: &'static str, values: &[f32]) -> Result<(), WeightError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(WeightError::NotFinite { part, index }),
        None => Ok(()),
    }
}
