use burn_backend::DType;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_max, cube_sum};
use crate::tensors::{cube_per_row, dims, empty, packed};

/// Which keys a row of scores sees, and what becomes of a score.
///
/// Row `r` is the query at position `first_query + r % queries`, column `c` the key at position `first_key + c`; a query sees the
/// keys up to itself, with a `window` only the last so many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CausalMask {
    /// Queries of one head: rows repeat after so many.
    pub queries: usize,
    /// Position of the first query.
    pub first_query: usize,
    /// Position of the first key.
    pub first_key: usize,
    /// A query sees itself and the `window - 1` keys before it; `None`: all before it.
    pub window: Option<usize>,
    /// What scores are multiplied by.
    pub scale: f32,
    /// Scores become `cap · tanh(score / cap)`.
    pub softcap: Option<f32>,
}

/// Softmax of each row of `scores`, `[rows, keys]`, f32, over the keys that it sees: probabilities in `dtype`, and the logarithm
/// of each row's sum of exponentials, `[rows, 1]`, f32.
pub fn causal_softmax<R: CubeRuntime>(
    scores: CubeTensor<R>,
    mask: CausalMask,
    dtype: DType,
) -> [CubeTensor<R>; 2] {
    let scores = packed(scores);
    let [rows, keys] = dims(&scores);
    let p = empty(&scores, [rows, keys], dtype);
    let lse = empty(&scores, [rows, 1], DType::F32);
    forward::launch(
        &p.client,
        cube_per_row(rows),
        CubeDim::new_1d(UNITS),
        scores.into_tensor_arg(),
        p.clone().into_tensor_arg(),
        lse.clone().into_tensor_arg(),
        rows,
        keys,
        mask.queries,
        mask.first_query,
        mask.first_key,
        mask.window.unwrap_or(usize::MAX >> 33),
        mask.scale,
        mask.softcap.unwrap_or(1.0),
        mask.softcap.is_some(),
        dtype.into(),
    );
    [p, lse]
}

/// With `p = exp(s - lse)`, the probabilities in `dtype` and the gradient of the unscaled scores `ds = scale · p · (dp - delta)`;
/// through a soft cap it is multiplied by `1 - (s / cap)²`. `lse` and `delta` are `[rows, 1]`, f32, `dp` is as `scores`.
///
/// Source: Dao (2023), FlashAttention-2, algorithm 2.
pub fn causal_softmax_backward<R: CubeRuntime>(
    scores: CubeTensor<R>,
    lse: CubeTensor<R>,
    dp: CubeTensor<R>,
    delta: CubeTensor<R>,
    mask: CausalMask,
    dtype: DType,
) -> [CubeTensor<R>; 2] {
    let (scores, lse, dp, delta) = (packed(scores), packed(lse), packed(dp), packed(delta));
    let [rows, keys] = dims(&scores);
    let [p, ds] = [(); 2].map(|()| empty(&scores, [rows, keys], dtype));
    backward::launch(
        &p.client,
        cube_per_row(rows),
        CubeDim::new_1d(UNITS),
        scores.into_tensor_arg(),
        lse.into_tensor_arg(),
        dp.into_tensor_arg(),
        delta.into_tensor_arg(),
        p.clone().into_tensor_arg(),
        ds.clone().into_tensor_arg(),
        rows,
        keys,
        mask.queries,
        mask.first_query,
        mask.first_key,
        mask.window.unwrap_or(usize::MAX >> 33),
        mask.scale,
        mask.softcap.unwrap_or(1.0),
        mask.softcap.is_some(),
        dtype.into(),
    );
    [p, ds]
}

/// The columns that a row sees begin here, and end behind `end`.
#[cube]
fn first_seen(query: usize, first_key: usize, window: usize) -> usize {
    let mut from = 0usize;
    if query + 1 > window + first_key {
        from = query + 1 - window - first_key;
    }
    from
}

/// A score, scaled and capped.
#[cube]
fn score(raw: f32, scale: f32, cap: f32, #[comptime] capped: bool) -> f32 {
    let mut s = raw * scale;
    if capped {
        s = cap * f32::tanh(s / cap);
    }
    s
}

#[cube(launch)]
fn forward<F: Float>(
    scores: &Tensor<f32>,
    p: &mut Tensor<F>,
    lse: &mut Tensor<f32>,
    rows: usize,
    keys: usize,
    queries: usize,
    first_query: usize,
    first_key: usize,
    window: usize,
    scale: f32,
    cap: f32,
    #[comptime] capped: bool,
    #[define(F)] _dtype: StorageType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let query = first_query + row % queries;
    let from = first_seen(query, first_key, window);
    let end = min(query + 1 - first_key, keys);
    let first = row * keys;
    let unit = UNIT_POS as usize;
    let step = CUBE_DIM as usize;

    let mut greatest = score(scores[first + from], scale, cap, capped);
    for i in range_stepped(from + unit, end, step) {
        greatest = max(greatest, score(scores[first + i], scale, cap, capped));
    }
    let greatest = cube_max(greatest);
    let mut sum = 0.0f32;
    for i in range_stepped(from + unit, end, step) {
        sum += f32::exp(score(scores[first + i], scale, cap, capped) - greatest);
    }
    let log_sum = greatest + f32::ln(cube_sum(sum));
    if unit == 0 {
        lse[row] = log_sum;
    }
    for i in range_stepped(unit, keys, step) {
        let mut value = 0.0f32;
        if i >= from && i < end {
            value = f32::exp(score(scores[first + i], scale, cap, capped) - log_sum);
        }
        p[first + i] = F::cast_from(value);
    }
}

#[cube(launch)]
fn backward<F: Float>(
    scores: &Tensor<f32>,
    lse: &Tensor<f32>,
    dp: &Tensor<f32>,
    delta: &Tensor<f32>,
    p: &mut Tensor<F>,
    ds: &mut Tensor<F>,
    rows: usize,
    keys: usize,
    queries: usize,
    first_query: usize,
    first_key: usize,
    window: usize,
    scale: f32,
    cap: f32,
    #[comptime] capped: bool,
    #[define(F)] _dtype: StorageType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let query = first_query + row % queries;
    let from = first_seen(query, first_key, window);
    let end = min(query + 1 - first_key, keys);
    let first = row * keys;
    let log_sum = lse[row];
    let mean = delta[row];
    for i in range_stepped(UNIT_POS as usize, keys, CUBE_DIM as usize) {
        let mut value = 0.0f32;
        let mut slope = 0.0f32;
        if i >= from && i < end {
            let s = score(scores[first + i], scale, cap, capped);
            value = f32::exp(s - log_sum);
            slope = scale * value * (dp[first + i] - mean);
            if capped {
                slope *= 1.0 - (s / cap) * (s / cap);
            }
        }
        p[first + i] = F::cast_from(value);
        ds[first + i] = F::cast_from(slope);
    }
}
