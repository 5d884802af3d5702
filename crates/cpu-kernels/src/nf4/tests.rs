//! Against bitsandbytes 0.50.2 (`fixtures/nf4`): every code, scale and dequantized value to the bit.

use half::bf16;
use proptest::prelude::*;
use safetensors::SafeTensors;

use super::double::dynamic_map;
use super::mean::mean;
use super::{Absmax, DoubleAbsmax, Nf4};
use crate::{Float, WeightError};

const FIXTURE: &[u8] = include_bytes!("../../../../fixtures/nf4/nf4.safetensors");
const MEANS: &[u8] = include_bytes!("../../../../fixtures/nf4/means.safetensors");

#[test]
fn stored_cases() {
    for name in [
        "7x33",
        "32x96",
        "1x1",
        "1x63",
        "1x65",
        "midpoints",
        "midpoints_times_3",
        "midpoints_short",
        "zero_blocks",
        "subnormal",
        "huge",
    ] {
        check(&format!("{name}.float32"), &f32s(FIXTURE, &format!("{name}.float32.weight")));
        if name != "huge" {
            check(&format!("{name}.bfloat16"), &bf16s(&format!("{name}.bfloat16.weight")));
        }
    }
}

#[test]
fn long_cases_by_digest() {
    for (name, len) in [("192x576", 192 * 576), ("1001x515", 1001 * 515)] {
        let values = counted(len);
        check_digests(&format!("{name}.float32"), &values);
        let values: Vec<_> = values.into_iter().map(bf16::from_f32).collect();
        check_digests(&format!("{name}.bfloat16"), &values);
    }
}

#[test]
fn the_mean_is_torchs() {
    let scales: Vec<_> = counted(14000).into_iter().map(f32::abs).collect();
    let lengths = i64s(MEANS, "lengths");
    for (n, expected) in lengths.iter().zip(f32s(MEANS, "means")) {
        assert_eq!(mean(&scales[..*n as usize]).to_bits(), expected.to_bits(), "{n} values");
    }
}

#[test]
fn the_dynamic_map_is_that_of_bitsandbytes() {
    same_bits("nested_code", dynamic_map(), &f32s(FIXTURE, "nested_code"));
}

#[test]
fn what_is_no_number_is_named() {
    for (len, index) in [(64, 0), (64, 63), (65, 64), (1000, 517), (40_000, 39_999)] {
        for value in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = vec![0.25; len];
            values[index] = value;
            values[len - 1] = value;
            let error = Nf4::quantize(&values).unwrap_err();
            assert_eq!(error, WeightError::NotFinite { part: "values", index });
        }
    }
}

#[test]
fn a_mean_beyond_f32_is_an_error() {
    let values = vec![f32::MAX; 64 * 64];
    let plain = Nf4::quantize(&values).unwrap();
    assert_eq!(plain.double_quantized().unwrap_err(), WeightError::MeanOverflows);
}

#[test]
fn parts_are_checked() {
    let double = |codes, absmax| {
        let code = Box::new(*dynamic_map());
        Absmax::Double(DoubleAbsmax { codes, absmax, code, offset: 0.0 })
    };
    let length = |part, expected, got| WeightError::Length { part, expected, got };
    for (packed, absmax, expected) in [
        (32, Absmax::Plain(vec![1.0; 2]), length("packed codes", 33, 32)),
        (33, Absmax::Plain(vec![1.0; 1]), length("absmax", 2, 1)),
        (
            33,
            Absmax::Plain(vec![1.0, f32::NAN]),
            WeightError::NotFinite { part: "absmax", index: 1 },
        ),
        (33, double(vec![0; 3], vec![1.0]), length("absmax codes", 2, 3)),
        (33, double(vec![0; 2], vec![]), length("nested absmax", 1, 0)),
        (
            33,
            double(vec![0; 2], vec![f32::INFINITY]),
            WeightError::NotFinite { part: "nested absmax", index: 0 },
        ),
    ] {
        assert_eq!(Nf4::from_parts(65, vec![0; packed], absmax).unwrap_err(), expected);
    }
}

