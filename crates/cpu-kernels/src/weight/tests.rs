use half::{bf16, f16};
use proptest::prelude::*;

use super::{FrozenWeight, Values};
use crate::{DenseDtype, Nf4, WeightError};

#[test]
fn dense_weights_from_bytes() {
    let values = [1.5_f32, -2.0, 0.25, 0.0, -0.125, 3.0];
    let f32s: Vec<_> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let bf16s: Vec<_> = values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect();
    let f16s: Vec<_> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
    for (dtype, bytes) in
        [(DenseDtype::F32, f32s), (DenseDtype::Bf16, bf16s), (DenseDtype::F16, f16s)]
    {
        let weight = FrozenWeight::from_le_bytes(2, 3, dtype, &bytes).unwrap();
        assert_eq!(weight.bytes(), bytes.len());
        let mut row = [f32::NAN; 3];
        weight.row(1, &mut row);
        assert_eq!(row, values[3..]);
        let error = FrozenWeight::from_le_bytes(2, 2, dtype, &bytes).unwrap_err();
        let (expected, got) = (4 * dtype.size(), bytes.len());
        assert_eq!(error, WeightError::Length { part: "bytes", expected, got });
    }
}

#[test]
fn a_shape_must_fit_its_values() {
    let length = |part, expected, got| WeightError::Length { part, expected, got };
    assert!(FrozenWeight::f32(2, 3, vec![0.0; 6]).is_some());
    assert!(FrozenWeight::f32(2, 3, vec![0.0; 7]).is_none());
    let nf4 = Values::Nf4(Nf4::quantize(&[0.5_f32; 6]).unwrap());
    assert_eq!(FrozenWeight::new(7, 1, nf4).unwrap_err(), length("values", 7, 6));
    assert_eq!(FrozenWeight::nf4(2, 3, &[0.5_f32; 5]).unwrap_err(), length("values", 6, 5));
    assert_eq!(FrozenWeight::nf4_double(2, 3, &[0.5_f32; 7]).unwrap_err(), length("values", 6, 7));
    let int8 = FrozenWeight::int8(2, 3, &[0.5_f32; 6]).unwrap();
    let turned = FrozenWeight::new(3, 2, int8.values().clone());
    assert_eq!(turned.unwrap_err(), length("rows", 3, 2));
    let huge = FrozenWeight::from_le_bytes(usize::MAX / 2, 2, DenseDtype::F32, &[]);
    assert_eq!(huge.unwrap_err(), WeightError::TooLarge { rows: usize::MAX / 2, cols: 2 });
}

proptest! {
    /// A row is the same alone and among others, in every form.
    #[test]
    fn rows_are_parts_of_the_whole(rows in 1_usize..6, cols in 1_usize..150) {
        let values: Vec<_> = (0..rows * cols).map(|i| (i as f32 * 0.7).sin()).collect();
        let dense = FrozenWeight::f32(rows, cols, values.clone()).unwrap();
        for weight in [
            dense.to_dense(DenseDtype::Bf16),
            dense.to_dense(DenseDtype::F16),
            FrozenWeight::nf4(rows, cols, &values).unwrap(),
            FrozenWeight::nf4_double(rows, cols, &values).unwrap(),
            FrozenWeight::int8(rows, cols, &values).unwrap(),
            dense,
        ] {
            let mut whole = vec![f32::NAN; rows * cols];
            weight.dequantize(0..rows, &mut whole);
            for row in 0..rows {
                let mut out = vec![f32::NAN; cols];
                weight.row(row, &mut out);
                prop_assert_eq!(&out, &whole[row * cols..(row + 1) * cols]);
            }
            let copy = weight.to_dense(DenseDtype::F32);
            prop_assert_eq!(copy.values(), &Values::F32(whole));
        }
    }

    #[test]
    fn rounding_is_to_the_nearest(value in any::<f32>().prop_filter("a number", |v| v.is_finite())) {
        let dense = FrozenWeight::f32(1, 1, vec![value]).unwrap();
        let expected = bf16::from_f32(value);
        let rounded = dense.to_dense(DenseDtype::Bf16);
        prop_assert_eq!(rounded.values(), &Values::Bf16(vec![expected]));
    }
}
