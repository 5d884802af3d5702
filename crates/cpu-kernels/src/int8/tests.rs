//! Against bitsandbytes 0.50.2 (`fixtures/nf4/int8.safetensors`).

use half::{bf16, f16};
use safetensors::SafeTensors;

use super::Int8;
use crate::{Float, WeightError};

const FIXTURE: &[u8] = include_bytes!("../../../../fixtures/nf4/int8.safetensors");

#[test]
fn codes_scales_and_values_are_those_of_bitsandbytes() {
    for case in ["9x37", "16x96", "ties"] {
        check(&format!("{case}.float32"), f32::from_le_bytes);
        check(&format!("{case}.bfloat16"), bf16::from_le_bytes);
        check(&format!("{case}.float16"), f16::from_le_bytes);
    }
}

#[test]
fn rows_of_zeros_and_of_subnormals() {
    let values = [0.0, -0.0, 1e-45, -1e-45, 1e-40, 0.5e-40];
    let weight = Int8::quantize(3, 2, &values).unwrap();
    assert_eq!(weight.codes(), [0, 0, 127, -127, 127, 64]);
    let mut dense = [f32::NAN; 6];
    weight.dequantize(0..6, &mut dense);
    assert!(dense.iter().zip(values).all(|(d, v)| (d - v).abs() < 1e-42), "{dense:?}");
}

#[test]
fn faults_are_named() {
    let length = |part, expected, got| WeightError::Length { part, expected, got };
    let values = [0.0, 1.0, f32::NAN, f32::INFINITY];
    let not_finite = WeightError::NotFinite { part: "values", index: 2 };
    assert_eq!(Int8::quantize(2, 2, &values).unwrap_err(), not_finite);
    assert_eq!(Int8::quantize(2, 3, &values).unwrap_err(), length("values", 6, 4));
    let too_large = WeightError::TooLarge { rows: usize::MAX, cols: 2 };
    assert_eq!(Int8::quantize(usize::MAX, 2, &values).unwrap_err(), too_large);
    assert_eq!(Int8::from_parts(3, vec![0; 5], vec![1.0; 2]).unwrap_err(), length("codes", 6, 5));
    let not_finite = WeightError::NotFinite { part: "absmax", index: 0 };
    assert_eq!(Int8::from_parts(1, vec![0], vec![f32::INFINITY]).unwrap_err(), not_finite);
    assert_eq!(Int8::quantize::<f32>(0, 7, &[]).unwrap().rows(), 0);
    assert_eq!(Int8::quantize::<f32>(7, 0, &[]).unwrap().rows(), 7);
}

fn check<T: Float, const N: usize>(case: &str, from_le_bytes: fn([u8; N]) -> T) {
    let file = SafeTensors::deserialize(FIXTURE).expect("a safetensors file");
    let tensor = |part: &str| file.tensor(&format!("{case}.{part}")).expect("a tensor");
    let f32s = |part| f32_bits(tensor(part).data());

    let weight = tensor("weight");
    let [rows, cols] = weight.shape()[..] else { panic!("{case}: not a matrix") };
    let values: Vec<_> = weight.data().as_chunks().0.iter().map(|b| from_le_bytes(*b)).collect();
    let got = Int8::quantize(rows, cols, &values).unwrap_or_else(|e| panic!("{case}: {e}"));
    let codes: Vec<_> = tensor("codes").data().iter().map(|b| b.cast_signed()).collect();
    assert_eq!(got.codes(), codes, "{case}");
    assert_eq!(bits(got.absmax()), f32s("absmax"), "{case}");

    let mut dense = vec![f32::NAN; rows * cols];
    got.dequantize(0..rows * cols, &mut dense);
    assert_eq!(bits(&dense), f32s("dense"), "{case}");
    for row in 0..rows {
        let value = f32::from(got.codes()[row * cols]) * got.scale(row);
        assert!((value - dense[row * cols]).abs() <= f32::EPSILON * value.abs(), "{case}");
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

fn f32_bits(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect()
}
