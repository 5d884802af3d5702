//! Times the decoder's kernels at the shapes of SmolLM2-135M (9 heads, 3 of keys and values, 64 dimensions, width 576,
//! 1536 in the gate), beside what multiply-adds and memory allow on the same machine at the same time.
//!
//! `decoder [PART]` runs the lines whose name has PART in it. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it prints figures")]
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "to measure what AVX-512 allows"))]

use std::hint::black_box;
use std::time::Instant;

use cpu_kernels::decoder::{
    Activation, AttentionShape, KvDtype, KvLayer, Rotary, Span, attention, cached_attention, gate,
    rms_norm, rope,
};

const SHAPE: AttentionShape = AttentionShape {
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    scale: 0.125,
    window: None,
    softcap: None,
};

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let report = |name: &str, work: &mut dyn FnMut()| {
        name.contains(&only).then(|| {
            let (median, best) = microseconds(work);
            println!("{name:<44} {median:>10.2} µs  best {best:>10.2}");
            median
        })
    };
    limits(&report);
    attention_lines(&report);
    elementwise_lines(&report);
}

type Report<'a> = dyn Fn(&str, &mut dyn FnMut()) -> Option<f64> + 'a;

fn limits(report: &Report<'_>) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512.
        let time = report("limit: 16 M multiply-adds, 1 thread", &mut || unsafe {
            black_box(multiply_adds(1 << 20));
        });
        if let Some(time) = time {
            println!("    {:.0} GFLOP/s", 2.0 * 16.0 * (1 << 20) as f64 / time / 1e3);
        }
    }
    for (name, kilobytes) in [("L2", 700), ("L3", 27_000)] {
        let floats: Vec<f32> = (0..kilobytes * 256).map(|i| i as f32).collect();
        let name = format!("limit: read {kilobytes} KB ({name}), 1 thread");
        let time = report(&name, &mut || {
            black_box(sum(black_box(&floats)));
        });
        if let Some(time) = time {
            println!("    {:.0} GB/s", kilobytes as f64 * 1.024 / time);
        }
    }
}

fn attention_lines(report: &Report<'_>) {
    let width = SHAPE.kv_heads * SHAPE.head_dim;
    for tokens in [512, 2048] {
        let (q, k) = (numbers(tokens * 576), numbers(tokens * width));
        let mut out = numbers(tokens * 576);
        let spans = [Span { start: 0, len: tokens, position: 0, slot: 0 }];
        let time = report(&format!("prefill {tokens}, no cache"), &mut || {
            attention(&q, &k, &k, &spans, &SHAPE, &mut out);
        });
        let flop = 4.0 * 576.0 * (tokens * (tokens + 1) / 2) as f64;
        if let Some(time) = time {
            println!("    {:.0} GFLOP/s, 30 layers {:.1} ms", flop / time / 1e3, time * 0.03);
        }
        for (dtype, name) in DTYPES {
            let mut cache = KvLayer::new(1, tokens, 3, 64, dtype);
            report(&format!("append {tokens}, {name}"), &mut || cache.append(&k, &k, &spans));
            report(&format!("prefill {tokens}, {name}"), &mut || {
                cached_attention(&q, &cache, &spans, &SHAPE, &mut out);
            });
        }
    }
    for batch in [1, 8] {
        for context in [100, 600, 2000] {
            for (dtype, name) in DTYPES {
                let capacity = 2048;
                let mut cache = KvLayer::new(batch, capacity, 3, 64, dtype);
                let k = numbers(capacity * width);
                for slot in 0..batch {
                    let all = Span { start: 0, len: capacity, position: 0, slot };
                    cache.append(&k, &k, &[all]);
                }
                let spans: Vec<_> = (0..batch)
                    .map(|slot| Span { start: slot, len: 1, position: context - 1, slot })
                    .collect();
                let (q, mut out) = (numbers(batch * 576), numbers(batch * 576));
                let time = report(&format!("decode {batch} x {context}, {name}"), &mut || {
                    cached_attention(&q, &cache, &spans, &SHAPE, &mut out);
                });
                let bytes = KvLayer::bytes(batch, context, 3, 64, dtype);
                if let Some(time) = time {
                    println!("    {:.0} GB/s", bytes as f64 / time / 1e3);
                }
                if context == 600 {
                    report(&format!("append {batch}, {name}"), &mut || {
                        cache.append(&k, &k, &spans);
                    });
                }
            }
        }
    }
    // What a whole model sees: 30 layers, none of them in the second-level cache any more.
    for (dtype, name) in DTYPES {
        let k = numbers(1024 * width);
        let caches: Vec<_> = (0..30)
            .map(|_| {
                let mut cache = KvLayer::new(1, 1024, 3, 64, dtype);
                cache.append(&k, &k, &[Span { start: 0, len: 1024, position: 0, slot: 0 }]);
                cache
            })
            .collect();
        let (q, mut out) = (numbers(576), numbers(576));
        let spans = [Span { start: 0, len: 1, position: 599, slot: 0 }];
        report(&format!("decode 1 x 600, {name}, 30 layers"), &mut || {
            for cache in &caches {
                cached_attention(&q, cache, &spans, &SHAPE, &mut out);
            }
        });
    }
}

