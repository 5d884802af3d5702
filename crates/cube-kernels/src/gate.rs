use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::tensors::{dims, empty, packed, vector_size};

/// `activation(gate) · up`, element by element: SwiGLU, or with `gelu` GELU by its tanh approximation.
pub fn gate<R: CubeRuntime>(gate: CubeTensor<R>, up: CubeTensor<R>, gelu: bool) -> CubeTensor<R> {
    let (gate, up) = (packed(gate), packed(up));
    let shape = dims(&gate);
    let out = empty(&gate, shape, gate.dtype);
    let (size, dtype) = (vector_size(shape[1], gate.dtype), gate.dtype);
    let vectors = shape[0] * shape[1] / size;
    let dim = CubeDim::new(&out.client, vectors);
    forward::launch(
        &out.client,
        calculate_cube_count_elemwise(&out.client, vectors, dim),
        dim,
        size,
        gate.into_tensor_arg(),
        up.into_tensor_arg(),
        out.clone().into_tensor_arg(),
        vectors,
        gelu,
        dtype.into(),
    );
    out
}

/// The gradients of [`gate`] with respect to `gate` and `up`.
pub fn gate_backward<R: CubeRuntime>(
    gate: CubeTensor<R>,
    up: CubeTensor<R>,
    dy: CubeTensor<R>,
    gelu: bool,
) -> [CubeTensor<R>; 2] {
    let (gate, up, dy) = (packed(gate), packed(up), packed(dy));
    let shape = dims(&gate);
    let [dgate, dup] = [(); 2].map(|()| empty(&gate, shape, gate.dtype));
    let (size, dtype) = (vector_size(shape[1], gate.dtype), gate.dtype);
    let vectors = shape[0] * shape[1] / size;
    let dim = CubeDim::new(&dgate.client, vectors);
    backward::launch(
        &dgate.client,
        calculate_cube_count_elemwise(&dgate.client, vectors, dim),
        dim,
        size,
        gate.into_tensor_arg(),
        up.into_tensor_arg(),
        dy.into_tensor_arg(),
        dgate.clone().into_tensor_arg(),
        dup.clone().into_tensor_arg(),
        vectors,
        gelu,
        dtype.into(),
    );
    [dgate, dup]
}

/// `1 / (1 + exp(-x))`.
#[cube]
fn sigmoid<N: Size>(x: Vector<f32, N>) -> Vector<f32, N> {
    let (zero, one) = (Vector::<f32, N>::new(0.0), Vector::<f32, N>::new(1.0));
    // CUDA has no sign for a vector.
    one / (one + Vector::exp(zero - x))
}

/// The share of `x` that an activation lets through: of SiLU the sigmoid of `x`, of GELU that of `√(8/π) · (x + 0.044715 · x³)`,
/// which is `(1 + tanh(√(2/π) · …)) / 2`.
#[cube]
fn share<N: Size>(x: Vector<f32, N>, #[comptime] gelu: bool) -> Vector<f32, N> {
    if gelu {
        let linear = Vector::<f32, N>::new(1.595_769_2);
        let cubic = Vector::<f32, N>::new(0.071_354_814);
        sigmoid::<N>(x * (linear + cubic * x * x))
    } else {
        sigmoid::<N>(x)
    }
}

#[cube(launch)]
fn forward<F: Float, N: Size>(
    gate: &Tensor<Vector<F, N>>,
    up: &Tensor<Vector<F, N>>,
    out: &mut Tensor<Vector<F, N>>,
    vectors: usize,
    #[comptime] gelu: bool,
    #[define(F)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= vectors {
        terminate!();
    }
    let x = Vector::<f32, N>::cast_from(gate[ABSOLUTE_POS]);
    let up = Vector::<f32, N>::cast_from(up[ABSOLUTE_POS]);
    out[ABSOLUTE_POS] = Vector::cast_from(x * share::<N>(x, gelu) * up);
}

#[cube(launch)]
fn backward<F: Float, N: Size>(
    gate: &Tensor<Vector<F, N>>,
    up: &Tensor<Vector<F, N>>,
    dy: &Tensor<Vector<F, N>>,
    dgate: &mut Tensor<Vector<F, N>>,
    dup: &mut Tensor<Vector<F, N>>,
    vectors: usize,
    #[comptime] gelu: bool,
    #[define(F)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= vectors {
        terminate!();
    }
    let one = Vector::<f32, N>::new(1.0);
    let x = Vector::<f32, N>::cast_from(gate[ABSOLUTE_POS]);
    let up = Vector::<f32, N>::cast_from(up[ABSOLUTE_POS]);
    let dy = Vector::<f32, N>::cast_from(dy[ABSOLUTE_POS]);
    let through = share::<N>(x, gelu);
    // The derivative of what `share` takes the sigmoid of.
    let inner = if gelu {
        Vector::<f32, N>::new(1.595_769_2) + Vector::<f32, N>::new(0.214_064_44) * x * x
    } else {
        one
    };
    let slope = through + x * through * (one - through) * inner;
    dgate[ABSOLUTE_POS] = Vector::cast_from(dy * up * slope);
    dup[ABSOLUTE_POS] = Vector::cast_from(dy * x * through);
}
