//! Times what training adds to a decoder's kernels, at the shapes of SmolLM2-135M (9 heads, 3 of keys and values, 64
//! dimensions, width 576, 1536 in the gate, 49152 tokens in the vocabulary).
//!
//! `training [PART]` runs the lines whose name has PART in it. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it prints figures")]

use std::time::Instant;

use cpu_kernels::decoder::{
    Activation, AttentionShape, Rotary, Span, attention_backward, attention_with_lse, gate,
    gate_backward, rms_norm, rms_norm_backward, rope, rope_backward,
};
use cpu_kernels::loss::{cross_entropy, losses_only};
use cpu_kernels::low_rank::{LowRankDropout, low_rank_add, low_rank_backward};

const SHAPE: AttentionShape = AttentionShape {
    heads: 9,
    kv_heads: 3,
    head_dim: 64,
    scale: 0.125,
    window: None,
    softcap: None,
};

/// Rows of a batch.
const M: usize = 512;

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let report = |name: &str, flop: f64, work: &mut dyn FnMut()| {
        if name.contains(&only) {
            let (median, best) = microseconds(work);
            let rate = |time: f64| flop / time / 1e3;
            println!(
                "{name:<44} {median:>10.1} µs  best {best:>10.1}  GFLOP/s {:>6.1}  best {:>6.1}",
                rate(median),
                rate(best)
            );
        }
    };
    attention_lines(&report);
    low_rank_lines(&report);
    loss_lines(&report);
    elementwise_lines(&report);
}

/// Takes a name, the floating-point operations of a call, and the call.
type Report<'a> = dyn Fn(&str, f64, &mut dyn FnMut()) + 'a;

fn attention_lines(report: &Report<'_>) {
    let kv_width = SHAPE.kv_heads * SHAPE.head_dim;
    for tokens in [512, 2048, 8192] {
        let (q, k, v) =
            (numbers(tokens * 576), numbers(tokens * kv_width), numbers(tokens * kv_width));
        let mut out = q.clone();
        let mut lse = vec![0.0; tokens * SHAPE.heads];
        let dout = numbers(tokens * 576);
        let (mut dq, mut dk, mut dv) = (q.clone(), k.clone(), v.clone());
        let spans = [Span { start: 0, len: tokens, position: 0, slot: 0 }];
        let flop = 4.0 * 576.0 * (tokens * (tokens + 1) / 2) as f64;
        report(&format!("attention {tokens} forward"), flop, &mut || {
            attention_with_lse(&q, &k, &v, &spans, &SHAPE, &mut out, &mut lse);
        });
        attention_with_lse(&q, &k, &v, &spans, &SHAPE, &mut out, &mut lse);
        report(&format!("attention {tokens} backward"), 2.5 * flop, &mut || {
            attention_backward(
                &q, &k, &v, &out, &lse, &dout, &spans, &SHAPE, &mut dq, &mut dk, &mut dv,
            );
        });
    }
}

fn low_rank_lines(report: &Report<'_>) {
    for (k, n) in [(576, 576), (576, 192), (576, 1536), (1536, 576)] {
        for (rank, dropout) in
            [(16, None), (16, Some(LowRankDropout { probability: 0.05, seed: 1 })), (64, None)]
        {
            let (x, a, b) = (numbers(M * k), numbers(rank * k), numbers(n * rank));
            let (dy, mut y, mut dx) = (numbers(M * n), numbers(M * n), numbers(M * k));
            let (mut low, mut da, mut db) = (numbers(M * rank), a.clone(), b.clone());
            let flop = 2.0 * (M * rank * (k + n)) as f64;
            let with = if dropout.is_some() { ", dropout" } else { "" };
            let name = format!("low rank {k} -> {n}, r {rank}{with}");
            report(&format!("{name}, add"), flop, &mut || {
                low_rank_add(&x, M, &a, &b, rank, 1e-9, dropout, &mut low, &mut y);
            });
            report(&format!("{name}, backward"), 2.0 * flop, &mut || {
                low_rank_backward(
                    &x, &low, &dy, M, &a, &b, rank, 1e-9, dropout, &mut dx, &mut da, &mut db,
                );
            });
        }
    }
}

fn loss_lines(report: &Report<'_>) {
    let (rows, vocab) = (128, 49_152);
    let logits = numbers(rows * vocab);
    let mut gradients = logits.clone();
    let (mut losses, mut predicted) = (vec![0.0; rows], vec![0; rows]);
    let (targets, weights) = (vec![7; rows], vec![1.0; rows]);
    // One operation a logit: the rate is in logits.
    let count = (rows * vocab) as f64;
    report(&format!("losses only {rows} x {vocab}"), count, &mut || {
        losses_only(&logits, vocab, &targets, &mut losses, &mut predicted);
    });
    report(&format!("cross entropy {rows} x {vocab}"), count, &mut || {
        cross_entropy(&mut gradients, vocab, &targets, &weights, 1.0, &mut losses, &mut predicted);
    });
}

fn elementwise_lines(report: &Report<'_>) {
    let (x, weight, dy) = (numbers(M * 576), numbers(576), numbers(M * 576));
    let (mut dx, mut dweight) = (x.clone(), weight.clone());
    let count = (M * 576) as f64;
    report("norm forward", count, &mut || rms_norm(&x, &weight, 1e-5, &mut dx));
    report("norm backward", count, &mut || {
        rms_norm_backward(&x, &weight, 1e-5, &dy, &mut dx, None);
    });
    report("norm backward with weight", count, &mut || {
        rms_norm_backward(&x, &weight, 1e-5, &dy, &mut dx, Some(&mut dweight));
    });
    let angles = numbers(M * 32);
    let rotary = Rotary { cos: &angles, sin: &angles, pairs: 32 };
    report("rope forward", count, &mut || rope(&mut dx, 9, 64, rotary));
    report("rope backward", count, &mut || rope_backward(&mut dx, 9, 64, rotary));
    let (g, up, dy) = (numbers(M * 1536), numbers(M * 1536), numbers(M * 1536));
    let (mut dg, mut dup) = (g.clone(), g.clone());
    let count = (M * 1536) as f64;
    for of in [Activation::Silu, Activation::GeluTanh] {
        report(&format!("gate {of:?} forward"), count, &mut || gate(of, &g, &up, &mut dg));
        report(&format!("gate {of:?} backward"), count, &mut || {
            gate_backward(of, &g, &up, &dy, &mut dg, &mut dup);
        });
    }
}

/// Numbers between -1 and 1.
fn numbers(len: usize) -> Vec<f32> {
    (0..len as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// Median and best time of a call, each measured over calls of a millisecond together, for two seconds at most.
fn microseconds(work: &mut dyn FnMut()) -> (f64, f64) {
    let started = Instant::now();
    work();
    work();
    let once = started.elapsed().as_secs_f64() / 2.0;
    let calls = (1e-3 / once).clamp(1.0, 10_000.0) as usize;
    let samples = (2.0 / (once * calls as f64)).clamp(3.0, 41.0) as usize;
    let mut times: Vec<f64> = (0..samples)
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
