//! Gradients from outside, against torch 2.13.0 in f64 (`fixtures/training-kernels`).

use cpu_kernels::decoder::{
    Activation, AttentionShape, Span, attention_backward, attention_with_lse, gate_backward,
    rms_norm_backward,
};
use cpu_kernels::loss::{cross_entropy, losses_only};
use cpu_kernels::low_rank::{low_rank_add, low_rank_backward};
use safetensors::SafeTensors;

const GOLDEN: &[u8] = include_bytes!("../../../fixtures/training-kernels/golden.safetensors");

/// `factor · sin(step · i + start)` for each `i`.
fn wave(len: usize, step: f64, start: f64, factor: f32) -> Vec<f32> {
    (0..len).map(|i| (step * i as f64 + start).sin() as f32 * factor).collect()
}

/// Values by torch; the error is relative to the largest of them.
#[track_caller]
fn assert_golden(name: &str, got: &[f32]) {
    let file = SafeTensors::deserialize(GOLDEN).expect("a safetensors file");
    let bytes = file.tensor(name).expect("a tensor of the fixture").data();
    let expected: Vec<f32> =
        bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    assert_eq!(got.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(0.0, |a: f32, x| a.max(x.abs()));
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let error = (got - expected).abs();
        assert!(error <= 3e-6 * largest, "{name}[{i}] is {got}, expected {expected} of {largest}");
    }
}

fn check_attention(name: &str, lengths: &[usize], shape: &AttentionShape) {
    let AttentionShape { heads, kv_heads, head_dim, .. } = *shape;
    let mut start = 0;
    let spans: Vec<_> = lengths
        .iter()
        .map(|&len| {
            start += len;
            Span { start: start - len, len, position: 0, slot: 0 }
        })
        .collect();
    let (rows, kv_rows) = (start * heads, start * kv_heads);
    let q = wave(rows * head_dim, 0.37, 0.1, 1.0);
    let k = wave(kv_rows * head_dim, 0.23, 0.7, 1.0);
    let v = wave(kv_rows * head_dim, 0.71, 0.3, 1.0);
    let dout = wave(rows * head_dim, 0.53, 0.9, 1.0);
    let (mut out, mut lse) = (q.clone(), vec![f32::NAN; rows]);
    attention_with_lse(&q, &k, &v, &spans, shape, &mut out, &mut lse);
    let [mut dq, mut dk, mut dv] = [&q, &k, &v].map(|x| vec![f32::NAN; x.len()]);
    attention_backward(&q, &k, &v, &out, &lse, &dout, &spans, shape, &mut dq, &mut dk, &mut dv);
    for (which, got) in [("dq", dq), ("dk", dk), ("dv", dv)] {
        assert_golden(&format!("{name}.{which}"), &got);
    }
}

#[test]
fn attention() {
    let shape = |heads, kv_heads, head_dim, scale| AttentionShape {
        heads,
        kv_heads,
        head_dim,
        scale,
        window: None,
        softcap: None,
    };
    check_attention("plain", &[40], &shape(4, 2, 24, 0.5));
    check_attention("spans", &[33, 1, 20], &shape(6, 2, 16, 0.25));
    let window = AttentionShape { window: Some(20), ..shape(3, 1, 16, 0.3) };
    check_attention("window", &[70], &window);
    let softcap = AttentionShape { softcap: Some(1.5), ..shape(2, 2, 20, 0.9) };
    check_attention("softcap", &[25, 20], &softcap);
}

#[test]
fn norms() {
    let (x, weight) = (wave(350, 0.9, 0.2, 1.0), wave(50, 0.4, 1.0, 1.0));
    let dy = wave(350, 0.6, 0.5, 1.0);
    let (mut dx, mut dweight) = (vec![f32::NAN; 350], vec![f32::NAN; 50]);
    rms_norm_backward(&x, &weight, 1e-5, &dy, &mut dx, Some(&mut dweight));
    assert_golden("norm.dx", &dx);
    assert_golden("norm.dweight", &dweight);
}

#[test]
fn gates() {
    let (gate, up) = (wave(60, 0.5, 0.1, 4.0), wave(60, 0.3, 0.9, 1.0));
    let dy = wave(60, 0.8, 0.4, 1.0);
    for (name, activation) in [("silu", Activation::Silu), ("gelu", Activation::GeluTanh)] {
        let (mut dgate, mut dup) = (vec![f32::NAN; 60], vec![f32::NAN; 60]);
        gate_backward(activation, &gate, &up, &dy, &mut dgate, &mut dup);
        assert_golden(&format!("{name}.dgate"), &dgate);
        assert_golden(&format!("{name}.dup"), &dup);
    }
}

#[test]
fn losses() {
    let mut logits = wave(5 * 300, 0.11, 0.6, 6.0);
    let (targets, weights) = ([0, 299, 17, 128, 3], [1.0, 0.5, 2.0, 0.0, 1.5]);
    let (mut losses, mut predicted) = ([f32::NAN; 5], [u32::MAX; 5]);
    losses_only(&logits, 300, &targets, &mut losses, &mut predicted);
    assert_golden("loss.losses", &losses);
    losses.fill(f32::NAN);
    cross_entropy(&mut logits, 300, &targets, &weights, 0.125, &mut losses, &mut predicted);
    assert_golden("loss.losses", &losses);
    assert_golden("loss.gradient", &logits);
}

#[test]
fn low_rank() {
    let (m, k, n, rank, scaling) = (37, 40, 24, 6, 2.0);
    let x = wave(m * k, 0.19, 0.3, 1.0);
    let (a, b) = (wave(rank * k, 0.43, 0.8, 1.0), wave(n * rank, 0.67, 0.2, 1.0));
    let dy = wave(m * n, 0.29, 0.1, 1.0);
    let (mut low, mut y) = (vec![f32::NAN; m * rank], vec![0.0; m * n]);
    low_rank_add(&x, m, &a, &b, rank, scaling, None, &mut low, &mut y);
    assert_golden("low_rank.y", &y);
    let (mut dx, mut da) = (vec![0.0; m * k], vec![f32::NAN; rank * k]);
    let mut db = vec![f32::NAN; n * rank];
    low_rank_backward(&x, &low, &dy, m, &a, &b, rank, scaling, None, &mut dx, &mut da, &mut db);
    assert_golden("low_rank.dx", &dx);
    assert_golden("low_rank.da", &da);
    assert_golden("low_rank.db", &db);
}
