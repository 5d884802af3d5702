use crate::DynamicMap;

/// Values of a block in 8-bit state: they share one scale.
pub const BLOCK: usize = 256;

/// Groups shorter than this keep their state in f32, also with 8-bit state.
pub const MIN_BLOCKWISE_LEN: usize = 4096;

/// Reads the moments of one block.
pub(crate) fn dequantize(map: &DynamicMap, codes: &[u8], absmax: f32, values: &mut [f32]) {
    for (value, &code) in values.iter_mut().zip(codes) {
        *value = map.decode(code) * absmax;
    }
}

/// Writes the moments of one block, and returns their largest magnitude; 1 for a block of zeros.
///
/// A NaN among the values makes it NaN, and with it the whole block: it does not get lost.
pub(crate) fn quantize(map: &DynamicMap, values: &mut [f32], codes: &mut [u8]) -> f32 {
    // As integers, magnitudes have the same order, NaN is above all, and the maximum is a vector's.
    let magnitude = |value: &f32| value.to_bits() & 0x7fff_ffff;
    let absmax = f32::from_bits(values.iter().map(magnitude).max().unwrap_or(0));
    let absmax = if absmax == 0.0 { 1.0 } else { absmax };
    for value in &mut *values {
        *value /= absmax;
    }
    for (code, &value) in codes.iter_mut().zip(&*values) {
        *code = map.encode(value);
    }
    absmax
}
