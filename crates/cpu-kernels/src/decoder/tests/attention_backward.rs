use proptest::prelude::*;

use super::scenario::{assert_close, shape};
use crate::cpu_features::Isa;
use crate::decoder::attention::backward::{Results, backward};
use crate::decoder::attention::uncached;
use crate::decoder::{AttentionShape, Span};
use crate::finite_differences::Derivatives;
use crate::normal::normal;
use crate::set_threads;

/// Relative to the largest gradient.
const TOLERANCE: f64 = 2e-5;

/// Random operands of sequences of some lengths, and results of the forward pass.
struct Case {
    shape: AttentionShape,
    spans: Vec<Span>,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    dout: Vec<f32>,
}

impl Case {
    fn new(shape: AttentionShape, lengths: &[usize]) -> Self {
        let mut tokens = 0;
        let spans = lengths
            .iter()
            .map(|&len| {
                tokens += len;
                Span { start: tokens - len, len, position: 0, slot: 0 }
            })
            .collect();
        let (width, kv_width) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
        Self {
            shape,
            spans,
            q: normal(1, tokens * width),
            k: normal(2, tokens * kv_width),
            v: normal(3, tokens * kv_width),
            dout: normal(4, tokens * width),
        }
    }

    fn gradients(&self, isa: Isa) -> [Vec<f32>; 3] {
        self.gradients_of(isa, &self.spans)
    }

    /// Gradients where the batch has only some of the spans; NaN for other tokens.
    fn gradients_of(&self, isa: Isa, spans: &[Span]) -> [Vec<f32>; 3] {
        let Self { shape, q, k, v, dout, .. } = self;
        let mut out = vec![f32::NAN; q.len()];
        let mut lse = vec![f32::NAN; q.len() / shape.head_dim];
        uncached(isa, q, k, v, spans, shape, &mut out, Some(&mut lse));
        let results = Results { q, k, v, out: &out, lse: &lse, dout };
        let [mut dq, mut dk, mut dv] = [q, k, v].map(|x| vec![f32::NAN; x.len()]);
        backward(isa, results, spans, shape, &mut dq, &mut dk, &mut dv);
        [dq, dk, dv]
    }

    /// `Σ dout · attention(q, k, v)` by the definition.
    fn value(&self, q: &[f64], k: &[f64], v: &[f64]) -> f64 {
        let AttentionShape { heads, kv_heads, head_dim, scale, window, softcap } = self.shape;
        let mut value = 0.0;
        for span in &self.spans {
            for (token, head) in (0..span.len).flat_map(|t| (0..heads).map(move |h| (t, h))) {
                let row = ((span.start + token) * heads + head) * head_dim;
                let (q, dout) = (&q[row..][..head_dim], &self.dout[row..][..head_dim]);
                let kv_head = head * kv_heads / heads;
                let first = window.map_or(0, |window| (token + 1).saturating_sub(window));
                let (mut sum, mut weighted) = (0.0, 0.0);
                for key in first..=token {
                    let at = ((span.start + key) * kv_heads + kv_head) * head_dim;
                    let (k, v) = (&k[at..][..head_dim], &v[at..][..head_dim]);
                    let dot: f64 = q.iter().zip(k).map(|(q, k)| q * k).sum();
                    let score = f64::from(scale) * dot;
                    let score = softcap
                        .map_or(score, |cap| f64::from(cap) * (score / f64::from(cap)).tanh());
                    let weight = score.exp();
                    sum += weight;
                    weighted +=
                        weight * v.iter().zip(dout).map(|(v, d)| v * f64::from(*d)).sum::<f64>();
                }
                if sum > 0.0 {
                    value += weighted / sum;
                }
            }
        }
        value
    }
}

/// Some gradients of each kind, for every instruction set.
#[track_caller]
fn check(shape: AttentionShape, lengths: &[usize]) {
    let case = Case::new(shape, lengths);
    let [q, k, v] =
        [&case.q, &case.k, &case.v].map(|x| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>());
    let of = |value: &dyn Fn(&[f64]) -> f64, x: &[f32]| {
        Derivatives::new(value, x, (x.len() / 40).max(1) | 1)
    };
    let by_q = of(&|x| case.value(x, &k, &v), &case.q);
    let by_k = of(&|x| case.value(&q, x, &v), &case.k);
    let by_v = of(&|x| case.value(&q, &k, x), &case.v);
    for isa in Isa::available() {
        let what = format!("{isa:?}, {lengths:?}, {shape:?}");
        let all = case.gradients(isa);
        assert!(all.iter().flatten().all(|x| x.is_finite()), "{what}");
        by_q.check(&format!("dq, {what}"), &all[0], TOLERANCE);
        by_k.check(&format!("dk, {what}"), &all[1], TOLERANCE);
        by_v.check(&format!("dv, {what}"), &all[2], TOLERANCE);
    }
}

