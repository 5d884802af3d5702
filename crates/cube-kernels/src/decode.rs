use burn_backend::TensorMetadata;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_max, cube_sum};
use crate::softmax::{CausalMask, Mask};
use crate::tensors::{cube_per_row, dims, empty, packed};

/// Rotates queries and keys of next tokens, one of each of several sequences, as [`rope`](crate::rope) does, and writes keys and values
/// into a cache, in place, for all that hold it; gives the rotated queries. One launch.
///
/// Queries are `[rows, heads · head_dim]`, keys and values `[rows, kv_heads · head_dim]`, `cos` and `sin` `[rows, pairs]`, the cache's
/// keys and values `[slots · kv_heads, capacity, head_dim]`. `places` are slot and position of each token, `[rows, 2]`, i32.
pub fn rotate_and_store<R: CubeRuntime>(
    qkv: [CubeTensor<R>; 3],
    rotation: [CubeTensor<R>; 2],
    [keys, values]: [&CubeTensor<R>; 2],
    places: &CubeTensor<R>,
) -> CubeTensor<R> {
    let ([q, k, v], [cos, sin]) = (qkv.map(packed), rotation.map(packed));
    let ([rows, width], [_, kv_width], [_, pairs]) = (dims(&q), dims(&k), dims(&cos));
    let [_, capacity, head_dim] = keys.shape().dims();
    let rotated = empty(&q, [rows, width], q.dtype);
    let (of_new, of_cache) = (q.dtype, keys.dtype);
    // A unit turns a pair, or copies one of the rest; values are copied.
    let units = rows * ((width + kv_width) / head_dim * (head_dim - pairs) + kv_width);
    let dim = CubeDim::new(&rotated.client, units);
    rotate::launch(
        &rotated.client,
        calculate_cube_count_elemwise(&rotated.client, units, dim),
        dim,
        q.into_tensor_arg(),
        k.into_tensor_arg(),
        v.into_tensor_arg(),
        cos.into_tensor_arg(),
        sin.into_tensor_arg(),
        places.clone().into_tensor_arg(),
        rotated.clone().into_tensor_arg(),
        keys.clone().into_tensor_arg(),
        values.clone().into_tensor_arg(),
        units,
        width / head_dim,
        kv_width / head_dim,
        head_dim,
        pairs,
        capacity,
        of_new.into(),
        of_cache.into(),
    );
    rotated
}

/// Attention of one token of each of several sequences, `q` being `[rows, heads · head_dim]`, over all that the cache has of them up to
/// the token itself; `places` as in [`rotate_and_store`]. Of `mask` scale, window and soft cap count.
///
/// Reads the keys and values of every sequence once for each of its query heads: bound by memory.
///
/// # Panics
/// Where a head is wider than 256.
pub fn decode_attention<R: CubeRuntime>(
    q: CubeTensor<R>,
    [keys, values]: [&CubeTensor<R>; 2],
    places: &CubeTensor<R>,
    mask: CausalMask,
    kv_heads: usize,
) -> CubeTensor<R> {
    let q = packed(q);
    let [rows, width] = dims(&q);
    let [_, capacity, head_dim] = keys.shape().dims();
    let (heads, dtype, of_cache) = (width / head_dim, q.dtype, keys.dtype);
    assert!(head_dim <= UNITS as usize, "heads of {head_dim}");
    let out = empty(&q, [rows, width], dtype);
    attend::launch(
        &out.client,
        cube_per_row(rows * heads),
        CubeDim::new_1d(UNITS),
        q.into_tensor_arg(),
        keys.clone().into_tensor_arg(),
        values.clone().into_tensor_arg(),
        places.clone().into_tensor_arg(),
        out.clone().into_tensor_arg(),
        rows * heads,
        heads,
        heads / kv_heads,
        capacity,
        mask.launch(),
        head_dim,
        dtype.into(),
        of_cache.into(),
    );
    out
}

