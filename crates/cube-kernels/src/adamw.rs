use burn_backend::{DType, Shape, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_sum, vector_sum};
use crate::tensors::{packed, vector_size};

/// Cubes that sum up a tensor together, each to a sum of its own.
const PARTS: u32 = 64;

/// The constants of one step of AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWConstants {
    /// What the gradient is multiplied by.
    pub factor: f32,
    /// `1 - learning rate · weight decay`.
    pub decay: f32,
    /// `1 - beta1`.
    pub one_minus_beta1: f32,
    /// `beta2`.
    pub beta2: f32,
    /// `1 - beta2`.
    pub one_minus_beta2: f32,
    /// `√(1 - beta2ᵗ)`.
    pub root_correction2: f32,
    /// Added to the root of the second moment.
    pub eps: f32,
    /// `learning rate / (1 - beta1ᵗ)`.
    pub step_size: f32,
}

/// A step of AdamW on a parameter, given its gradient and both moments, all f32 and of one length: what `m += one_minus_beta1 ·
/// (g - m)`, `v = beta2 · v + one_minus_beta2 · g²` and `p = decay · p - step_size · m / (√v / root_correction2 + eps)` make of
/// parameter and moments, `g` being the gradient times `factor`.
///
/// Moves 28 bytes a value: bound by memory.
pub fn adamw<R: CubeRuntime>(
    tensors: [CubeTensor<R>; 4],
    constants: AdamWConstants,
) -> [CubeTensor<R>; 3] {
    let [p, g, m, v] = tensors.map(packed);
    let [new_p, new_m, new_v] = [&p, &m, &v].map(beside);
    let len = p.shape().num_elements();
    let size = vector_size(len, DType::F32);
    let vectors = len / size;
    let dim = CubeDim::new(&p.client, vectors);
    let client = p.client.clone();
    step::launch(
        &client,
        calculate_cube_count_elemwise(&client, vectors, dim),
        dim,
        size,
        p.into_tensor_arg(),
        g.into_tensor_arg(),
        m.into_tensor_arg(),
        v.into_tensor_arg(),
        new_p.clone().into_tensor_arg(),
        new_m.clone().into_tensor_arg(),
        new_v.clone().into_tensor_arg(),
        vectors,
        constants.factor,
        constants.decay,
        constants.one_minus_beta1,
        constants.beta2,
        constants.one_minus_beta2,
        constants.root_correction2,
        constants.eps,
        constants.step_size,
    );
    [new_p, new_m, new_v]
}

/// The squares of all values of f32 tensors, summed in parts, `[parts]`, in a fixed order. Reads each value once: bound by memory.
///
/// # Panics
/// Where there is no tensor.
pub fn sums_of_squares<R: CubeRuntime>(tensors: Vec<CubeTensor<R>>) -> CubeTensor<R> {
    let first = &tensors[0];
    let shape = Shape::new([tensors.len() * PARTS as usize]);
    let (client, device) = (first.client.clone(), first.device.clone());
    let sums = empty_device_contiguous_dtype(client.clone(), device, shape, DType::F32);
    for (index, tensor) in tensors.into_iter().enumerate() {
        let tensor = packed(tensor);
        let len = tensor.shape().num_elements();
        let size = vector_size(len, DType::F32);
        squares::launch(
            &client,
            CubeCount::Static(PARTS, 1, 1),
            CubeDim::new_1d(UNITS),
            size,
            tensor.into_tensor_arg(),
            sums.clone().into_tensor_arg(),
            len / size,
            index * PARTS as usize,
        );
    }
    sums
}

/// An uninitialized tensor of the same shape.
fn beside<R: CubeRuntime>(x: &CubeTensor<R>) -> CubeTensor<R> {
    empty_device_contiguous_dtype(x.client.clone(), x.device.clone(), x.shape(), DType::F32)
}

#[cube(launch)]
fn step<N: Size>(
    p: &Tensor<Vector<f32, N>>,
    g: &Tensor<Vector<f32, N>>,
    m: &Tensor<Vector<f32, N>>,
    v: &Tensor<Vector<f32, N>>,
    new_p: &mut Tensor<Vector<f32, N>>,
    new_m: &mut Tensor<Vector<f32, N>>,
    new_v: &mut Tensor<Vector<f32, N>>,
    vectors: usize,
    factor: f32,
    decay: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    root_correction2: f32,
    eps: f32,
    step_size: f32,
) {
    if ABSOLUTE_POS >= vectors {
        terminate!();
    }
    let g = g[ABSOLUTE_POS] * Vector::new(factor);
    let m = m[ABSOLUTE_POS] + Vector::new(one_minus_beta1) * (g - m[ABSOLUTE_POS]);
    let v = v[ABSOLUTE_POS] * Vector::new(beta2) + Vector::new(one_minus_beta2) * g * g;
    let root = Vector::sqrt(v) / Vector::new(root_correction2) + Vector::new(eps);
    new_p[ABSOLUTE_POS] = p[ABSOLUTE_POS] * Vector::new(decay) - Vector::new(step_size) * m / root;
    new_m[ABSOLUTE_POS] = m;
    new_v[ABSOLUTE_POS] = v;
}

#[cube(launch)]
fn squares<N: Size>(
    x: &Tensor<Vector<f32, N>>,
    sums: &mut Tensor<f32>,
    vectors: usize,
    first: usize,
) {
    let mut squares = Vector::<f32, N>::new(0.0);
    let stride = CUBE_COUNT * CUBE_DIM as usize;
    for i in range_stepped(ABSOLUTE_POS, vectors, stride) {
        squares += x[i] * x[i];
    }
    let sum = cube_sum(vector_sum::<N>(squares));
    if UNIT_POS == 0 {
        sums[first + CUBE_POS] = sum;
    }
}
