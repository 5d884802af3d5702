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
        mask.launch(),
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
        mask.launch(),
        dtype.into(),
    );
    [p, ds]
}

impl CausalMask {
    pub(crate) fn launch<R: CubeRuntime>(&self) -> MaskLaunch<R> {
        // As wide as any sequence, and no sum with it goes beyond 32 bits.
        let window = self.window.unwrap_or(1 << 30);
        let (cap, capped) = (self.softcap.unwrap_or(1.0), self.softcap.is_some());
        let Self { queries, first_query, first_key, scale, .. } = *self;
        MaskLaunch::new(queries, first_query, first_key, window, scale, cap, capped)
    }
}

/// [`CausalMask`] on the device.
#[derive(CubeLaunch, CubeType)]
pub(crate) struct Mask {
    queries: usize,
    first_query: usize,
    first_key: usize,
    pub(crate) window: usize,
    scale: f32,
    cap: f32,
    #[cube(comptime)]
    capped: bool,
}

#[cube]
impl Mask {
    /// The first column that a row sees.
    fn from(&self, row: usize) -> usize {
        let query = self.first_query + row % self.queries;
        let mut from = 0usize;
        if query + 1 > self.window + self.first_key {
            from = query + 1 - self.window - self.first_key;
        }
        from
    }

    /// The first column behind those that a row sees.
    fn end(&self, row: usize, keys: usize) -> usize {
        min(self.first_query + row % self.queries + 1 - self.first_key, keys)
    }

    /// A score, scaled and capped.
    pub(crate) fn score(&self, raw: f32) -> f32 {
        let mut s = raw * self.scale;
        if self.capped {
            s = self.cap * f32::tanh(s / self.cap);
        }
        s
    }
}

#[cube(launch)]
fn forward<F: Float>(
    scores: &Tensor<f32>,
    p: &mut Tensor<F>,
    lse: &mut Tensor<f32>,
    rows: usize,
    keys: usize,
    mask: Mask,
    #[define(F)] _dtype: StorageType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let from = mask.from(row);
    let end = mask.end(row, keys);
    let first = row * keys;
    let unit = UNIT_POS as usize;
    let step = CUBE_DIM as usize;

    let mut greatest = mask.score(scores[first + from]);
    for i in range_stepped(from + unit, end, step) {
        greatest = max(greatest, mask.score(scores[first + i]));
    }
    let greatest = cube_max(greatest);
    let mut sum = 0.0f32;
    for i in range_stepped(from + unit, end, step) {
        sum += f32::exp(mask.score(scores[first + i]) - greatest);
    }
    let log_sum = greatest + f32::ln(cube_sum(sum));
    if unit == 0 {
        lse[row] = log_sum;
    }
    for i in range_stepped(unit, keys, step) {
        let mut value = 0.0f32;
        if i >= from && i < end {
            value = f32::exp(mask.score(scores[first + i]) - log_sum);
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
    mask: Mask,
    #[define(F)] _dtype: StorageType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let from = mask.from(row);
    let end = mask.end(row, keys);
    let first = row * keys;
    let log_sum = lse[row];
    let mean = delta[row];
    for i in range_stepped(UNIT_POS as usize, keys, CUBE_DIM as usize) {
        let mut value = 0.0f32;
        let mut slope = 0.0f32;
        if i >= from && i < end {
            let s = mask.score(scores[first + i]);
            value = f32::exp(s - log_sum);
            slope = mask.scale * value * (dp[first + i] - mean);
            if mask.capped {
                slope *= 1.0 - (s / mask.cap) * (s / mask.cap);
            }
        }
        p[first + i] = F::cast_from(value);
        ds[first + i] = F::cast_from(slope);
    }
}
