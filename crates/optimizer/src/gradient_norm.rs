use rayon::prelude::*;

/// Values whose squares are summed by one thread; fixed, so that threads change no sum.
const CHUNK: usize = 64 * 1024;
const LANES: usize = 8;

/// Euclidean norm of all gradients together, summed in f64.
///
/// NaN and infinity come through: a result that is not finite says that the gradient is not.
pub fn global_norm(gradient: &[f32]) -> f64 {
    let sums: Vec<f64> = if gradient.len() <= CHUNK {
        gradient.chunks(CHUNK).map(sum_of_squares).collect()
    } else {
        gradient.par_chunks(CHUNK).map(sum_of_squares).collect()
    };
    sums.iter().sum::<f64>().sqrt()
}

/// Scales the gradient so that its norm is at most `max_norm`, given the norm it has: by
/// [`clip_factor`].
pub fn clip_to_norm(gradient: &mut [f32], norm: f64, max_norm: f64) {
    let factor = clip_factor(norm, max_norm);
    if factor >= 1.0 {
        return;
    }
    gradient.par_chunks_mut(CHUNK).for_each(|chunk| {
        for value in chunk {
            *value *= factor;
        }
    });
}

/// What a gradient of norm `norm` is multiplied by so that its norm is at most `max_norm`.
///
/// `max_norm / (norm + 1e-6)`, at most 1, as in `torch.nn.utils.clip_grad_norm_`. A norm that is not
/// finite makes the gradient NaN or 0: look at it before.
pub fn clip_factor(norm: f64, max_norm: f64) -> f32 {
    let factor = max_norm / (norm + 1e-6);
    if factor >= 1.0 { 1.0 } else { factor as f32 }
}

fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(value) * f64::from(value);
        }
    }
    let rest: f64 = rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
    lanes.iter().sum::<f64>() + rest
}
