use burn_backend::{DType, Shape, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::tensors::empty;

/// 1/127, as LLM.int8() has it.
const STEP: f32 = 7.874_016e-3;

/// A weight of 8 bits on the device: `rows` outputs by `cols` inputs. A value is `code · absmax · (1/127)`, with one absmax a row, in
/// the order of LLM.int8().
#[derive(Clone, Debug)]
pub struct Int8Weight<R: CubeRuntime> {
    words: CubeTensor<R>,
    absmax: CubeTensor<R>,
    rows: usize,
    cols: usize,
}

impl<R: CubeRuntime> Int8Weight<R> {
    /// Brings codes and the greatest magnitude of each row to the device.
    ///
    /// # Panics
    /// Where the parts do not belong to `rows · cols` values.
    pub fn new(rows: usize, cols: usize, codes: &[i8], absmax: &[f32], device: &R::Device) -> Self {
        assert_eq!((codes.len(), absmax.len()), (rows * cols, rows));
        let client = R::client(device);
        let put = |bytes: &[u8], len: usize, dtype| {
            let handle = client.create_from_slice(bytes);
            let shape = Shape::new([len]);
            CubeTensor::new_contiguous(client.clone(), device.clone(), shape, handle, dtype)
        };
        let mut words: Vec<u8> = codes.iter().map(|code| code.cast_unsigned()).collect();
        words.resize(codes.len().next_multiple_of(4), 0);
        Self {
            words: put(&words, words.len() / 4, DType::U32),
            absmax: put(f32::as_bytes(absmax), rows, DType::F32),
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
        let out = empty(&self.absmax, [self.rows, self.cols], dtype);
        let words = self.words.shape()[0];
        let dim = CubeDim::new(&out.client, words);
        dequantize::launch(
            &out.client,
            calculate_cube_count_elemwise(&out.client, words, dim),
            dim,
            self.words.clone().into_tensor_arg(),
            self.absmax.clone().into_tensor_arg(),
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
    absmax: &Tensor<f32>,
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
            out[at] = F::cast_from(code * absmax[at / cols] * STEP);
        }
    }
}
