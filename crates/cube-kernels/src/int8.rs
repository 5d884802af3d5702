use burn_backend::{DType, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::tensors::{empty, upload_floats, upload_words};

/// A weight of 8 bits with one scale a row on the device: `rows` outputs by `cols` inputs.
#[derive(Clone, Debug)]
pub struct Int8Weight<R: CubeRuntime> {
    words: CubeTensor<R>,
    scales: CubeTensor<R>,
    rows: usize,
    cols: usize,
}

impl<R: CubeRuntime> Int8Weight<R> {
    /// Brings codes and what each row's codes are multiplied by to the device.
    ///
    /// # Panics
    /// Where the parts do not belong to `rows · cols` values.
    pub fn new(rows: usize, cols: usize, codes: &[i8], scales: &[f32], device: &R::Device) -> Self {
        assert_eq!((codes.len(), scales.len()), (rows * cols, rows));
        let bytes = codes.iter().map(|code| code.cast_unsigned()).collect();
        Self {
            words: upload_words(bytes, device),
            scales: upload_floats(scales, device),
            rows,
            cols,
        }
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The values, `[rows, cols]`, in `dtype`: bound by memory.
    pub fn dequantize(&self, dtype: DType) -> CubeTensor<R> {
        let out = empty(&self.scales, [self.rows, self.cols], dtype);
        let words = self.words.shape()[0];
        let dim = CubeDim::new(&out.client, words);
        dequantize::launch(
            &out.client,
            calculate_cube_count_elemwise(&out.client, words, dim),
            dim,
            self.words.clone().into_tensor_arg(),
            self.scales.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            words,
            self.rows * self.cols,
            self.cols,
            dtype.into(),
        );
        out
    }
}

#[cube(launch)]
fn dequantize<F: Float>(
    words: &Tensor<u32>,
    scales: &Tensor<f32>,
    out: &mut Tensor<F>,
    count: usize,
    len: usize,
    cols: usize,
    #[define(F)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= count {
        terminate!();
    }
    let word = words[ABSOLUTE_POS];
    #[unroll]
    for i in 0..4u32 {
        let at = ABSOLUTE_POS * 4 + i as usize;
        if at < len {
            let byte = (word >> (8 * i)) & 255;
            // Two's complement.
            let mut code = f32::cast_from(byte);
            if byte > 127 {
                code -= 256.0;
            }
            out[at] = F::cast_from(code * scales[at / cols]);
        }
    }
}
