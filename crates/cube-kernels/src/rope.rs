use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::tensors::{dims, empty, packed};

/// Rotates `heads` heads in each row of `x` (`[tokens, heads · head_dim]`), dimension `i` of a head with `i + pairs`; `cos` and
/// `sin` are `[tokens, pairs]`, f32. Dimensions behind the pairs stay as they are. With `-sin`, this is its own gradient.
pub fn rope<R: CubeRuntime>(
    x: CubeTensor<R>,
    cos: CubeTensor<R>,
    sin: CubeTensor<R>,
    heads: usize,
    back: bool,
) -> CubeTensor<R> {
    let (x, cos, sin) = (packed(x), packed(cos), packed(sin));
    let ([tokens, width], [_, pairs]) = (dims(&x), dims(&cos));
    let head_dim = width / heads;
    let y = empty(&x, [tokens, width], x.dtype);
    let dtype = x.dtype;
    // A unit turns a pair, or copies one of the rest.
    let units = tokens * heads * (head_dim - pairs);
    let dim = CubeDim::new(&y.client, units);
    turn::launch(
        &y.client,
        calculate_cube_count_elemwise(&y.client, units, dim),
        dim,
        x.into_tensor_arg(),
        cos.into_tensor_arg(),
        sin.into_tensor_arg(),
        y.clone().into_tensor_arg(),
        units,
        heads,
        head_dim,
        pairs,
        back,
        dtype.into(),
    );
    y
}

#[cube(launch)]
fn turn<F: Float>(
    x: &Tensor<F>,
    cos: &Tensor<f32>,
    sin: &Tensor<f32>,
    y: &mut Tensor<F>,
    units: usize,
    heads: usize,
    head_dim: usize,
    pairs: usize,
    #[comptime] back: bool,
    #[define(F)] _dtype: StorageType,
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    let each = head_dim - pairs;
    let head = ABSOLUTE_POS / each;
    let i = ABSOLUTE_POS % each;
    let first = head * head_dim;
    if i < pairs {
        let angle = head / heads * pairs + i;
        let c = cos[angle];
        let mut s = sin[angle];
        if back {
            s = -s;
        }
        let a = f32::cast_from(x[first + i]);
        let b = f32::cast_from(x[first + pairs + i]);
        y[first + i] = F::cast_from(a * c - b * s);
        y[first + pairs + i] = F::cast_from(b * c + a * s);
    } else {
        y[first + pairs + i] = x[first + pairs + i];
    }
}
