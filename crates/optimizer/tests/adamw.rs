//! Properties of the optimizer: resume, groups, threads, faults.

mod numbers;

use std::borrow::Cow;

use numbers::{gradient, numbers};
use optimizer::{
    AdamW, AdamWConfig, Buffer, Group, NamedBuffer, OptimizerState, SIGNED_MAP, StateDtype,
    UNSIGNED_MAP, clip_to_norm, global_norm,
};
use proptest::prelude::*;

const BOTH: [StateDtype; 2] = [StateDtype::F32, StateDtype::Blockwise8];

fn group(len: usize, weight_decay: bool) -> Group {
    Group { len, weight_decay }
}

/// Short and long groups, with a last block that is not full, and more than one thread's share.
fn groups() -> Vec<Group> {
    vec![group(100, true), group(4096 + 37, false), group(0, true), group(140_000, true)]
}

fn steps(adamw: &mut AdamW, parameters: &mut [f32], steps: std::ops::Range<u64>) {
    for step in steps {
        adamw.step(parameters, &gradient(step, parameters.len()), 1e-3).expect("valid");
    }
}

fn owned(state: OptimizerState<'_>) -> OptimizerState<'static> {
    let own = |buffer: NamedBuffer<'_>| NamedBuffer {
        name: Cow::Owned(buffer.name.into_owned()),
        values: match buffer.values {
            Buffer::F32(values) => Buffer::F32(Cow::Owned(values.into_owned())),
            Buffer::U8(values) => Buffer::U8(Cow::Owned(values.into_owned())),
        },
    };
    OptimizerState { step: state.step, buffers: state.buffers.into_iter().map(own).collect() }
}

#[test]
fn resume_is_bit_identical() {
    for dtype in BOTH {
        let mut whole = AdamW::new(AdamWConfig::default(), groups(), dtype).unwrap();
        let mut parameters = numbers(1, whole.parameters(), 0.5);
        steps(&mut whole, &mut parameters, 0..3);
        let (saved, mut resumed_parameters) = (owned(whole.state()), parameters.clone());
        steps(&mut whole, &mut parameters, 3..6);

        let mut resumed =
            AdamW::from_state(AdamWConfig::default(), groups(), dtype, saved).unwrap();
        assert_eq!(resumed.steps(), 3);
        steps(&mut resumed, &mut resumed_parameters, 3..6);
        assert_eq!(resumed, whole, "{dtype:?}");
        assert_eq!(resumed_parameters, parameters, "{dtype:?}");
    }
}

#[test]
fn groups_are_independent() {
    for dtype in BOTH {
        let mut joined = AdamW::new(AdamWConfig::default(), groups(), dtype).unwrap();
        let start = numbers(1, joined.parameters(), 0.5);
        let gradient = gradient(0, start.len());
        let mut together = start.clone();
        for _ in 0..2 {
            joined.step(&mut together, &gradient, 1e-3).unwrap();
        }
        let mut apart = start;
        let mut first = 0;
        for group in groups() {
            let range = first..first + group.len;
            first = range.end;
            let mut single = AdamW::new(AdamWConfig::default(), vec![group], dtype).unwrap();
            for _ in 0..2 {
                single.step(&mut apart[range.clone()], &gradient[range.clone()], 1e-3).unwrap();
            }
        }
        assert_eq!(apart, together, "{dtype:?}");
    }
}

#[test]
fn threads_change_nothing() {
    for dtype in BOTH {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut adamw = AdamW::new(AdamWConfig::default(), groups(), dtype).unwrap();
                let mut parameters = numbers(1, adamw.parameters(), 0.5);
                steps(&mut adamw, &mut parameters, 0..2);
                let norm = global_norm(&parameters);
                clip_to_norm(&mut parameters, norm, 0.5);
                (adamw, parameters, norm.to_bits())
            })
        };
        assert_eq!(run(1), run(7), "{dtype:?}");
    }
}

#[test]
fn bytes_of_state() {
    let bytes = |dtype| AdamW::new(AdamWConfig::default(), groups(), dtype).unwrap().state_bytes();
    assert_eq!(bytes(StateDtype::F32), 8 * (100 + 4133 + 140_000));
    // 17 and 547 blocks.
    assert_eq!(bytes(StateDtype::Blockwise8), 2 * (4 * 100 + 4133 + 140_000 + 4 * (17 + 547)));
}