const DTYPES: [(KvDtype, &str); 3] =
    [(KvDtype::F32, "f32"), (KvDtype::Bf16, "bf16"), (KvDtype::Q8, "q8")];

fn elementwise_lines(report: &Report<'_>) {
    for rows in [1, 8, 512] {
        let (mut x, weight) = (numbers(rows * 576), numbers(576));
        let mut out = x.clone();
        report(&format!("rms_norm {rows} x 576"), &mut || rms_norm(&x, &weight, 1e-5, &mut out));
        let angles = numbers(rows * 32);
        let rotary = Rotary { cos: &angles, sin: &angles, pairs: 32 };
        report(&format!("rope {rows} x 9 x 64"), &mut || rope(&mut x, 9, 64, rotary));
        let (a, b) = (numbers(rows * 1536), numbers(rows * 1536));
        let mut out = a.clone();
        for of in [Activation::Silu, Activation::GeluTanh] {
            report(&format!("gate {of:?} {rows} x 1536"), &mut || gate(of, &a, &b, &mut out));
        }
    }
}

/// Numbers between -1 and 1.
fn numbers(len: usize) -> Vec<f32> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// Median and best time of a call, each measured over calls of a millisecond together.
fn microseconds(work: &mut dyn FnMut()) -> (f64, f64) {
    let started = Instant::now();
    work();
    work();
    let once = started.elapsed().as_secs_f64() / 2.0;
    let calls = (1e-3 / once).clamp(1.0, 10_000.0) as usize;
    let mut times: Vec<f64> = (0..41)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..calls {
                work();
            }
            started.elapsed().as_secs_f64() / calls as f64 * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

/// `16 · n` multiply-adds in registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
#[expect(clippy::needless_range_loop, reason = "references would keep the sums in memory")]
fn multiply_adds(n: usize) -> f32 {
    use std::arch::x86_64::*;
    let mut sums = [_mm512_set1_ps(1.0); 12];
    let (factor, term) = (_mm512_set1_ps(black_box(1.000_1)), _mm512_set1_ps(black_box(1e-3)));
    for _ in 0..n / 12 {
        for i in 0..12 {
            sums[i] = _mm512_fmadd_ps(sums[i], factor, term);
        }
    }
    let mut total = 0.0;
    for i in 0..12 {
        total += _mm512_reduce_add_ps(sums[i]);
    }
    total
}

/// A sum that keeps up with memory.
fn sum(floats: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512.
        return unsafe { wide_sum(floats) };
    }
    floats.iter().sum()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn wide_sum(floats: &[f32]) -> f32 {
    use std::arch::x86_64::*;
    let mut sums = [_mm512_setzero_ps(); 8];
    for chunk in floats.chunks_exact(128) {
        for (sum, line) in sums.iter_mut().zip(chunk.chunks_exact(16)) {
            // SAFETY: a line has 16 floats.
            *sum = _mm512_add_ps(*sum, unsafe { _mm512_loadu_ps(line.as_ptr()) });
        }
    }
    sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
}
