use burn_backend::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_max, cube_sum};
use crate::softmax::{CausalMask, Mask};
use crate::tensors::{cube_per_row, dims, empty, packed};

/// Attention of next tokens, one of each of several sequences, over all that a cache has of their sequences and themselves: rotates
/// queries and keys as [`rope`](crate::rope) does, writes keys and values into the cache, in place, for all that hold it, and attends.
/// One launch.
///
/// Queries are `[rows, heads · head_dim]`, as is the result, keys and values `[rows, kv_heads · head_dim]`, `cos` and `sin`
/// `[rows, pairs]`, the cache's keys and values `[slots · kv_heads, capacity, head_dim]`. `places` are slot and position of each token,
/// `[rows, 2]`, i32; no two have the same slot. Of `mask` scale, window and soft cap count.
///
/// Reads the keys and values of every sequence once for each of its query heads: bound by memory.
///
/// # Panics
/// Where a head is wider than 256.
pub fn decode_attention<R: CubeRuntime>(
    qkv: [CubeTensor<R>; 3],
    rotation: [CubeTensor<R>; 2],
    [keys, values]: [&CubeTensor<R>; 2],
    places: &CubeTensor<R>,
    mask: CausalMask,
) -> CubeTensor<R> {
    let ([q, k, v], [cos, sin]) = (qkv.map(packed), rotation.map(packed));
    let ([rows, width], [_, kv_width], [_, pairs]) = (dims(&q), dims(&k), dims(&cos));
    let [_, capacity, head_dim] = keys.shape().dims();
    let (heads, of_new, of_cache) = (width / head_dim, q.dtype, keys.dtype);
    assert!(head_dim <= UNITS as usize, "heads of {head_dim}");
    let out = empty(&q, [rows, width], of_new);
    attend::launch(
        &out.client,
        cube_per_row(rows * heads),
        CubeDim::new_1d(UNITS),
        q.into_tensor_arg(),
        k.into_tensor_arg(),
        v.into_tensor_arg(),
        cos.into_tensor_arg(),
        sin.into_tensor_arg(),
        keys.clone().into_tensor_arg(),
        values.clone().into_tensor_arg(),
        places.clone().into_tensor_arg(),
        out.clone().into_tensor_arg(),
        rows * heads,
        heads,
        width / kv_width,
        pairs,
        capacity,
        mask.launch(),
        head_dim,
        of_new.into(),
        of_cache.into(),
    );
    out
}

/// Dimension `i` of the head that begins at `first`, rotated with its partner; what is behind the pairs stays.
#[cube]
fn turned<F: Float>(
    x: &Tensor<F>,
    first: usize,
    i: usize,
    cos: &Tensor<f32>,
    sin: &Tensor<f32>,
    angles: usize,
    pairs: usize,
) -> f32 {
    let mut y = f32::cast_from(x[first + i]);
    if i < pairs {
        let partner = f32::cast_from(x[first + i + pairs]);
        y = y * cos[angles + i] - partner * sin[angles + i];
    } else if i < 2 * pairs {
        let partner = f32::cast_from(x[first + i - pairs]);
        y = y * cos[angles + i - pairs] + partner * sin[angles + i - pairs];
    }
    y
}

/// A cube has one head of one row. It begins with the token itself and goes through the keys before it in blocks of as many as it has
/// units: softmax with a running maximum.
///
/// Source: Milakov and Gimelshein (2018), online normalizer calculation for softmax.
#[cube(launch)]
fn attend<F: Float, C: Float>(
    q: &Tensor<F>,
    k: &Tensor<F>,
    v: &Tensor<F>,
    cos: &Tensor<f32>,
    sin: &Tensor<f32>,
    keys: &mut Tensor<C>,
    values: &mut Tensor<C>,
    places: &Tensor<i32>,
    out: &mut Tensor<F>,
    cubes: usize,
    heads: usize,
    group: usize,
    pairs: usize,
    capacity: usize,
    mask: Mask,
    #[comptime] head_dim: usize,
    #[define(F)] _of_new: StorageType,
    #[define(C)] _of_cache: StorageType,
) {
    if CUBE_POS >= cubes {
        terminate!();
    }
    let row = CUBE_POS / heads;
    let head = CUBE_POS % heads;
    let unit = UNIT_POS as usize;
    let units = comptime!(UNITS as usize);
    // Units that share a dimension of the result; those that are left over have none.
    let sharing = comptime!(UNITS as usize / head_dim);
    let (part, d) = (unit / head_dim, unit % head_dim);
    let position = places[2 * row + 1] as usize;
    let mut from = 0usize;
    if position + 1 > mask.window {
        from = position + 1 - mask.window;
    }
    let kv_head = head / group;
    let kv_heads = heads / group;
    let first = (places[2 * row] as usize * kv_heads + kv_head) * capacity * head_dim;

    let mut query = SharedMemory::<f32>::new(head_dim);
    let mut product = 0.0f32;
    // What a unit has of its dimension of the result.
    let mut sum = 0.0f32;
    if unit < head_dim {
        let angles = row * pairs;
        let of_kv = (row * kv_heads + kv_head) * head_dim;
        let turned_q = turned::<F>(q, CUBE_POS * head_dim, unit, cos, sin, angles, pairs);
        let key = C::cast_from(turned::<F>(k, of_kv, unit, cos, sin, angles, pairs));
        let value = C::cast_from(f32::cast_from(v[of_kv + unit]));
        // The first of the heads that share them brings them into the cache; none reads them there.
        if head == kv_head * group {
            let at = first + position * head_dim + unit;
            keys[at] = key;
            values[at] = value;
        }
        query[unit] = turned_q;
        product = turned_q * f32::cast_from(key);
        sum = f32::cast_from(value);
    }
    let mut p = SharedMemory::<f32>::new(units);
    // The token's own weight is 1 to begin with.
    let mut greatest = mask.score(cube_sum(product));
    let mut total = 1.0f32;

    for block in range_stepped(from, position, units) {
        let key = block + unit;
        // Far below any score.
        let mut score = f32::new(-3.0e38);
        if key < position {
            let mut product = 0.0f32;
            for i in 0..head_dim {
                product += query[i] * f32::cast_from(keys[first + key * head_dim + i]);
            }
            score = mask.score(product);
        }
        let top = max(greatest, cube_max(score));
        let mut weight = 0.0f32;
        if key < position {
            weight = f32::exp(score - top);
        }
        p[unit] = weight;
        let shrink = f32::exp(greatest - top);
        greatest = top;
        // All weights are there when their sum is.
        total = total * shrink + cube_sum(weight);
        sum *= shrink;
        if part < sharing {
            for i in range_stepped(part, min(position - block, units), sharing) {
                sum += p[i] * f32::cast_from(values[first + (block + i) * head_dim + d]);
            }
        }
        sync_cube();
    }
    p[unit] = sum;
    sync_cube();
    if unit < head_dim {
        let mut all = 0.0f32;
        #[unroll]
        for other in 0..sharing {
            all += p[unit + other * head_dim];
        }
        out[CUBE_POS * head_dim + unit] = F::cast_from(all / total);
    }
}
