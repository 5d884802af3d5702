use proptest::prelude::*;

use super::scenario::{Scenario, assert_close, shape};
use crate::cpu_features::Isa;
use crate::decoder::{AttentionShape, KvDtype};

/// For queries, keys and values of variance 1.
const TOLERANCE: f64 = 1e-5;

const DTYPES: [KvDtype; 3] = [KvDtype::F32, KvDtype::Bf16, KvDtype::Q8];

/// Every instruction set against the definition, with the cache and, for whole sequences, without.
#[track_caller]
fn check(scenario: &Scenario) {
    let (out, lse) = scenario.expected();
    let whole = scenario.dtype == KvDtype::F32 && scenario.lengths.iter().all(|of| of.0 == 0);
    for isa in Isa::available() {
        let what = format!("{isa:?}, {scenario:?}");
        assert_close(&what, &scenario.cached(isa), &out, TOLERANCE);
        if whole {
            let (got, got_lse) = scenario.uncached(isa);
            assert_close(&what, &got, &out, TOLERANCE);
            assert_close(&what, &got_lse, &lse, TOLERANCE);
        }
    }
}

fn check_dtypes(shape: AttentionShape, lengths: &[(usize, usize)]) {
    for dtype in DTYPES {
        check(&Scenario { shape, dtype, lengths: lengths.to_vec() });
    }
}

#[test]
fn one_token() {
    check_dtypes(shape(9, 3, 64), &[(0, 1)]);
    check_dtypes(shape(9, 3, 64), &[(1, 1)]);
    check_dtypes(shape(9, 3, 64), &[(600, 1)]);
}

#[test]
fn tiles_and_blocks_have_edges() {
    for position in [14, 15, 16, 62, 63, 64, 65, 127, 128] {
        check_dtypes(shape(2, 1, 16), &[(position, 1)]);
        check_dtypes(shape(2, 1, 16), &[(position, 3)]);
    }
    for len in [2, 15, 16, 17, 47, 48, 49, 63, 64, 65, 130] {
        check_dtypes(shape(3, 1, 16), &[(0, len)]);
    }
}

#[test]
fn any_head() {
    for head_dim in [1, 5, 16, 20, 32, 50, 64, 80, 96, 128, 256] {
        check_dtypes(shape(2, 1, head_dim), &[(70, 1), (0, 20)]);
    }
    for (heads, kv_heads) in [(1, 1), (4, 4), (6, 2), (14, 2), (8, 1), (10, 2), (25, 5), (60, 1)] {
        check_dtypes(shape(heads, kv_heads, 16), &[(70, 1), (0, 20), (33, 9)]);
    }
}

#[test]
fn windows() {
    for window in [1, 2, 15, 16, 17, 64, 65, 100, 1000] {
        let shape = AttentionShape { window: Some(window), ..shape(4, 2, 16) };
        check_dtypes(shape, &[(0, 150), (200, 1), (130, 40), (63, 2), (64, 1)]);
    }
}

#[test]
fn caps_and_scales() {
    for softcap in [0.5, 2.0, 50.0] {
        let shape = AttentionShape { softcap: Some(softcap), scale: 0.7, ..shape(4, 2, 32) };
        check_dtypes(shape, &[(0, 70), (200, 1), (130, 10)]);
        let shape = AttentionShape { window: Some(20), ..shape };
        check_dtypes(shape, &[(0, 70), (200, 1), (130, 10)]);
    }
}

#[test]
fn a_batch_of_everything() {
    check_dtypes(
        shape(9, 3, 64),
        &[(0, 100), (599, 1), (0, 1), (77, 30), (300, 1), (0, 0), (5, 2)],
    );
}

#[test]
fn large_scores_neither_overflow_nor_vanish() {
    // The weights are almost one key's alone.
    let shape = AttentionShape { scale: 40.0, ..shape(2, 1, 8) };
    for isa in Isa::available() {
        let scenario = Scenario { shape, dtype: KvDtype::F32, lengths: vec![(90, 1), (0, 70)] };
        // Scores are in the hundreds, and their rounding is in the exponent.
        assert_close("large", &scenario.cached(isa), &scenario.expected().0, 2e-4);
    }
}

#[test]
fn a_window_of_nothing_sees_nothing() {
    let shape = AttentionShape { window: Some(0), ..shape(2, 1, 16) };
    let scenario = Scenario { shape, dtype: KvDtype::F32, lengths: vec![(0, 20)] };
    for isa in Isa::available() {
        assert!(scenario.cached(isa).iter().all(|&out| out == 0.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_batch(
        lengths in prop::collection::vec((0usize..140, prop_oneof![Just(1usize), 0usize..90]), 1..5),
        (kv_heads, group) in (1usize..4, 1usize..6),
        head_dim in prop_oneof![Just(16usize), Just(64), 1usize..100],
        window in prop::option::of(1usize..150),
        softcap in prop::option::of(1.0f32..40.0),
        dtype in prop::sample::select(DTYPES.to_vec()),
    ) {
        let shape = AttentionShape { window, softcap, ..shape(kv_heads * group, kv_heads, head_dim) };
        check(&Scenario { shape, dtype, lengths });
    }
}
