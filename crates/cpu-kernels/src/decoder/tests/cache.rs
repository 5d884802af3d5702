use crate::cpu_features::Isa;
use crate::decoder::attention::cached;
use crate::decoder::{AttentionShape, KvDtype, KvLayer, Span, cached_attention};
use crate::normal::normal;

use super::scenario::shape;

const DTYPES: [KvDtype; 3] = [KvDtype::F32, KvDtype::Bf16, KvDtype::Q8];

fn attended(cache: &KvLayer, shape: &AttentionShape, span: Span) -> Vec<f32> {
    let q = normal(5, shape.heads * shape.head_dim);
    let mut out = vec![f32::NAN; q.len()];
    cached(Isa::detected(), &q, cache, &[span], shape, &mut out);
    out
}

#[test]
fn a_copied_slot_is_the_beginning_of_its_source() {
    let shape = shape(6, 2, 20);
    let width = shape.kv_heads * shape.head_dim;
    for dtype in DTYPES {
        for len in [0, 1, 15, 16, 17, 40] {
            let mut cache = KvLayer::new(3, 50, shape.kv_heads, shape.head_dim, dtype);
            let (first, second) = (normal(1, 50 * width), normal(2, 50 * width));
            for (slot, of) in [(0, &first), (1, &second), (2, &second)] {
                cache.append(of, of, &[Span { start: 0, len: 50, position: 0, slot }]);
            }
            cache.copy_slot(0, 2, len);
            for position in 0..50 {
                // A window of one gives the value back, and the key decides nothing; two tell keys apart.
                for window in [1, 2] {
                    let shape = AttentionShape { window: Some(window), ..shape };
                    let at = |slot: usize| {
                        attended(&cache, &shape, Span { start: 0, len: 1, position, slot })
                    };
                    if position < len {
                        assert_eq!(at(2), at(0), "{dtype:?}, {len}, {position}");
                    } else if position >= len + window - 1 {
                        assert_eq!(at(2), at(1), "{dtype:?}, {len}, {position}");
                    }
                }
            }
        }
    }
}

#[test]
fn bytes_are_counted() {
    for (dtype, of_vector) in [(KvDtype::F32, 256), (KvDtype::Bf16, 128), (KvDtype::Q8, 68)] {
        assert_eq!(KvLayer::bytes(2, 48, 3, 64, dtype), 2 * 2 * 48 * 3 * of_vector);
    }
    // Tokens come in blocks of 16, values of 20 numbers take 32.
    assert_eq!(KvLayer::bytes(1, 17, 1, 20, KvDtype::F32), 32 * (20 + 32) * 4);
    assert_eq!(KvLayer::bytes(0, 17, 1, 20, KvDtype::F32), 0);
    assert_eq!(KvLayer::bytes(usize::MAX, 17, 1, 20, KvDtype::Q8), usize::MAX);
}

#[test]
fn what_does_not_fit_is_told() {
    let cache = KvLayer::new(2, 10, 1, 4, KvDtype::F32);
    let fits = |position, len, slot| cache.fits(&Span { start: 0, len, position, slot });
    assert!(fits(0, 10, 1) && fits(9, 1, 0) && fits(10, 0, 0));
    assert!(!fits(10, 1, 0) && !fits(0, 11, 0) && !fits(0, 1, 2) && !fits(usize::MAX, 2, 0));
}

#[test]
#[should_panic(expected = "beyond the cache")]
fn a_span_beyond_the_capacity_is_refused() {
    let mut cache = KvLayer::new(1, 10, 1, 4, KvDtype::F32);
    // The memory has room for 16 tokens.
    cache.append(&[0.0; 44], &[0.0; 44], &[Span { start: 0, len: 11, position: 0, slot: 0 }]);
}

#[test]
#[should_panic(expected = "spans overlap")]
fn overlapping_spans_are_refused() {
    let cache = KvLayer::new(1, 10, 1, 4, KvDtype::F32);
    let span = Span { start: 0, len: 2, position: 0, slot: 0 };
    let spans = [span, Span { start: 1, ..span }];
    cached_attention(&[0.0; 12], &cache, &spans, &shape(1, 1, 4), &mut [0.0; 12]);
}

#[test]
fn a_clone_keeps_what_was_stored() {
    let shape = shape(1, 1, 16);
    for dtype in DTYPES {
        let mut cache = KvLayer::new(1, 40, 1, 16, dtype);
        let vectors = normal(3, 40 * 16);
        cache.append(&vectors, &vectors, &[Span { start: 0, len: 40, position: 0, slot: 0 }]);
        let span = Span { start: 0, len: 1, position: 39, slot: 0 };
        // Several, so that some have another alignment.
        for copy in [cache.clone(), cache.clone(), cache.clone()] {
            assert_eq!(attended(&copy, &shape, span), attended(&cache, &shape, span));
        }
    }
}
