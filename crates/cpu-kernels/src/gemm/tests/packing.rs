//! Whatever instructions write the words of a kernel, they are the same.

use std::ops::Range;

use super::super::kernel::PANEL;
use super::super::matrix::Matrix;
use super::*;

/// Methods that must write the same words as the portable one among them.
fn groups() -> Vec<Vec<Method>> {
    let f32_methods = Method::available(ComputeDtype::F32);
    let (rounded, pairs) =
        methods(ComputeDtype::Bf16).into_iter().partition(|method| method.rounded);
    vec![f32_methods, rounded, pairs]
}

fn row(method: Method, weight: &FrozenWeight, row: usize, cols: Range<usize>) -> Vec<u32> {
    let mut words = vec![f32::NAN; cols.len().next_multiple_of(PANEL)];
    Matrix::from(weight).write_row(method, row, cols, &mut words);
    bits(&words)
}

fn lines(
    method: Method,
    weight: &FrozenWeight,
    rows: Range<usize>,
    cols: Range<usize>,
) -> Vec<u32> {
    let n_cols = cols.len();
    let mut panels = vec![0.0; n_cols.next_multiple_of(PANEL)];
    Matrix::from(weight).write_lines(method, rows, cols, &mut panels, PANEL);
    bits(&panels[..n_cols])
}

#[test]
fn instructions_change_no_word() {
    // Blocks of NF4 begin at rows in the one, anywhere in the other.
    for cols in [256, 203] {
        for (form, weight) in weights(9, cols) {
            for methods in groups() {
                let [first, others @ ..] = methods.as_slice() else { continue };
                for range in [0..cols, 64..cols, 0..1, 17..150, 64..128, cols - 1..cols] {
                    let of = format!("{form}, columns {range:?} of {cols}");
                    for other in others {
                        let name = other.kernel.name;
                        for at in [0, 8] {
                            let expected = row(*first, &weight, at, range.clone());
                            assert_eq!(
                                row(*other, &weight, at, range.clone()),
                                expected,
                                "{of} {name}"
                            );
                        }
                        for rows in [0..1, 7..9] {
                            let rows = rows.start..rows.end.min(rows.start + per_word(*first));
                            let expected = lines(*first, &weight, rows.clone(), range.clone());
                            assert_eq!(
                                lines(*other, &weight, rows, range.clone()),
                                expected,
                                "{of} {name}"
                            );
                        }
                    }
                }
            }
        }
    }
}

fn per_word(method: Method) -> usize {
    match method.kernel.word {
        kernel::Word::F32 => 1,
        kernel::Word::Bf16Pair => 2,
    }
}