#[test]
fn bytes_are_those_of_the_parts() {
    let plain = Nf4::quantize(&counted(64 * 512)).unwrap();
    assert_eq!(plain.bytes(), 64 * 512 / 2 + 512 * 4);
    let double = plain.double_quantized().unwrap();
    assert_eq!(double.bytes(), 64 * 512 / 2 + 512 + 2 * 4 + 256 * 4 + 4);
}

#[test]
fn no_values_are_a_weight_too() {
    let empty = Nf4::quantize::<f32>(&[]).unwrap();
    assert!(empty.is_empty());
    assert!(Nf4::from_parts(0, vec![], Absmax::Plain(vec![])).unwrap().is_empty());
}

proptest! {
    #[test]
    fn any_range_is_a_part_of_the_whole(len in 0_usize..400, cut in any::<(u16, u16)>()) {
        let weight = Nf4::quantize(&counted(len)).unwrap();
        let mut whole = vec![0.0; len];
        weight.dequantize(0..len, &mut whole);
        let (a, b) = (usize::from(cut.0) % (len + 1), usize::from(cut.1) % (len + 1));
        let range = a.min(b)..a.max(b);
        let mut part = vec![f32::NAN; range.len()];
        weight.dequantize(range.clone(), &mut part);
        prop_assert_eq!(&whole[range], &part[..]);
    }

    /// The widest gap of the codebook is 0.304, between the lowest two values.
    #[test]
    fn no_value_is_further_off_than_half_a_gap(values in prop::collection::vec(-1e3_f32..1e3, 1..200)) {
        let weight = Nf4::quantize(&values).unwrap();
        let mut dense = vec![0.0; values.len()];
        weight.dequantize(0..values.len(), &mut dense);
        for (i, (v, d)) in values.iter().zip(&dense).enumerate() {
            prop_assert!((v - d).abs() <= 0.152 * weight.absmax().get(i / 64));
        }
    }
}

fn check<T: Float + Rounded>(case: &str, values: &[T]) {
    let plain = Nf4::quantize(values).unwrap_or_else(|e| panic!("{case}: {e}"));
    assert_eq!(plain.packed(), bytes(FIXTURE, &format!("{case}.packed")), "{case}");
    same_bits(case, &scales(&plain), &f32s(FIXTURE, &format!("{case}.plain.absmax")));
    T::same(case, &dense(&plain), bytes(FIXTURE, &format!("{case}.plain.dense")));

    let double = plain.double_quantized().unwrap_or_else(|e| panic!("{case}: {e}"));
    let Absmax::Double(parts) = double.absmax() else { panic!("{case}: not double") };
    assert_eq!(parts.codes, bytes(FIXTURE, &format!("{case}.double.codes")), "{case}");
    let nested = f32s(FIXTURE, &format!("{case}.double.nested_absmax"));
    same_bits(case, &parts.absmax, &nested);
    same_bits(case, &[parts.offset], &f32s(FIXTURE, &format!("{case}.double.offset")));
    same_bits(case, &scales(&double), &f32s(FIXTURE, &format!("{case}.double.absmax")));
    T::same(case, &dense(&double), bytes(FIXTURE, &format!("{case}.double.dense")));
}

