use burn_backend::{DType, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::few_rows::{FewRows, VALUES, cubes_of, row_of, store_sums};
use crate::tensors::{empty, upload_floats, upload_words, vector_size};

/// Codes in a word of 32 bits.
const CODES: usize = 8;

/// A weight in 4-bit NormalFloat on the device: `rows` outputs by `cols` inputs.
///
/// Bytes are packed as bitsandbytes does, two values each, the first in the high nibble; a scale belongs to 64 values of the
/// flattened matrix.
#[derive(Clone, Debug)]
pub struct Nf4Weight<R: CubeRuntime> {
    words: CubeTensor<R>,
    absmax: CubeTensor<R>,
    codebook: CubeTensor<R>,
    rows: usize,
    cols: usize,
}

impl<R: CubeRuntime> Nf4Weight<R> {
    /// Brings packed codes and a scale for each 64 values to the device.
    ///
    /// # Panics
    /// Where the parts do not belong to `rows · cols` values.
    pub fn new(
        rows: usize,
        cols: usize,
        packed: &[u8],
        absmax: &[f32],
        codebook: &[f32; 16],
        device: &R::Device,
    ) -> Self {
        let len = rows * cols;
        assert_eq!((packed.len(), absmax.len()), (len.div_ceil(2), len.div_ceil(64)));
        Self {
            words: upload_words(packed.to_vec(), device),
            absmax: upload_floats(absmax, device),
            codebook: upload_floats(codebook, device),
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

    /// The values, `[rows, cols]`, in `dtype`. Moves 0.56 bytes a value in and `dtype` out: bound by memory.
    pub fn dequantize(&self, dtype: DType) -> CubeTensor<R> {
        let out = empty(&self.absmax, [self.rows, self.cols], dtype);
        let (words, len) = (self.words.shape()[0], self.rows * self.cols);
        // Up to 16 bytes are written at once.
        let size = vector_size(len, dtype).min(CODES);
        let dim = CubeDim::new_1d(128);
        dequantize::launch(
            &out.client,
            calculate_cube_count_elemwise(&out.client, words, dim),
            dim,
            size,
            self.words.clone().into_tensor_arg(),
            self.absmax.clone().into_tensor_arg(),
            self.codebook.clone().into_tensor_arg(),
            out.clone().into_tensor_arg(),
            words,
            len / size,
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
        let codebook = weights.first()?.codebook.clone();
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
            weights.iter().map(|weight| weight.absmax.clone().into_tensor_arg()).collect(),
            codebook.into_tensor_arg(),
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

/// Where code `i` of a word begins: bytes in order, the high nibble first.
#[cube]
fn code(word: u32, #[comptime] i: u32) -> usize {
    let shift = comptime!(8 * (i / 2) + 4 * (1 - i % 2));
    ((word >> shift) & 15) as usize
}

#[cube(launch)]
fn dequantize<F: Float, N: Size>(
    words: &Tensor<u32>,
    absmax: &Tensor<f32>,
    codebook: &Tensor<f32>,
    out: &mut Tensor<Vector<F, N>>,
    count: usize,
    vectors: usize,
    #[comptime] size: usize,
    #[define(F)] _dtype: StorageType,
) {
    let mut table = SharedMemory::<f32>::new(16usize);
    if UNIT_POS < 16 {
        table[UNIT_POS as usize] = codebook[UNIT_POS as usize];
    }
    sync_cube();
    if ABSOLUTE_POS < count {
        let word = words[ABSOLUTE_POS];
        let scale = absmax[ABSOLUTE_POS / 8];
        let parts = comptime!(CODES / size);
        #[unroll]
        for part in 0..parts {
            let at = ABSOLUTE_POS * parts + part;
            let mut values = Vector::<f32, N>::new(scale);
            #[unroll]
            for i in 0..size {
                values[i] = table[code(word, comptime!((part * size + i) as u32))] * scale;
            }
            if at < vectors {
                out[at] = Vector::cast_from(values);
            }
        }
    }
}

#[cube(launch)]
fn few_rows<F: Float, N: Size, W: Size>(
    words: &Sequence<Tensor<Vector<u32, W>>>,
    absmax: &Sequence<Tensor<f32>>,
    codebook: &Tensor<f32>,
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
    let mut table = SharedMemory::<f32>::new(16usize);
    if UNIT_POS < 16 {
        table[UNIT_POS as usize] = codebook[UNIT_POS as usize];
    }
    sync_cube();
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
            let (words, absmax) = (words.index(weight), absmax.index(weight));
            let start = row * reads_a_row;
            add_row::<F, N, W>(words, absmax, &table, x, &mut sums, start, reads_a_row, m, read);
        }
        first += cubes_of(of_weight);
    }
    store_sums::<F>(&sums, onto, ys, rows, weights, m, adds);
}

/// What a unit adds up of the row of a weight that begins with read `first`, each of `read` words.
#[cube]
fn add_row<F: Float, N: Size, W: Size>(
    words: &Tensor<Vector<u32, W>>,
    absmax: &Tensor<f32>,
    table: &SharedMemory<f32>,
    x: &Tensor<Vector<F, N>>,
    sums: &mut Array<f32>,
    first: usize,
    reads_a_row: usize,
    #[comptime] m: usize,
    #[comptime] read: usize,
) {
    for at in range_stepped(UNIT_POS_X as usize, reads_a_row, CUBE_DIM_X as usize) {
        let word = words[first + at];
        let scale = absmax[(first + at) * read / 8];
        let mut values = Array::<f32>::new(comptime!(read * CODES));
        #[unroll]
        for i in 0..read * CODES {
            values[i] = table[code(word[comptime!(i / CODES)], comptime!((i % CODES) as u32))];
        }
        #[unroll]
        for j in 0..m {
            let mut sum = 0.0f32;
            #[unroll]
            for part in 0..2 * read {
                let of_x = Vector::<f32, N>::cast_from(x[(j * reads_a_row + at) * 2 * read + part]);
                #[unroll]
                for i in 0..4usize {
                    sum += values[part * 4 + i] * of_x[i];
                }
            }
            sums[j] += sum * scale;
        }
    }
}