#[cube(launch)]
fn rotate<F: Float, C: Float>(
    q: &Tensor<F>,
    k: &Tensor<F>,
    v: &Tensor<F>,
    cos: &Tensor<f32>,
    sin: &Tensor<f32>,
    places: &Tensor<i32>,
    rotated: &mut Tensor<F>,
    keys: &mut Tensor<C>,
    values: &mut Tensor<C>,
    units: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    pairs: usize,
    capacity: usize,
    #[define(F)] _of_new: StorageType,
    #[define(C)] _of_cache: StorageType,
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    // Those of a row turn queries first, then keys, and then copy values.
    let each = head_dim - pairs;
    let turning = (heads + kv_heads) * each;
    let a_row = turning + kv_heads * head_dim;
    let (row, unit) = (ABSOLUTE_POS / a_row, ABSOLUTE_POS % a_row);
    let slot = places[2 * row] as usize * kv_heads;
    let position = places[2 * row + 1] as usize;
    if unit < turning {
        let (head, i) = (unit / each, unit % each);
        let mut c = 1.0f32;
        let mut s = 0.0f32;
        // What is behind the pairs is its own partner, and stays.
        let mut from = pairs + i;
        if i < pairs {
            c = cos[row * pairs + i];
            s = sin[row * pairs + i];
            from = i;
        }
        let to = pairs + i;
        if head < heads {
            let first = (row * heads + head) * head_dim;
            let a = f32::cast_from(q[first + from]);
            let b = f32::cast_from(q[first + to]);
            rotated[first + from] = F::cast_from(a * c - b * s);
            rotated[first + to] = F::cast_from(b * c + a * s);
        } else {
            let head = head - heads;
            let first = (row * kv_heads + head) * head_dim;
            let at = ((slot + head) * capacity + position) * head_dim;
            let a = f32::cast_from(k[first + from]);
            let b = f32::cast_from(k[first + to]);
            keys[at + from] = C::cast_from(a * c - b * s);
            keys[at + to] = C::cast_from(b * c + a * s);
        }
    } else {
        let unit = unit - turning;
        let (head, i) = (unit / head_dim, unit % head_dim);
        let at = ((slot + head) * capacity + position) * head_dim + i;
        values[at] = C::cast_from(f32::cast_from(v[row * kv_heads * head_dim + unit]));
    }
}

/// A cube has one head of one row, and goes through the keys in blocks of as many as it has units: softmax with a running maximum.
///
/// Source: Milakov and Gimelshein (2018), online normalizer calculation for softmax.
#[cube(launch)]
fn attend<F: Float, C: Float>(
    q: &Tensor<F>,
    keys: &Tensor<C>,
    values: &Tensor<C>,
    places: &Tensor<i32>,
    out: &mut Tensor<F>,
    cubes: usize,
    heads: usize,
    group: usize,
    capacity: usize,
    mask: Mask,
    #[comptime] head_dim: usize,
    #[define(F)] _dtype: StorageType,
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
    let end = position + 1;
    let mut from = 0usize;
    if end > mask.window {
        from = end - mask.window;
    }
    let first = (places[2 * row] as usize * (heads / group) + head / group) * capacity * head_dim;

    let mut query = SharedMemory::<f32>::new(head_dim);
    if unit < head_dim {
        query[unit] = f32::cast_from(q[CUBE_POS * head_dim + unit]);
    }
    let mut p = SharedMemory::<f32>::new(units);
    let mut sum = 0.0f32;
    // Far below any score.
    let mut greatest = f32::new(-3.0e38);
    let mut total = 0.0f32;
    sync_cube();

    for block in range_stepped(from, end, units) {
        let key = block + unit;
        let mut score = f32::new(-3.0e38);
        if key < end {
            let mut product = 0.0f32;
            for i in 0..head_dim {
                product += query[i] * f32::cast_from(keys[first + key * head_dim + i]);
            }
            score = mask.score(product);
        }
        let top = max(greatest, cube_max(score));
        let mut weight = 0.0f32;
        if key < end {
            weight = f32::exp(score - top);
        }
        p[unit] = weight;
        let shrink = f32::exp(greatest - top);
        greatest = top;
        // All weights are there when their sum is.
        total = total * shrink + cube_sum(weight);
        sum *= shrink;
        if part < sharing {
            for i in range_stepped(part, min(end - block, units), sharing) {
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
