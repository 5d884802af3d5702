//! AdamW and the sum of squares.

use burn_backend::TensorData;
use cube_kernels::{AdamWConstants, CubeTensor, adamw, sums_of_squares, upload};

use crate::support::{Device, Numbers, close, get, wide};

/// Lengths that vectors divide and that they do not, less than a cube and more than all that sum up together.
const LENS: [usize; 5] = [1, 7, 64, 5_003, 300_000];

#[test]
fn optimizer_steps() {
    let constants = AdamWConstants {
        factor: 0.5,
        decay: 0.999,
        one_minus_beta1: 0.1,
        beta2: 0.99,
        one_minus_beta2: 0.01,
        root_correction2: 0.14,
        eps: 1e-8,
        step_size: 2e-3,
    };
    let wide_constants = [
        constants.factor,
        constants.decay,
        constants.one_minus_beta1,
        constants.beta2,
        constants.one_minus_beta2,
        constants.root_correction2,
        constants.eps,
        constants.step_size,
    ];
    let [factor, decay, rest1, beta2, rest2, correction, eps, size] = wide_constants.map(f64::from);
    for len in LENS {
        let mut numbers = Numbers(31 + len as u64);
        let [p, g, m, mut v] = [(); 4].map(|()| numbers.take(len));
        v.iter_mut().for_each(|v| *v = v.abs());
        let flat = |values: &[f32]| -> CubeTensor<Device> {
            upload(TensorData::new(values.to_vec(), [len]), &Default::default())
        };
        let [new_p, new_m, new_v] = adamw([&p, &g, &m, &v].map(|x| flat(x)), constants).map(get);
        let (mut p64, mut m64, mut v64) = (wide(&p), wide(&m), wide(&v));
        for (i, g) in wide(&g).into_iter().enumerate() {
            let g = g * factor;
            m64[i] += rest1 * (g - m64[i]);
            v64[i] = beta2 * v64[i] + rest2 * g * g;
            p64[i] = decay * p64[i] - size * m64[i] / (v64[i].sqrt() / correction + eps);
        }
        close(&new_p, &p64, 1e-6, "parameters");
        close(&new_m, &m64, 1e-6, "first moments");
        close(&new_v, &v64, 1e-6, "second moments");
    }
}

#[test]
fn squares_are_summed() {
    let mut numbers = Numbers(77);
    let values = LENS.map(|len| numbers.take(len));
    let flat = |values: &Vec<f32>| -> CubeTensor<Device> {
        upload(TensorData::new(values.clone(), [values.len()]), &Default::default())
    };
    let parts = get(sums_of_squares(values.iter().map(flat).collect()));
    // The parts of each tensor lie together.
    let each = parts.len() / LENS.len();
    for (parts, values) in parts.chunks(each).zip(&values) {
        let expected = wide(values).iter().map(|x| x * x).sum::<f64>();
        close(&[parts.iter().sum()], &[expected], 1e-6, &format!("{} values", values.len()));
    }
}