#[test]
fn zero_gradient_moves_by_weight_decay_alone() {
    for dtype in BOTH {
        let groups = vec![group(5000, true), group(5000, false)];
        let mut adamw = AdamW::new(AdamWConfig::default(), groups, dtype).unwrap();
        let mut parameters = vec![1.0; 10_000];
        adamw.step(&mut parameters, &[0.0; 10_000], 0.1).unwrap();
        assert!(parameters[..5000].iter().all(|&p| p == 0.999));
        assert!(parameters[5000..].iter().all(|&p| p == 1.0));
    }
}

#[test]
fn nan_is_not_lost() {
    for dtype in BOTH {
        let mut adamw = AdamW::new(AdamWConfig::default(), vec![group(5000, true)], dtype).unwrap();
        let mut parameters = vec![1.0; 5000];
        let mut gradient = vec![0.1; 5000];
        gradient[700] = f32::NAN;
        adamw.step(&mut parameters, &gradient, 0.1).unwrap();
        assert!(parameters[700].is_nan());
        gradient[700] = 0.1;
        parameters[700] = 1.0;
        adamw.step(&mut parameters, &gradient, 0.1).unwrap();
        assert!(parameters[700].is_nan());
        assert!(!parameters[4999].is_nan());
    }
}

#[test]
fn faults() {
    let new = |config| AdamW::new(config, vec![group(3, true)], StateDtype::F32);
    let good = AdamWConfig::default();
    for (config, want) in [
        (
            AdamWConfig { beta1: 1.0, ..good },
            "`beta1` is 1, but must be at least 0 and less than 1",
        ),
        (
            AdamWConfig { beta2: -0.1, ..good },
            "`beta2` is -0.1, but must be at least 0 and less than 1",
        ),
        (
            AdamWConfig { eps: f64::NAN, ..good },
            "`eps` is NaN, but must be a finite number, at least 0",
        ),
        (
            AdamWConfig { weight_decay: f64::INFINITY, ..good },
            "`weight_decay` is inf, but must be a finite number, at least 0",
        ),
    ] {
        assert_eq!(new(config).unwrap_err().to_string(), want);
    }

    let mut adamw = new(good).unwrap();
    let before = adamw.clone();
    let mut step = |parameters: &mut [f32], gradient: &[f32], rate| {
        adamw.step(parameters, gradient, rate).unwrap_err().to_string()
    };
    assert_eq!(
        step(&mut [0.0; 2], &[0.0; 3], 0.1),
        "`parameters` has 2 values, but the optimizer expects 3"
    );
    assert_eq!(
        step(&mut [0.0; 3], &[0.0; 4], 0.1),
        "`gradient` has 4 values, but the optimizer expects 3"
    );
    assert_eq!(
        step(&mut [0.0; 3], &[0.0; 3], f64::NAN),
        "`learning_rate` is NaN, but must be a finite number, at least 0"
    );
    assert_eq!(adamw, before);
}

#[test]
fn faults_of_states() {
    let resume = |dtype, buffers: &[(&'static str, Buffer<'static>)]| {
        let buffers = buffers
            .iter()
            .map(|(name, values)| NamedBuffer { name: (*name).into(), values: values.clone() })
            .collect();
        let state = OptimizerState { step: 1, buffers };
        let groups = vec![group(3, true), group(5000, true)];
        AdamW::from_state(AdamWConfig::default(), groups, dtype, state).unwrap_err().to_string()
    };
    let floats = |len: usize| Buffer::F32(vec![0.0; len].into());
    let codes = |len: usize| Buffer::U8(vec![0; len].into());
    let f32_state = StateDtype::F32;
    for (dtype, buffers, want) in [
        (
            f32_state,
            vec![],
            "the optimizer state has no buffer `m`: it was saved with another state dtype",
        ),
        (
            f32_state,
            vec![("m", floats(5003)), ("v", floats(3))],
            "`v` has 3 values, but the optimizer expects 5003",
        ),
        (
            f32_state,
            vec![("m", floats(5003)), ("v", codes(5003))],
            "buffer `v` of the optimizer state is u8, but must be f32",
        ),
        (
            f32_state,
            vec![("m", floats(5003)), ("v", floats(5003)), ("m", floats(5003))],
            "the optimizer state has a buffer `m` too many",
        ),
        (
            StateDtype::Blockwise8,
            vec![("m", floats(3)), ("v", floats(3)), ("m_codes", floats(5000))],
            "buffer `m_codes` of the optimizer state is f32, but must be u8",
        ),
        (
            StateDtype::Blockwise8,
            vec![("m", floats(3)), ("v", floats(3))],
            "the optimizer state has no buffer `m_codes`: it was saved with another state dtype",
        ),
        (
            StateDtype::Blockwise8,
            vec![
                ("m", floats(3)),
                ("v", floats(3)),
                ("m_codes", codes(5000)),
                ("m_absmax", floats(19)),
            ],
            "`m_absmax` has 19 values, but the optimizer expects 20",
        ),
    ] {
        assert_eq!(resume(dtype, &buffers), want);
    }
}