fn check_digests<T: Float + Rounded>(case: &str, values: &[T]) {
    let plain = Nf4::quantize(values).unwrap_or_else(|e| panic!("{case}: {e}"));
    let f32_bits = |values: &[f32]| digest(values.iter().map(|v| i64::from(v.to_bits() as i32)));
    let expected = |part: &str| i64s(FIXTURE, &format!("{case}.{part}"))[0];
    let packed = digest(plain.packed().iter().map(|b| i64::from(*b)));
    assert_eq!(packed, expected("packed"), "{case}");
    assert_eq!(f32_bits(&scales(&plain)), expected("plain.absmax"), "{case}");
    assert_eq!(T::digest(&dense(&plain)), expected("plain.dense"), "{case}");

    let double = plain.double_quantized().unwrap_or_else(|e| panic!("{case}: {e}"));
    let Absmax::Double(parts) = double.absmax() else { panic!("{case}: not double") };
    let codes = digest(parts.codes.iter().map(|b| i64::from(*b)));
    same_bits(case, &[parts.offset], &f32s(FIXTURE, &format!("{case}.double.offset")));
    assert_eq!(codes, expected("double.codes"), "{case}");
    assert_eq!(f32_bits(&parts.absmax), expected("double.nested_absmax"), "{case}");
    assert_eq!(f32_bits(&scales(&double)), expected("double.absmax"), "{case}");
    assert_eq!(T::digest(&dense(&double)), expected("double.dense"), "{case}");
}

/// Dequantized values in the type that was quantized, as bitsandbytes gives them.
trait Rounded {
    fn same(case: &str, dense: &[f32], expected: &[u8]);
    fn digest(dense: &[f32]) -> i64;
}

impl Rounded for f32 {
    fn same(case: &str, dense: &[f32], expected: &[u8]) {
        for (i, (v, expected)) in dense.iter().zip(expected.as_chunks().0).enumerate() {
            assert_eq!(v.to_bits(), u32::from_le_bytes(*expected), "{case}: value {i}, {v}");
        }
        assert_eq!(dense.len() * 4, expected.len(), "{case}");
    }

    fn digest(dense: &[f32]) -> i64 {
        digest(dense.iter().map(|v| i64::from(v.to_bits() as i32)))
    }
}

impl Rounded for bf16 {
    fn same(case: &str, dense: &[f32], expected: &[u8]) {
        for (i, (v, expected)) in dense.iter().zip(expected.as_chunks().0).enumerate() {
            let rounded = bf16::from_f32(*v);
            assert_eq!(rounded, bf16::from_le_bytes(*expected), "{case}: value {i}, {v}");
        }
        assert_eq!(dense.len() * 2, expected.len(), "{case}");
    }

    fn digest(dense: &[f32]) -> i64 {
        digest(dense.iter().map(|v| i64::from(bf16::from_f32(*v).to_bits() as i16)))
    }
}

fn dense(weight: &Nf4) -> Vec<f32> {
    let mut dense = vec![f32::NAN; weight.len()];
    weight.dequantize(0..weight.len(), &mut dense);
    dense
}

fn scales(weight: &Nf4) -> Vec<f32> {
    (0..weight.len().div_ceil(64)).map(|block| weight.absmax().get(block)).collect()
}

fn same_bits(case: &str, got: &[f32], expected: &[f32]) {
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(got), bits(expected), "{case}");
}

/// As `counted` in `fixtures/nf4/make.py`.
fn counted(len: usize) -> Vec<f32> {
    let value = |i: u64| ((i * 2_654_435_761 % (1 << 32)) >> 8) as f32 - 8_388_608.0;
    (0..len as u64).map(|i| value(i) / 8_388_608.0 * 0.1).collect()
}

/// As `digest` in `fixtures/nf4/make.py`.
fn digest(bits: impl Iterator<Item = i64>) -> i64 {
    bits.zip(1..).map(|(bits, place)| bits * (place % 65521)).sum()
}

fn bytes<'a>(file: &'a [u8], name: &str) -> &'a [u8] {
    let file = SafeTensors::deserialize(file).expect("a safetensors file");
    file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}")).data()
}

fn f32s(file: &[u8], name: &str) -> Vec<f32> {
    bytes(file, name).as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn i64s(file: &[u8], name: &str) -> Vec<i64> {
    bytes(file, name).as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect()
}

fn bf16s(name: &str) -> Vec<bf16> {
    bytes(FIXTURE, name).as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b)).collect()
}
