use burn_backend::DType;
use burn_cubecl::CubeRuntime;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube_sum::{UNITS, cube_max, cube_sum};
use crate::tensors::{cube_per_row, dims, empty, packed};

/// What [`cross_entropy`] gives.
#[derive(Debug)]
pub struct CrossEntropy<R: CubeRuntime> {
    /// Negative log-likelihood of each row's target, or of its likeliest token, `[rows, 1]`, f32, in nats.
    pub losses: CubeTensor<R>,
    /// The likeliest token of each row, the lowest id among equals, `[rows, 1]`, u32.
    pub predicted: CubeTensor<R>,
    /// `(softmax(logits) - target) · weight`, where it was asked for.
    pub gradient: Option<CubeTensor<R>>,
}

/// Cross-entropy of each row of `logits`, `[rows, vocab]`, with `targets`, `[rows, 1]`, u32, or without them with the row's likeliest
/// token; with `weights`, `[rows, 1]`, f32, also its gradient times the row's weight.
pub fn cross_entropy<R: CubeRuntime>(
    logits: CubeTensor<R>,
    targets: Option<CubeTensor<R>>,
    weights: Option<CubeTensor<R>>,
) -> CrossEntropy<R> {
    let logits = packed(logits);
    let [rows, vocab] = dims(&logits);
    let losses = empty(&logits, [rows, 1], DType::F32);
    let predicted = empty(&logits, [rows, 1], DType::U32);
    let dtype = logits.dtype;
    let gradient = weights.is_some().then(|| empty(&logits, [rows, vocab], dtype));
    // What is not written to has some buffer all the same.
    let unused = || empty(&logits, [1, 1], dtype);
    let out = gradient.clone().unwrap_or_else(unused);
    let (given, weighted) = (targets.is_some(), weights.is_some());
    let targets = targets.unwrap_or_else(|| predicted.clone());
    let weights = weights.unwrap_or_else(|| losses.clone());
    rows_of_logits::launch(
        &losses.client,
        cube_per_row(rows),
        CubeDim::new_1d(UNITS),
        logits.into_tensor_arg(),
        packed(targets).into_tensor_arg(),
        packed(weights).into_tensor_arg(),
        losses.clone().into_tensor_arg(),
        predicted.clone().into_tensor_arg(),
        out.into_tensor_arg(),
        rows,
        vocab,
        given,
        weighted,
        dtype.into(),
    );
    CrossEntropy { losses, predicted, gradient }
}

#[cube(launch)]
fn rows_of_logits<F: Float>(
    logits: &Tensor<F>,
    targets: &Tensor<u32>,
    weights: &Tensor<f32>,
    losses: &mut Tensor<f32>,
    predicted: &mut Tensor<u32>,
    gradient: &mut Tensor<F>,
    rows: usize,
    vocab: usize,
    #[comptime] given: bool,
    #[comptime] weighted: bool,
    #[define(F)] _dtype: StorageType,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let first = row * vocab;
    let unit = UNIT_POS as usize;
    let step = CUBE_DIM as usize;

    let mut greatest = f32::cast_from(logits[first]);
    let mut at = 0usize;
    for i in range_stepped(unit, vocab, step) {
        let value = f32::cast_from(logits[first + i]);
        if value > greatest {
            greatest = value;
            at = i;
        }
    }
    let top = cube_max(greatest);
    // The lowest id among those that reach the top, as the least by the greatest of its negative.
    let mut candidate = -f32::cast_from(vocab as u32);
    if greatest == top {
        candidate = -f32::cast_from(at as u32);
    }
    let winner = -cube_max(candidate);

    let mut sum = 0.0f32;
    for i in range_stepped(unit, vocab, step) {
        sum += f32::exp(f32::cast_from(logits[first + i]) - top);
    }
    let sum = cube_sum(sum);
    let mut target = usize::cast_from(winner);
    if given {
        target = targets[row] as usize;
    }
    let lse = top + f32::ln(sum);
    if unit == 0 {
        losses[row] = lse - f32::cast_from(logits[first + target]);
        predicted[row] = u32::cast_from(winner);
    }
    if weighted {
        let weight = weights[row];
        for i in range_stepped(unit, vocab, step) {
            let mut p = f32::exp(f32::cast_from(logits[first + i]) - lse);
            if i == target {
                p -= 1.0;
            }
            gradient[first + i] = F::cast_from(p * weight);
        }
    }
}
