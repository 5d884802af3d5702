use super::{Left, Right, Sums, small_product};
use crate::cpu_features::Isa;
use crate::normal::normal;

/// Both orders of each factor, with and without what was there before.
#[track_caller]
fn check(rows: usize, cols: usize, terms: usize) {
    let blocks = cols.div_ceil(16);
    let left = normal(1, rows * terms);
    let right = normal(2, blocks * 16 * terms);
    for (by_row, by_line) in [(true, true), (true, false), (false, true), (false, false)] {
        let (row, term) = if by_row { (terms, 1) } else { (1, rows) };
        let left = Left { values: &left, row, term };
        let (term, block) = if by_line { (blocks * 16, 16) } else { (16, 16 * terms) };
        let right = Right { values: &right, term, block };
        for add in [false, true] {
            for isa in Isa::available() {
                let what =
                    format!("{isa:?}, {rows} x {cols} x {terms}, {by_row}, {by_line}, {add}");
                let width = cols + 3;
                let before = normal(3, rows * width);
                let mut got = before.clone();
                let sums = Sums { values: &mut got, row: width, factor: -0.5, add };
                small_product(isa, (rows, cols, terms), left, right, sums);
                for (i, (got, before)) in got.iter().zip(&before).enumerate() {
                    let (r, c) = (i / width, i % width);
                    if c >= cols {
                        assert_eq!(got, before, "{what}: beyond the columns of row {r}");
                        continue;
                    }
                    let product = |d: usize| {
                        let left = left.values[r * left.row + d * left.term];
                        let right = right.values[d * right.term + c / 16 * right.block + c % 16];
                        f64::from(left) * f64::from(right)
                    };
                    let sum: f64 = (0..terms).map(product).sum();
                    let expected = if add { f64::from(*before) - 0.5 * sum } else { -0.5 * sum };
                    let error = (f64::from(*got) - expected).abs();
                    let bound = 1e-6 * (terms as f64).sqrt().max(1.0);
                    assert!(error < bound, "{what}: {got} at {r}, {c}, expected {expected}");
                }
            }
        }
    }
}

#[test]
fn any_size() {
    for rows in (0..=26).chain([48, 97]) {
        check(rows, 64, 5);
        check(rows, 16, 7);
        check(rows, 32, 3);
        check(rows, 9, 2);
    }
    for cols in (0..=20).chain([31, 33, 47, 48, 63, 65, 80, 96, 100, 112, 127, 128]) {
        check(7, cols, 4);
        check(1, cols, 4);
    }
    for terms in [0, 1, 255, 256, 257, 513, 1000] {
        check(5, 40, terms);
    }
}

#[test]
#[should_panic(expected = "assertion failed")]
fn short_factors_are_refused() {
    let sums = Sums { values: &mut [0.0; 4], row: 2, factor: 1.0, add: false };
    let left = Left { values: &[0.0; 5], row: 3, term: 1 };
    let right = Right { values: &[0.0; 6], term: 2, block: 16 };
    small_product(Isa::detected(), (2, 2, 3), left, right, sums);
}

#[test]
#[should_panic(expected = "assertion failed")]
fn short_results_are_refused() {
    let sums = Sums { values: &mut [0.0; 3], row: 2, factor: 1.0, add: false };
    let left = Left { values: &[0.0; 6], row: 3, term: 1 };
    let right = Right { values: &[0.0; 6], term: 2, block: 16 };
    small_product(Isa::detected(), (2, 2, 3), left, right, sums);
}
