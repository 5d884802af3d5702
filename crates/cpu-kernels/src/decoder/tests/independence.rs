use super::scenario::{Scenario, shape};
use crate::cpu_features::Isa;
use crate::decoder::attention::cached;
use crate::decoder::{AttentionShape, KvDtype, Span};
use crate::set_threads;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn scenarios() -> impl Iterator<Item = Scenario> {
    let shapes = [
        shape(9, 3, 64),
        shape(14, 2, 32),
        AttentionShape { window: Some(50), softcap: Some(3.0), ..shape(4, 4, 20) },
    ];
    shapes.into_iter().flat_map(|shape| {
        [KvDtype::F32, KvDtype::Bf16, KvDtype::Q8].map(|dtype| {
            let lengths = vec![(0, 130), (599, 1), (77, 30), (0, 1), (300, 2)];
            Scenario { shape, dtype, lengths }
        })
    })
}

#[test]
fn a_row_does_not_depend_on_the_batch() {
    for scenario in scenarios() {
        let (q, cache) = (scenario.queries(), scenario.cache());
        for isa in Isa::available() {
            let whole = scenario.cached(isa);
            let mut alone = vec![f32::NAN; whole.len()];
            for span in scenario.spans() {
                cached(isa, &q, &cache, &[span], &scenario.shape, &mut alone);
            }
            assert_eq!(bits(&whole), bits(&alone), "{isa:?}, {scenario:?}");
        }
    }
}

#[test]
fn a_row_does_not_depend_on_how_a_sequence_is_cut() {
    for scenario in scenarios() {
        let (q, cache) = (scenario.queries(), scenario.cache());
        let cut = |len: usize| -> Vec<Span> {
            let spans = scenario.spans();
            let pieces = spans.iter().flat_map(|span| {
                (0..span.len).step_by(len).map(|at| Span {
                    start: span.start + at,
                    len: len.min(span.len - at),
                    position: span.position + at,
                    ..*span
                })
            });
            pieces.collect()
        };
        for isa in Isa::available() {
            let whole = scenario.cached(isa);
            for len in [1, 7, 64] {
                let mut pieces = vec![f32::NAN; whole.len()];
                cached(isa, &q, &cache, &cut(len), &scenario.shape, &mut pieces);
                assert_eq!(bits(&whole), bits(&pieces), "{isa:?}, {len}, {scenario:?}");
            }
        }
    }
}

#[test]
fn with_and_without_a_cache() {
    for scenario in scenarios().filter(|scenario| scenario.dtype == KvDtype::F32) {
        let scenario = Scenario { lengths: vec![(0, 130), (0, 1), (0, 64), (0, 17)], ..scenario };
        for isa in Isa::available() {
            assert_eq!(bits(&scenario.cached(isa)), bits(&scenario.uncached(isa).0));
        }
    }
}

#[test]
fn threads_change_nothing() {
    for scenario in scenarios() {
        // Long enough for threads.
        let scenario = Scenario { lengths: vec![(0, 400), (2000, 1), (100, 100)], ..scenario };
        set_threads(1);
        let alone = bits(&scenario.cached(Isa::detected()));
        for threads in [2, 3] {
            set_threads(threads);
            assert_eq!(alone, bits(&scenario.cached(Isa::detected())), "{threads}, {scenario:?}");
        }
    }
}

#[test]
fn avx2_and_avx512_agree_to_the_bit() {
    if Isa::detected() < Isa::Avx512 {
        return;
    }
    for scenario in scenarios() {
        assert_eq!(bits(&scenario.cached(Isa::Avx2)), bits(&scenario.cached(Isa::Avx512)));
    }
}
