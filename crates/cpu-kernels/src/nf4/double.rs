use std::sync::OnceLock;

use super::absmax::{DoubleAbsmax, NESTED_BLOCK};
use super::mean::mean;
use crate::WeightError;

/// Bins between -1 and 1 in which bitsandbytes looks a code up on a CPU.
const BINS: usize = 65536;

impl DoubleAbsmax {
    /// Takes the mean away and quantizes what is left in blocks of 256.
    ///
    /// The same bits as bitsandbytes 0.50 on a CPU with one thread (torch sums more than 32,768 scales in another order
    /// when it has more threads, and the mean may differ in its last bit).
    pub(super) fn quantize(scales: &[f32]) -> Result<Self, WeightError> {
        let code = dynamic_map();
        let offset = mean(scales);
        let mut codes = Vec::with_capacity(scales.len());
        let mut absmax = Vec::with_capacity(scales.len().div_ceil(NESTED_BLOCK));
        for block in scales.chunks(NESTED_BLOCK) {
            let largest = block.iter().map(|a| (a - offset).abs()).fold(0.0, f32::max);
            let reciprocal = 1.0 / largest;
            codes.extend(block.iter().map(|a| bins()[bin((a - offset) * reciprocal)]));
            absmax.push(largest);
        }
        if !offset.is_finite() {
            return Err(WeightError::MeanOverflows);
        }
        Ok(Self { codes, absmax, code: Box::new(*code), offset })
    }
}

/// The bin of a value in [-1, 1]; bin 0 for the NaN of a block of zeros, as the cast gives it.
fn bin(value: f32) -> usize {
    let value = value.clamp(-1.0, 1.0);
    (((value + 1.0) * 0.5) * (BINS - 1) as f32 + 0.5) as usize
}

/// For each bin the nearest code, the lower of two.
fn bins() -> &'static [u8] {
    static CODES: OnceLock<Vec<u8>> = OnceLock::new();
    CODES.get_or_init(|| {
        let map = dynamic_map();
        let mut code = 0;
        (0..BINS)
            .map(|i| {
                let value = -1.0 + (2.0 * i as f32) / (BINS - 1) as f32;
                while code < 255 && 0.5 * (map[code] + map[code + 1]) < value {
                    code += 1;
                }
                code as u8
            })
            .collect()
    })
}

/// The dynamic data type of 8 bits with a sign, rising: `create_dynamic_map()` of bitsandbytes.
///
/// Source: Dettmers, 8-Bit Approximations for Parallelism in Deep Learning (2015): a decimal exponent from -6 to 0, and the
/// more fraction bits the larger the exponent.
pub(super) fn dynamic_map() -> &'static [f32; 256] {
    static MAP: OnceLock<[f32; 256]> = OnceLock::new();
    MAP.get_or_init(|| {
        let mut map = [0.0; 256];
        let mut at = 0;
        for (exponent, scale) in POWERS.into_iter().enumerate() {
            let fractions = 1 << exponent;
            for i in 0..fractions {
                let mean = (boundary(i, fractions) + boundary(i + 1, fractions)) / 2.0;
                map[at] = scale * mean;
                map[at + 1] = -(scale * mean);
                at += 2;
            }
        }
        map[254] = 0.0;
        map[255] = 1.0;
        map.sort_by(f32::total_cmp);
        map
    })
}

/// The decimal exponents, as f32.
const POWERS: [f32; 7] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// Point `i` of `n` equal steps from 0.1 to 1, as torch's `linspace` rounds it: from the nearer end, fused.
fn boundary(i: usize, n: usize) -> f32 {
    let step = (1.0 - 0.1) / n as f32;
    if i < n.div_ceil(2) {
        step.mul_add(i as f32, 0.1)
    } else {
        (-step).mul_add((n - i) as f32, 1.0)
    }
}
