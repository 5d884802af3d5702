use burn_backend::{DType, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::few_rows::{FewRows, VALUES, store_sums};
use crate::tensors::{empty, upload_floats, upload_words};

/// Codes in a word of 32 bits.
const CODES: usize = 4;

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
        // The codes of a word are of one row, or each is on its own.
        let size = if self.cols.is_multiple_of(CODES) { CODES } else { 1 };
        let dim = CubeDim::new(&out.client, words);
        dequantize::launch(
            &out.client,
            calculate_cube_count_elemwise(&out.client, words, dim),
            dim,
            size,
            self.words.clone().into_tensor_arg(),
            self.scales.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            words,
            self.rows * self.cols / size,
            self.cols / size,
            size,
            dtype.into(),
        );
        out
    }

    /// `x · Wᵀ` for a few rows of `x` (`[m, cols]`) without the dequantized weight in memory; `None` for more than 8 rows, or where
    /// a row is no whole number of words. Reads the packed weight once: bound by memory.
    pub fn few_rows(&self, x: &CubeTensor<R>) -> Option<CubeTensor<R>> {
        let FewRows { x, y, m, words_a_row, cubes, units } = FewRows::new(x, self.rows, CODES)?;
        let dtype = x.dtype;
        few_rows::launch(
            &y.client,
            cubes,
            units,
            VALUES,
            self.words.clone().into_tensor_arg(),
            self.scales.clone().into_tensor_arg(),
            x.into_tensor_arg(),
            y.clone().into_tensor_arg(),
            self.rows,
            words_a_row,
            m,
            dtype.into(),
        );
        Some(y)
    }
}

/// Code `i` of a word, in two's complement.
#[cube]
fn code(word: u32, #[comptime] i: u32) -> f32 {
    let byte = (word >> comptime!(8 * i)) & 255;
    let mut code = f32::cast_from(byte);
    if byte > 127 {
        code -= 256.0;
    }
    code
}

#[cube(launch)]
fn few_rows<F: Float, N: Size>(
    words: &Tensor<u32>,
    scales: &Tensor<f32>,
    x: &Tensor<Vector<F, N>>,
    y: &mut Tensor<F>,
    rows: usize,
    words_a_row: usize,
    #[comptime] m: usize,
    #[define(F)] _dtype: StorageType,
) {
    let row = CUBE_POS * CUBE_DIM_Y as usize + UNIT_POS_Y as usize;
    let mut sums = Array::<f32>::new(m);
    #[unroll]
    for j in 0..m {
        sums[j] = 0.0;
    }
    if row < rows {
        let first = row * words_a_row;
        let scale = scales[row];
        for at in range_stepped(UNIT_POS_X as usize, words_a_row, CUBE_DIM_X as usize) {
            let word = words[first + at];
            let mut values = Array::<f32>::new(4usize);
            #[unroll]
            for i in 0..4u32 {
                values[i as usize] = code(word, i);
            }
            #[unroll]
            for j in 0..m {
                let of_x = Vector::<f32, N>::cast_from(x[j * words_a_row + at]);
                let mut sum = 0.0f32;
                #[unroll]
                for i in 0..4usize {
                    sum += values[i] * of_x[i];
                }
                sums[j] += sum * scale;
            }
        }
    }
    store_sums::<F>(&sums, y, row, rows, m);
}

#[cube(launch)]
fn dequantize<F: Float, N: Size>(
    words: &Tensor<u32>,
    scales: &Tensor<f32>,
    out: &mut Tensor<Vector<F, N>>,
    count: usize,
    vectors: usize,
    vectors_a_row: usize,
    #[comptime] size: usize,
    #[define(F)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= count {
        terminate!();
    }
    let word = words[ABSOLUTE_POS];
    let parts = comptime!(CODES / size);
    #[unroll]
    for part in 0..parts {
        let at = ABSOLUTE_POS * parts + part;
        if at < vectors {
            let scale = scales[at / vectors_a_row];
            let mut values = Vector::<f32, N>::new(scale);
            #[unroll]
            for i in 0..size {
                values[i] = code(word, comptime!((part * size + i) as u32)) * scale;
            }
            out[at] = Vector::cast_from(values);
        }
    }
}
