//! The decoder's kernels from outside, against torch 2.13.0 in f64 (`scaled_dot_product_attention` with a mask and grouped
//! heads, `rms_norm`, `silu`, `gelu` with `tanh`) and the rotation of transformers 5.23.0 (`apply_rotary_pos_emb`).
//!
//! Inputs are sines, so that no file has to carry them.

use cpu_kernels::decoder::{
    Activation, AttentionShape, KvDtype, KvLayer, Rotary, Span, attention, attention_with_lse,
    cached_attention, gate, rms_norm, rope,
};

const TOKENS: usize = 70;
const SHAPE: AttentionShape =
    AttentionShape { heads: 4, kv_heads: 2, head_dim: 24, scale: 0.5, window: None, softcap: None };

/// `sin(step · i + start)` for each `i`.
fn wave(len: usize, step: f64, start: f64) -> Vec<f32> {
    (0..len).map(|i| (step * i as f64 + start).sin() as f32).collect()
}

#[track_caller]
fn assert_close(got: impl IntoIterator<Item = f32>, expected: &[f64]) {
    let got: Vec<f32> = got.into_iter().collect();
    let close = |got: f32, expected: f64| (f64::from(got) - expected).abs() < 1e-6;
    let all = got.len() == expected.len() && got.iter().zip(expected).all(|(g, e)| close(*g, *e));
    assert!(all, "{got:?}, expected {expected:?}");
}

/// Dimensions 0, 23, 24, 50 and 95 of tokens 0, 19, 33 and 69.
#[track_caller]
fn check_attention(shape: &AttentionShape, expected: [[f64; 5]; 4]) {
    let width = shape.heads * shape.head_dim;
    let q = wave(TOKENS * width, 0.37, 0.1);
    let k = wave(TOKENS * width / 2, 0.23, 0.7);
    let v = wave(TOKENS * width / 2, 0.71, 0.3);
    let check = |out: &[f32]| {
        let of_token = |t: usize| [0, 23, 24, 50, 95].map(|c| out[t * width + c]);
        assert_close([0, 19, 33, 69].into_iter().flat_map(of_token), expected.as_flattened());
    };
    let whole = Span { start: 0, len: TOKENS, position: 0, slot: 1 };

    let mut out = vec![f32::NAN; q.len()];
    attention(&q, &k, &v, &[whole], shape, &mut out);
    check(&out);

    let mut lse = vec![f32::NAN; TOKENS * shape.heads];
    out.fill(f32::NAN);
    attention_with_lse(&q, &k, &v, &[whole], shape, &mut out, &mut lse);
    check(&out);
    // The first token sees itself alone.
    let score: f32 = q[..24].iter().zip(&k[..24]).map(|(q, k)| q * k).sum::<f32>() * shape.scale;
    assert!((lse[0] - score).abs() < 1e-6);

    // A prompt in two pieces, then token by token.
    let mut cache = KvLayer::new(2, TOKENS, shape.kv_heads, shape.head_dim, KvDtype::F32);
    out.fill(f32::NAN);
    let mut start = 0;
    for len in [33, 20].into_iter().chain([1; TOKENS - 53]) {
        let spans = [Span { start, len, position: start, slot: 1 }];
        cache.append(&k, &v, &spans);
        cached_attention(&q, &cache, &spans, shape, &mut out);
        start += len;
    }
    check(&out);
}

#[test]
fn attention_is_that_of_torch() {
    let first = [0.29552022, -0.79683387, 0.29552022, -0.08943626, 0.77550793];
    let second = [-0.14333733, 0.10868484, 0.01144269, -0.10737163, -0.0445056];
    check_attention(
        &SHAPE,
        [
            first,
            second,
            [-0.00970954, 0.00827315, -0.00697841, -0.01112833, 0.06631052],
            [0.06400253, -0.03492602, -0.00327511, 0.05487086, 0.01484802],
        ],
    );
    check_attention(
        &AttentionShape { window: Some(20), ..SHAPE },
        [
            first,
            second,
            [-0.11625283, 0.00883831, -0.15200077, -0.14268896, 0.08617582],
            [0.11220919, -0.02526956, -0.06095088, 0.14106946, -0.02978503],
        ],
    );
}

#[test]
fn norms_are_those_of_torch() {
    let (x, weight) = (wave(150, 0.9, 0.2), wave(50, 0.4, 1.0));
    let mut out = vec![f32::NAN; 150];
    rms_norm(&x, &weight, 1e-5, &mut out);
    let expected = [0.2386817, 0.43882719, -1.01342529, 0.69972441];
    assert_close([0, 49, 67, 133].map(|i| out[i]), &expected);
}

#[test]
fn gates_are_those_of_torch() {
    let x: Vec<f32> = wave(60, 0.5, 0.1).iter().map(|x| 4.0 * x).collect();
    let up = wave(60, 0.3, 0.9);
    for (of, expected) in [
        (Activation::Silu, [0.18722469, -0.03635305, -0.18283863, 0.01938251]),
        (Activation::GeluTanh, [0.20493906, -0.00959361, -0.20112868, 3.031e-05]),
    ] {
        let mut out = vec![f32::NAN; 60];
        gate(of, &x, &up, &mut out);
        assert_close([0, 7, 31, 59].map(|i| out[i]), &expected);
    }
}

#[test]
fn rotations_are_those_of_transformers() {
    let mut x = wave(5 * 48, 0.9, 0.2);
    let angle = |i: usize| (i / 12) as f64 / 100f64.powf((i % 12) as f64 / 12.0);
    let cos: Vec<f32> = (0..60).map(|i| angle(i).cos() as f32).collect();
    let sin: Vec<f32> = (0..60).map(|i| angle(i).sin() as f32).collect();
    rope(&mut x, 2, 24, Rotary { cos: &cos, sin: &sin, pairs: 12 });
    let got = [(0, 5), (1, 0), (2, 13), (4, 47), (3, 30)].map(|(t, c)| x[t * 48 + c]);
    assert_close(got, &[-0.99992323, 0.30233542, -0.60166171, 0.97605625, -0.00089937]);
}