#[test]
fn any_length() {
    for len in [1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 96, 97, 130] {
        check(shape(3, 1, 16), &[len]);
    }
}

#[test]
fn any_head() {
    for head_dim in [1, 5, 16, 20, 64, 80, 128] {
        check(shape(2, 1, head_dim), &[20]);
    }
    for (heads, kv_heads) in [(1, 1), (4, 4), (6, 2), (14, 2), (25, 5), (97, 1)] {
        check(shape(heads, kv_heads, 8), &[17, 5]);
    }
}

#[test]
fn windows_and_caps() {
    for window in [1, 2, 16, 17, 64, 100] {
        check(AttentionShape { window: Some(window), ..shape(2, 1, 8) }, &[90, 20]);
    }
    for softcap in [0.5, 3.0] {
        let shape = AttentionShape { softcap: Some(softcap), scale: 0.7, ..shape(4, 2, 16) };
        check(shape, &[40, 3]);
        check(AttentionShape { window: Some(20), ..shape }, &[70]);
    }
}

#[test]
fn several_sequences() {
    check(shape(9, 3, 8), &[40, 1, 0, 17, 64]);
}

#[test]
fn a_window_of_nothing_has_no_gradient() {
    let case = Case::new(AttentionShape { window: Some(0), ..shape(2, 1, 16) }, &[20]);
    for isa in Isa::available() {
        assert!(case.gradients(isa).iter().flatten().all(|&x| x == 0.0));
    }
}

#[test]
fn nothing_has_no_gradient() {
    for shape in [shape(2, 1, 16), shape(0, 1, 16)] {
        let [dq, dk, dv] = Case::new(shape, &[0, 0]).gradients(Isa::detected());
        assert!(dq.is_empty() && dk.is_empty() && dv.is_empty());
    }
}

/// All gradients in f64, by the formulas of a softmax's derivative over whole rows.
fn expected(case: &Case) -> [Vec<f64>; 3] {
    let AttentionShape { heads, kv_heads, head_dim, scale, window, .. } = case.shape;
    let [q, k, v, dout] = [&case.q, &case.k, &case.v, &case.dout]
        .map(|x| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>());
    let [mut dq, mut dk, mut dv] = [&q, &k, &v].map(|x| vec![0.0; x.len()]);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let add = |to: &mut [f64], factor: f64, x: &[f64]| {
        to.iter_mut().zip(x).for_each(|(to, x)| *to += factor * x);
    };
    let rows = case.spans.iter().flat_map(|span| {
        (0..span.len).flat_map(move |token| (0..heads).map(move |head| (span.start, token, head)))
    });
    for (start, token, head) in rows {
        let row = ((start + token) * heads + head) * head_dim;
        let row = row..row + head_dim;
        let of_key = |key: usize| {
            let at = ((start + key) * kv_heads + head * kv_heads / heads) * head_dim;
            at..at + head_dim
        };
        let first = window.map_or(0, |window| (token + 1).saturating_sub(window));
        let weight = |key: usize| (f64::from(scale) * dot(&q[row.clone()], &k[of_key(key)])).exp();
        let mut weights: Vec<f64> = (first..=token).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let by_weight: Vec<f64> =
            (first..=token).map(|key| dot(&dout[row.clone()], &v[of_key(key)])).collect();
        let mean = dot(&weights, &by_weight);
        for (i, key) in (first..=token).enumerate() {
            let by_score = f64::from(scale) * weights[i] * (by_weight[i] - mean);
            add(&mut dq[row.clone()], by_score, &k[of_key(key)]);
            add(&mut dk[of_key(key)], by_score, &q[row.clone()]);
            add(&mut dv[of_key(key)], weights[i], &dout[row.clone()]);
        }
    }
    [dq, dk, dv]
}

