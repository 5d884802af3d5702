//! Rates of products of many rows, beside the rate at which the processor can multiply at all.
//!
//! `cargo run --release -p cpu-kernels --example gemm [MxNxK …]`; `RAYON_NUM_THREADS` is the number of threads.
#![expect(clippy::print_stdout, reason = "a table for people")]

use std::error::Error;
use std::time::Instant;

use cpu_kernels::{ComputeDtype, DenseDtype, FrozenWeight, Output, product_transposed, products};

const SHAPES: [(usize, usize, usize); 6] = [
    (512, 1536, 576),
    (512, 576, 1536),
    (512, 576, 576),
    (64, 1536, 576),
    (17, 1536, 576),
    (1024, 2048, 2048),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut shapes = Vec::new();
    for arg in std::env::args().skip(1) {
        let sizes: Vec<usize> = arg.split('x').map(str::parse).collect::<Result<_, _>>()?;
        let [m, n, k] = sizes[..] else { return Err(format!("`{arg}` is not MxNxK").into()) };
        shapes.push((m, n, k));
    }
    if shapes.is_empty() {
        shapes = SHAPES.to_vec();
    }
    #[cfg(target_arch = "x86_64")]
    limits::print();
    println!(
        "{:>16} {:>12} {:>5} {:>10}  µs median  GFLOP/s median, best",
        "m x n x k", "direction", "as", "weight"
    );
    for shape in shapes {
        measure(shape)?;
    }
    Ok(())
}

fn measure((m, n, k): (usize, usize, usize)) -> Result<(), Box<dyn Error>> {
    let values = noise(n * k);
    let dense = FrozenWeight::f32(n, k, values.clone()).ok_or("a weight of another length")?;
    let weights = [
        ("bf16", dense.to_dense(DenseDtype::Bf16)),
        ("nf4", FrozenWeight::nf4(n, k, &values)?),
        ("nf4 double", FrozenWeight::nf4_double(n, k, &values)?),
        ("int8", FrozenWeight::int8(n, k, &values)?),
        ("f32", dense),
    ];
    let (x, dy) = (noise(m * k), noise(m * n));
    let (mut y, mut dx) = (vec![0.0; m * n], vec![0.0; m * k]);
    let flops = 2.0 * (m * n * k) as f64;
    for (compute, compute_name) in [(ComputeDtype::F32, "f32"), (ComputeDtype::Bf16, "bf16")] {
        for (name, weight) in &weights {
            let forward = seconds(flops, || {
                products(&x, m, compute, &mut [Output { weight, out: &mut y }]);
            });
            let transposed =
                seconds(flops, || product_transposed(&dy, m, weight, compute, &mut dx));
            for (direction, (median, best)) in [("forward", forward), ("transposed", transposed)] {
                println!(
                    "{:>16} {direction:>12} {compute_name:>5} {name:>10} {:>10.1} {:>7.0} {:>7.0}",
                    format!("{m}x{n}x{k}"),
                    median * 1e6,
                    flops / median / 1e9,
                    flops / best / 1e9,
                );
            }
        }
    }
    Ok(())
}

/// Median and best time of one call, over 25 runs of about 10 ms each.
fn seconds(flops: f64, mut call: impl FnMut()) -> (f64, f64) {
    let calls = (4e9 / flops).clamp(1.0, 2000.0) as u32;
    call();
    let mut times: Vec<f64> = (0..25)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_secs_f64() / f64::from(calls)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

/// Values between -1 and 1.
fn noise(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

#[cfg(target_arch = "x86_64")]
mod limits {
    #![expect(unsafe_code, reason = "vector instructions")]

    use std::arch::is_x86_feature_detected;
    use std::arch::x86_64::*;
    use std::hint::black_box;
    use std::time::Instant;

    /// What registers alone can do, all threads at once.
    pub(super) fn print() {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature is there.
            println!("FMA in registers: {:.0} GFLOP/s", rate(32.0, || unsafe { fma() }));
        }
        if is_x86_feature_detected!("avx512bf16") {
            // SAFETY: the feature is there.
            println!("dpbf16 in registers: {:.0} GFLOP/s", rate(64.0, || unsafe { dpbf16() }));
        }
    }

    const STEPS: usize = 1_000_000;
    const SUMS: usize = 28;

    /// Best of ten, over all threads.
    fn rate(flops: f64, run: impl Fn() -> f32 + Sync) -> f64 {
        let best = (0..10)
            .map(|_| {
                let start = Instant::now();
                rayon::broadcast(|_| black_box(run()));
                start.elapsed().as_secs_f64()
            })
            .fold(f64::MAX, f64::min);
        flops * (STEPS * SUMS * rayon::current_num_threads()) as f64 / best / 1e9
    }

    #[target_feature(enable = "avx512f")]
    fn fma() -> f32 {
        let mut sums = [_mm512_setzero_ps(); SUMS];
        let (x, w) = (black_box(_mm512_set1_ps(1.0)), black_box(_mm512_set1_ps(0.5)));
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(x, w, *sum);
            }
        }
        sums.iter().map(|&sum| _mm512_reduce_add_ps(sum)).sum()
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn dpbf16() -> f32 {
        let mut sums = [_mm512_setzero_ps(); SUMS];
        let x = black_box(_mm512_cvtne2ps_pbh(_mm512_set1_ps(1.0), _mm512_set1_ps(1.0)));
        let w = black_box(_mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5), _mm512_set1_ps(0.5)));
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, x, w);
            }
        }
        sums.iter().map(|&sum| _mm512_reduce_add_ps(sum)).sum()
    }
}
