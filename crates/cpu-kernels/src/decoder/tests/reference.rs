use half::bf16;

use crate::decoder::{AttentionShape, KvDtype};

/// A vector as the cache of this type keeps it.
pub(super) fn stored(vector: &[f32], dtype: KvDtype) -> Vec<f64> {
    match dtype {
        KvDtype::F32 => vector.iter().map(|&x| f64::from(x)).collect(),
        KvDtype::Bf16 => vector.iter().map(|&x| bf16::from_f32(x).to_f64()).collect(),
        KvDtype::Q8 => {
            let scale = vector.iter().fold(0.0f32, |a, x| a.max(x.abs())) / 127.0;
            let multiple = |x: &f32| if scale == 0.0 { 0.0 } else { (x / scale).round_ties_even() };
            vector.iter().map(|x| f64::from(multiple(x)) * f64::from(scale)).collect()
        }
    }
}

/// The result and log-sum-exp of one query in one head; `keys` and `values` are those of positions `0..=position`.
pub(super) fn attend(
    query: &[f32],
    keys: &[Vec<f64>],
    values: &[Vec<f64>],
    shape: &AttentionShape,
) -> (Vec<f64>, f64) {
    let position = keys.len() - 1;
    let seen: Vec<usize> = (0..=position)
        .filter(|at| shape.window.is_none_or(|window| position - at < window))
        .collect();
    let score = |&at: &usize| {
        let product: f64 = query.iter().zip(&keys[at]).map(|(&q, k)| f64::from(q) * k).sum();
        let score = f64::from(shape.scale) * product;
        shape.softcap.map_or(score, |cap| f64::from(cap) * (score / f64::from(cap)).tanh())
    };
    let scores: Vec<f64> = seen.iter().map(score).collect();
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| (score - greatest).exp()).sum();
    let mut out = vec![0.0; shape.head_dim];
    for (at, score) in seen.iter().zip(&scores) {
        let weight = (score - greatest).exp() / total;
        out.iter_mut().zip(&values[*at]).for_each(|(out, value)| *out += weight * value);
    }
    (out, greatest + total.ln())
}
