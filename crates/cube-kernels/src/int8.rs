use burn_backend::{DType, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::few_rows::{FewRows, VALUES, cubes_of, row_of, store_sums};
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

    /// `x · Wᵀ` of each weight for a few rows of `x` (`[m, cols]`) without dequantized weights in memory, in one launch, on top of
    /// `onto`: nothing, or `[m, rows]` for each weight. `None` for more than [`FEW_ROWS`](crate::FEW_ROWS) rows, or where a row is no
    /// whole number of words. Reads each packed weight once: bound by memory.
    ///
    /// # Panics
    /// Where `onto` has another number than there are weights.
    pub fn few_rows(
        weights: &[&Self],
        x: &CubeTensor<R>,
        onto: &[CubeTensor<R>],
    ) -> Option<Vec<CubeTensor<R>>> {
        let rows = weights.iter().map(|weight| weight.rows).collect();
        let FewRows { x, onto, ys, rows, m, words, reads_a_row, cubes, units } =
            FewRows::new(x, onto, rows, CODES)?;
        let adds = !onto.is_empty();
        let (client, dtype) = (x.client.clone(), x.dtype);
        few_rows::launch(
            &client,
            cubes,
            units,
            VALUES,
            words,
            weights.iter().map(|weight| weight.words.clone().into_tensor_arg()).collect(),
            weights.iter().map(|weight| weight.scales.clone().into_tensor_arg()).collect(),
            x.into_tensor_arg(),
            onto.into_iter().map(CubeTensor::into_tensor_arg).collect(),
            ys.iter().map(|y| y.clone().into_tensor_arg()).collect(),
            rows.into_iter().collect(),
            reads_a_row,
            weights.len(),
            m,
            words,
            adds,
            dtype.into(),
        );
        Some(ys)
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
fn few_rows<F: Float, N: Size, W: Size>(
    words: &Sequence<Tensor<Vector<u32, W>>>,
    scales: &Sequence<Tensor<f32>>,
    x: &Tensor<Vector<F, N>>,
    onto: &Sequence<Tensor<F>>,
    ys: &mut Sequence<Tensor<F>>,
    rows: &Sequence<usize>,
    reads_a_row: usize,
    #[comptime] weights: usize,
    #[comptime] m: usize,
    #[comptime] read: usize,
    #[comptime] adds: bool,
    #[define(F)] _dtype: StorageType,
) {
    let mut sums = Array::<f32>::new(m);
    #[unroll]
    for j in 0..m {
        sums[j] = 0.0;
    }
    let mut first = 0usize;
    #[unroll]
    for weight in 0..weights {
        let of_weight = *rows.index(weight);
        let row = row_of(first, of_weight);
        if row < of_weight {
            let scale = scales.index(weight)[row];
            add_row::<F, N, W>(
                words.index(weight),
                scale,
                x,
                &mut sums,
                row * reads_a_row,
                reads_a_row,
                m,
                read,
            );
        }
        first += cubes_of(of_weight);
    }
    store_sums::<F>(&sums, onto, ys, rows, weights, m, adds);
}

/// What a unit adds up of the row of a weight that begins with read `first`, each of `read` words.
#[cube]
fn add_row<F: Float, N: Size, W: Size>(
    words: &Tensor<Vector<u32, W>>,
    scale: f32,
    x: &Tensor<Vector<F, N>>,
    sums: &mut Array<f32>,
    first: usize,
    reads_a_row: usize,
    #[comptime] m: usize,
    #[comptime] read: usize,
) {
    for at in range_stepped(UNIT_POS_X as usize, reads_a_row, CUBE_DIM_X as usize) {
        let word = words[first + at];
        let mut values = Array::<f32>::new(comptime!(read * CODES));
        #[unroll]
        for i in 0..read * CODES {
            values[i] = code(word[comptime!(i / CODES)], comptime!((i % CODES) as u32));
        }
        #[unroll]
        for j in 0..m {
            let mut sum = 0.0f32;
            #[unroll]
            for part in 0..read {
                let of_x = Vector::<f32, N>::cast_from(x[(j * reads_a_row + at) * read + part]);
                #[unroll]
                for i in 0..4usize {
                    sum += values[part * 4 + i] * of_x[i];
                }
            }
            sums[j] += sum * scale;
        }
    }
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
