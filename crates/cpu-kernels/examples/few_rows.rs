//! Rates of products with a few rows at the shapes of SmolLM2-135M: one line a case.
//!
//! `hot`: one matrix again and again. `cycle`: 30 layers of different matrices, which no cache holds.
//! `cargo run --release -p cpu-kernels --example few_rows`

#![allow(clippy::print_stdout, reason = "an example")]

use std::time::Instant;

use cpu_kernels::{ComputeDtype, DenseDtype, FrozenWeight, Output, products};

const LAYERS: usize = 30;
/// A layer's calls: inputs, and the outputs of each weight.
const CALLS: [(usize, &[usize]); 4] =
    [(576, &[576, 192, 192]), (576, &[576]), (576, &[1536, 1536]), (1536, &[576])];

fn main() {
    println!("reading 200 MB: {:.1} GB/s on one thread, {:.1} on two", read_rate(1), read_rate(2));
    let filter: Vec<_> = std::env::args().skip(1).collect();
    for form in ["nf4", "nf4d", "int8", "bf16", "f16", "f32"] {
        if !filter.is_empty() && !filter.iter().any(|f| f == form) {
            continue;
        }
        for m in [1, 8] {
            for (k, ns) in CALLS {
                let weights = call(form, k, ns, 0);
                time(
                    &format!("{form} m={m} hot {k}->{ns:?}"),
                    m,
                    std::slice::from_ref(&weights),
                    300,
                );
                let cycle: Vec<_> = (0..LAYERS).map(|layer| call(form, k, ns, layer)).collect();
                time(&format!("{form} m={m} cycle {k}->{ns:?}"), m, &cycle, 12);
            }
            let all: Vec<_> = (0..LAYERS)
                .flat_map(|layer| CALLS.map(|(k, ns)| call(form, k, ns, layer)))
                .collect();
            time(&format!("{form} m={m} ALL LAYERS"), m, &all, 15);
            drop(all);
            if form != "int8" && form != "f16" {
                time(
                    &format!("{form} m={m} head 576->49152"),
                    m,
                    &[call(form, 576, &[49152], 0)],
                    15,
                );
            }
        }
    }
}

fn call(form: &str, k: usize, ns: &[usize], seed: usize) -> Vec<FrozenWeight> {
    ns.iter().map(|n| weight(form, *n, k, seed)).collect()
}

fn weight(form: &str, n: usize, k: usize, seed: usize) -> FrozenWeight {
    let values: Vec<f32> = (0..n * k)
        .map(|i| ((i + seed) as u32).wrapping_mul(2_654_435_761) as f32 / 1e11 - 0.02)
        .collect();
    match form {
        "nf4" => FrozenWeight::nf4(n, k, &values).expect("finite"),
        "nf4d" => FrozenWeight::nf4_double(n, k, &values).expect("finite"),
        "int8" => FrozenWeight::int8(n, k, &values).expect("finite"),
        "bf16" => FrozenWeight::f32(n, k, values).expect("a shape").to_dense(DenseDtype::Bf16),
        "f16" => FrozenWeight::f32(n, k, values).expect("a shape").to_dense(DenseDtype::F16),
        _ => FrozenWeight::f32(n, k, values).expect("a shape"),
    }
}

/// The median time of all calls one after another.
fn time(name: &str, m: usize, calls: &[Vec<FrozenWeight>], repeats: usize) {
    let widest = calls.iter().map(|weights| weights[0].cols()).max().unwrap_or(0);
    let x: Vec<_> = (0..m * widest).map(|i| (i as f32 * 0.37).sin()).collect();
    let mut outs: Vec<Vec<_>> = calls
        .iter()
        .map(|weights| weights.iter().map(|w| vec![0.0; m * w.rows()]).collect())
        .collect();
    let mut times: Vec<_> = (0..repeats + 2)
        .map(|_| {
            let start = Instant::now();
            for (weights, outs) in calls.iter().zip(&mut outs) {
                let k = weights[0].cols();
                let mut outputs: Vec<_> =
                    weights.iter().zip(outs).map(|(weight, out)| Output { weight, out }).collect();
                products(&x[..m * k], m, ComputeDtype::F32, &mut outputs);
            }
            start.elapsed().as_secs_f64()
        })
        .skip(2)
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, best) = (times[times.len() / 2], times[0]);
    let all = || calls.iter().flatten();
    let bytes: usize = all().map(FrozenWeight::bytes).sum();
    let flops: usize = all().map(|w| 2 * m * w.rows() * w.cols()).sum();
    println!(
        "{name:<44} {:9.1} us (best {:9.1}) {:6.1} us/call {:6.1} GB/s {:7.1} GFLOP/s",
        median * 1e6,
        best * 1e6,
        median * 1e6 / calls.len() as f64,
        bytes as f64 / median / 1e9,
        flops as f64 / median / 1e9,
    );
}

/// Bytes a second of a plain sum, the best of a few.
fn read_rate(threads: usize) -> f64 {
    let values = vec![1.0_f32; 50_000_000];
    let sum = |part: &[f32]| {
        let mut sums = [0.0_f32; 64];
        for chunk in part.as_chunks::<64>().0 {
            sums.iter_mut().zip(chunk).for_each(|(s, v)| *s += v);
        }
        sums.iter().sum::<f32>()
    };
    (0..8)
        .map(|_| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                let parts = values.chunks(values.len() / threads);
                let workers: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
                let total: f32 = workers.into_iter().filter_map(|w| w.join().ok()).sum();
                std::hint::black_box(total);
            });
            values.len() as f64 * 4.0 / start.elapsed().as_secs_f64() / 1e9
        })
        .fold(0.0, f64::max)
}