#[test]
fn norms() {
    assert_eq!(global_norm(&[]), 0.0);
    assert_eq!(global_norm(&[3.0, -4.0]), 5.0);
    assert_eq!(global_norm(&[f32::MAX; 4]), 2.0 * f64::from(f32::MAX));
    assert!(global_norm(&[1.0, f32::NAN]).is_nan());
    assert_eq!(global_norm(&[1.0, f32::NEG_INFINITY]), f64::INFINITY);

    let clipped = |max_norm| {
        let mut gradient = [3.0, -4.0];
        clip_to_norm(&mut gradient, 5.0, max_norm);
        gradient
    };
    // torch 2.13.0, clip_grad_norm_, whose factor is an f32.
    for (max_norm, want) in [
        (1.0, [0.599_999_9, -0.799_999_83]),
        (5.0, [2.999_999_3, -3.999_999]),
        (6.0, [3.0_f32, -4.0]),
    ] {
        for (got, want) in clipped(max_norm).into_iter().zip(want) {
            assert!((got / want - 1.0).abs() <= f32::EPSILON, "{got}, not {want}");
        }
    }
    assert_eq!(clipped(6.0), [3.0, -4.0]);
    let mut gradient = [1.0, f32::NAN];
    clip_to_norm(&mut gradient, f64::NAN, 1.0);
    assert!(gradient[0].is_nan());
}

fn nearest(values: &[f32; 256], x: f32) -> f64 {
    let distance = |value: f32| (f64::from(value) - f64::from(x)).abs();
    values.iter().map(|&value| distance(value)).fold(f64::INFINITY, f64::min)
}

fn check_code(x: f32) {
    for map in [&SIGNED_MAP, &UNSIGNED_MAP] {
        let code = map.encode(x);
        let distance = (f64::from(map.decode(code)) - f64::from(x)).abs();
        assert_eq!(distance, nearest(map.values(), x), "{x} has code {code}");
    }
}

#[test]
fn codes_at_borders_and_powers_of_two() {
    for map in [&SIGNED_MAP, &UNSIGNED_MAP] {
        for (code, &value) in map.values().iter().enumerate() {
            assert_eq!(usize::from(map.encode(value)), code);
        }
        for pair in map.values().windows(2) {
            let border = ((f64::from(pair[0]) + f64::from(pair[1])) / 2.0) as f32;
            for x in [border.next_down(), border, border.next_up()] {
                check_code(x);
            }
        }
    }
    for exponent in -150..1 {
        let power = 2.0_f64.powi(exponent) as f32;
        for x in [power.next_down(), power, -power, -power.next_down()] {
            check_code(x);
        }
    }
    assert_eq!(SIGNED_MAP.encode(f32::INFINITY), 255);
    assert_eq!(SIGNED_MAP.encode(-2.0), 0);
}

proptest! {
    #[test]
    fn codes_are_the_nearest(x in -1.0_f32..=1.0, decades in 0..8_i32) {
        check_code(x * 10.0_f32.powi(-decades));
    }

    #[test]
    fn norm_is_that_of_a_plain_sum(values in prop::collection::vec(-1e3_f32..1e3, 0..200)) {
        let plain = values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        prop_assert!((global_norm(&values) - plain).abs() <= 1e-12 * plain);
    }
}
