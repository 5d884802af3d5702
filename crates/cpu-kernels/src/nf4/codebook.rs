/// The 16 values of NF4, rising: quantiles of the standard normal distribution scaled to [-1, 1], with an exact zero.
///
/// Source: bitsandbytes, `get_4bit_type("nf4")`; QLoRA (Dettmers et al., 2023), appendix E.
pub(crate) const CODEBOOK: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// The midpoints of neighbours. A value on a midpoint takes the lower code.
pub(super) const BOUNDS: [f32; 15] = {
    let mut bounds = [0.0; 15];
    let mut i = 0;
    while i < 15 {
        bounds[i] = (CODEBOOK[i] + CODEBOOK[i + 1]) / 2.0;
        i += 1;
    }
    bounds
};
