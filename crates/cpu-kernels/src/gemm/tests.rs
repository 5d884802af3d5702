use super::*;
use crate::FrozenWeight;

fn values(seed: u32, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

#[test]
fn quick() {
    for compute in [ComputeDtype::F32, ComputeDtype::Bf16] {
        for method in Method::available(compute) {
            for (m, n, k) in
                [(1, 1, 1), (17, 33, 64), (64, 100, 129), (33, 576, 576), (100, 31, 1000)]
            {
                let x = values(1, m * k);
                let w = values(2, n * k);
                let weight = FrozenWeight::f32(n, k, w.clone()).unwrap();
                let mut out = vec![f32::NAN; m * n];
                forward::products(method, &x, m, &mut [Output { weight: &weight, out: &mut out }]);
                let mut worst = 0f64;
                for i in 0..m {
                    for j in 0..n {
                        let want: f64 =
                            (0..k).map(|c| x[i * k + c] as f64 * w[j * k + c] as f64).sum();
                        worst = worst.max((want - out[i * n + j] as f64).abs());
                    }
                }
                let dy = values(3, m * n);
                let mut dx = vec![f32::NAN; m * k];
                transposed::product_transposed(method, &dy, m, &weight, &mut dx);
                let mut worst_t = 0f64;
                for i in 0..m {
                    for c in 0..k {
                        let want: f64 =
                            (0..n).map(|j| dy[i * n + j] as f64 * w[j * k + c] as f64).sum();
                        worst_t = worst_t.max((want - dx[i * k + c] as f64).abs());
                    }
                }
                println!(
                    "{} {compute:?} {m} {n} {k}: {worst:.2e} {worst_t:.2e}",
                    method.kernel.name
                );
            }
        }
    }
}
