use burn_backend::{TensorData, TensorMetadata};
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_max, cube_sum};
use crate::softmax::{CausalMask, Mask};
use crate::tensors::{cube_per_row, dims, empty, packed, upload};

/// Where the next tokens of several sequences belong in a cache: one token each.
#[derive(Clone, Debug)]
pub struct NextTokens<R: CubeRuntime> {
    /// Slot and position, `[rows, 2]`, u32.
    places: CubeTensor<R>,
}

impl<R: CubeRuntime> NextTokens<R> {
    /// The slot of each sequence, and the token's position in it.
    pub fn new(places: &[[u32; 2]], device: &R::Device) -> Self {
        let shape = [places.len(), 2];
        Self { places: upload(TensorData::new(places.concat(), shape), device) }
    }
}

/// Writes a key or value for each of the tokens, `[rows, kv_heads · head_dim]`, into `cache`, `[slots · kv_heads, capacity, head_dim]`,
/// in place, for all that hold it.
pub fn store_next<R: CubeRuntime>(
    cache: &CubeTensor<R>,
    new: CubeTensor<R>,
    tokens: &NextTokens<R>,
) {
    let new = packed(new);
    let [rows, width] = dims(&new);
    let [_, capacity, head_dim] = cache.shape().dims();
    let (units, of_new, of_cache) = (rows * width, new.dtype, cache.dtype);
    let dim = CubeDim::new(&cache.client, units);
    store::launch(
        &cache.client,
        calculate_cube_count_elemwise(&cache.client, units, dim),
        dim,
        new.into_tensor_arg(),
        tokens.places.clone().into_tensor_arg(),
        cache.clone().into_tensor_arg(),
        units,
        width,
        head_dim,
        capacity,
        of_new.into(),
        of_cache.into(),
    );
}

/// Attention of one token of each of several sequences, `q` being `[rows, heads · head_dim]`, over all that the cache has of them up to
/// the token itself. Of `mask` scale, window and soft cap count.
///
/// Reads the keys and values of every sequence once for each of its query heads: bound by memory.
///
/// # Panics
/// Where a head is wider than 256.
pub fn decode_attention<R: CubeRuntime>(
    q: CubeTensor<R>,
    [keys, values]: [&CubeTensor<R>; 2],
    tokens: &NextTokens<R>,
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
        tokens.places.clone().into_tensor_arg(),
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
fn store<F: Float, C: Float>(
    new: &Tensor<F>,
    places: &Tensor<u32>,
    cache: &mut Tensor<C>,
    units: usize,
    width: usize,
    head_dim: usize,
    capacity: usize,
    #[define(F)] _of_new: StorageType,
    #[define(C)] _of_cache: StorageType,
) {
    if ABSOLUTE_POS >= units {
        terminate!();
    }
    let row = ABSOLUTE_POS / width;
    let head = ABSOLUTE_POS % width / head_dim;
    let slot = places[2 * row] as usize * (width / head_dim) + head;
    let at = (slot * capacity + places[2 * row + 1] as usize) * head_dim + ABSOLUTE_POS % head_dim;
    cache[at] = C::cast_from(f32::cast_from(new[ABSOLUTE_POS]));
}

/// A cube has one head of one row, and goes through the keys in blocks of as many as it has units: softmax with a running maximum.
///
/// Source: Milakov and Gimelshein (2018), online normalizer calculation for softmax.
#[cube(launch)]
fn attend<F: Float, C: Float>(
    q: &Tensor<F>,
    keys: &Tensor<C>,
    values: &Tensor<C>,
    places: &Tensor<u32>,
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