#[test]
fn every_gradient_of_long_sequences() {
    for (shape, lengths) in [
        (shape(9, 3, 64), &[300, 70][..]),
        (AttentionShape { window: Some(130), ..shape(2, 1, 20) }, &[700]),
    ] {
        let case = Case::new(shape, lengths);
        let expected = expected(&case);
        for isa in Isa::available() {
            for (got, expected) in case.gradients(isa).iter().zip(&expected) {
                assert_close(&format!("{isa:?}, {shape:?}"), got, expected, TOLERANCE);
            }
        }
    }
}

fn bits(gradients: [Vec<f32>; 3]) -> [Vec<u32>; 3] {
    gradients.map(|values| values.iter().map(|value| value.to_bits()).collect())
}

#[test]
fn a_span_does_not_depend_on_the_batch() {
    let case = Case::new(AttentionShape { window: Some(150), ..shape(9, 3, 16) }, &[300, 7, 70]);
    let whole = bits(case.gradients(Isa::detected()));
    for span in &case.spans {
        let alone = bits(case.gradients_of(Isa::detected(), &[*span]));
        for (whole, alone) in whole.iter().zip(&alone) {
            let width = whole.len() / 377;
            let of_span = span.start * width..(span.start + span.len) * width;
            assert_eq!(whole[of_span.clone()], alone[of_span]);
            assert_eq!(
                alone.iter().filter(|x| !f32::from_bits(**x).is_nan()).count(),
                span.len * width
            );
        }
    }
}

#[test]
fn threads_change_nothing() {
    for (shape, lengths) in [(shape(9, 3, 64), &[400, 30][..]), (shape(2, 2, 32), &[700])] {
        let case = Case::new(shape, lengths);
        set_threads(1);
        let alone = bits(case.gradients(Isa::detected()));
        for threads in [2, 3] {
            set_threads(threads);
            assert!(alone == bits(case.gradients(Isa::detected())), "{threads}, {shape:?}");
        }
    }
}

#[test]
fn avx2_and_avx512_agree_to_the_bit() {
    if Isa::detected() < Isa::Avx512 {
        return;
    }
    let case = Case::new(AttentionShape { softcap: Some(5.0), ..shape(6, 2, 20) }, &[100, 33]);
    assert!(bits(case.gradients(Isa::Avx2)) == bits(case.gradients(Isa::Avx512)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]

    #[test]
    fn any_batch(
        lengths in prop::collection::vec(0usize..80, 1..4),
        (kv_heads, group) in (1usize..4, 1usize..4),
        head_dim in prop_oneof![Just(16usize), 1usize..40],
        window in prop::option::of(1usize..90),
        softcap in prop::option::of(1.0f32..40.0),
    ) {
        check(AttentionShape { window, softcap, ..shape(kv_heads * group, kv_heads, head_dim) }, &lengths);
    }
}

#[track_caller]
fn refused(spans: &[Span], dk: usize, lse: usize) {
    let of_three = [0.0; 3 * 8];
    let results = Results {
        q: &of_three,
        k: &of_three[..12],
        v: &of_three[..12],
        out: &of_three,
        lse: &[0.0; 8][..lse],
        dout: &of_three,
    };
    let (mut dq, mut dk, mut dv) = ([0.0; 24], vec![0.0; dk], [0.0; 12]);
    backward(Isa::detected(), results, spans, &shape(2, 1, 4), &mut dq, &mut dk, &mut dv);
}

const WHOLE: Span = Span { start: 0, len: 3, position: 0, slot: 0 };

#[test]
#[should_panic(expected = "spans overlap")]
fn overlapping_spans_are_refused() {
    refused(&[WHOLE, Span { start: 2, len: 1, ..WHOLE }], 12, 6);
}

#[test]
#[should_panic(expected = "spans beyond 3 tokens")]
fn spans_beyond_the_batch_are_refused() {
    refused(&[Span { len: 4, ..WHOLE }], 12, 6);
}

#[test]
#[should_panic(expected = "keys and values")]
fn gradients_of_another_length_are_refused() {
    refused(&[WHOLE], 11, 6);
}

#[test]
#[should_panic(expected = "sums of exponentials")]
fn other_sums_of_exponentials_are_refused() {
    refused(&[WHOLE], 12, 5);
}
