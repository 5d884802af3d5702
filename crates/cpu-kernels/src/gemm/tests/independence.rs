//! What a value must not depend on: the number of threads, other rows, other weights, what memory held before.

use super::*;
use crate::set_threads;

fn both(method: Method, m: usize, weight: &FrozenWeight) -> [Vec<u32>; 2] {
    let (x, dy) = (noise(1, m * weight.cols()), noise(3, m * weight.rows()));
    [product(method, &x, m, weight), product_transposed(method, &dy, m, weight)].map(|v| bits(&v))
}

fn for_each_method(check: impl Fn(Method, &str, &FrozenWeight)) {
    for (form, weight) in weights(203, 330) {
        for compute in COMPUTE {
            for method in methods(compute) {
                check(method, &format!("{form} {compute:?} {}", method.kernel.name), &weight);
            }
        }
    }
}

/// Other tests may run on these threads meanwhile; their results must not depend on it either.
#[test]
fn threads_change_no_bit() {
    for_each_method(|method, of, weight| {
        set_threads(1);
        let one = both(method, 150, weight);
        for threads in [2, 7] {
            set_threads(threads);
            assert_eq!(both(method, 150, weight), one, "{of}, {threads} threads");
        }
    });
}

#[test]
fn other_rows_change_no_bit() {
    for_each_method(|method, of, weight| {
        let [y, dx] = both(method, 90, weight);
        for m in [1, 17, 33, 89] {
            let [some_y, some_dx] = both(method, m, weight);
            assert_eq!(some_y, y[..some_y.len()], "{of}, {m} rows");
            assert_eq!(some_dx, dx[..some_dx.len()], "{of}, {m} rows, transposed");
        }
    });
}

#[test]
fn rows_of_a_weight_change_no_other_column() {
    let [_, x] = [0, 1].map(|seed| noise(seed, 40 * 330));
    let values = noise(2, 203 * 330);
    let weight = FrozenWeight::f32(203, 330, values.clone()).unwrap();
    for compute in COMPUTE {
        for method in methods(compute) {
            let y = product(method, &x, 40, &weight);
            for n in [1, 30, 113] {
                let part = FrozenWeight::f32(n, 330, values[..n * 330].to_vec()).unwrap();
                for (some, all) in product(method, &x, 40, &part).chunks(n).zip(y.chunks(203)) {
                    assert_eq!(bits(some), bits(&all[..n]), "{} {compute:?}", method.kernel.name);
                }
            }
        }
    }
}

#[test]
fn weights_of_one_call_change_no_bit() {
    let x = noise(1, 40 * 330);
    let weights: Vec<_> = [203, 5, 64, 1].into_iter().flat_map(|n| weights(n, 330)).collect();
    for compute in COMPUTE {
        for method in methods(compute) {
            let mut outs: Vec<_> =
                weights.iter().map(|(_, w)| vec![f32::NAN; 40 * w.rows()]).collect();
            let outputs = weights.iter().zip(&mut outs);
            let mut outputs: Vec<_> = outputs
                .map(|((_, weight), out)| Output { weight, out: out.as_mut_slice() })
                .collect();
            forward::products(method, &x, 40, &mut outputs);
            for ((form, weight), out) in weights.iter().zip(&outs) {
                assert_eq!(
                    bits(out),
                    bits(&product(method, &x, 40, weight)),
                    "{form} {}",
                    method.kernel.name
                );
            }
        }
    }
}

#[test]
fn rows_in_pieces_change_no_bit() {
    // Rows of which the second piece begins after 128.
    let (m, long) = (130, 140_000);
    let (x, values) = (noise(1, m * long), noise(2, 2 * long));
    let wide = FrozenWeight::f32(2, long, values).unwrap();
    let mut out = [f32::NAN; 2 * 130];
    for compute in COMPUTE {
        let method = Method::best(compute);
        super::super::products(&x, m, compute, &mut [Output { weight: &wide, out: &mut out }]);
        assert_eq!(bits(&out), bits(&product(method, &x, m, &wide)));
    }
}

#[test]
fn sums_in_pieces_change_no_bit() {
    // The fewer the rows, the more of them is laid out at once.
    let (m, long) = (130, 140_000);
    let dy = noise(1, m * long);
    let tall = FrozenWeight::f32(long, 2, noise(2, 2 * long)).unwrap();
    let mut out = [f32::NAN; 2 * 130];
    for compute in COMPUTE {
        super::super::product_transposed(&dy, m, &tall, compute, &mut out);
        for row in [0, 77, 129] {
            let dy = &dy[row * long..][..long];
            let alone = product_transposed(Method::best(compute), dy, 1, &tall);
            assert_eq!(bits(&out[2 * row..][..2]), bits(&alone), "{compute:?}, row {row}");
        }
    }
}

/// NaN everywhere in a larger product leaves NaN in the memory that threads keep.
#[test]
fn what_memory_held_before_changes_no_bit() {
    let poison = FrozenWeight::f32(250, 400, vec![f32::NAN; 250 * 400]).unwrap();
    for_each_method(|method, of, weight| {
        for m in [1, 31] {
            let before = both(method, m, weight);
            assert!(both(method, 100, &poison)[0].iter().all(|v| f32::from_bits(*v).is_nan()));
            let after = both(method, m, weight);
            assert!(
                after.iter().flatten().all(|v| f32::from_bits(*v).is_finite()),
                "{of}, {m} rows"
            );
            assert_eq!(after, before, "{of}, {m} rows");
        }
    });
}

#[test]
fn what_is_no_number_stays_in_its_row_and_column() {
    let (m, n, k) = (35, 35, 35);
    let mut x = noise(1, m * k);
    let mut w = noise(2, n * k);
    x[20 * k + 34] = f32::INFINITY;
    w[30 * k + 34] = f32::NAN;
    let weight = FrozenWeight::f32(n, k, w).unwrap();
    for compute in COMPUTE {
        for method in methods(compute) {
            for (i, y) in product(method, &x, m, &weight).iter().enumerate() {
                let (row, col) = (i / n, i % n);
                assert_eq!(
                    y.is_finite(),
                    row != 20 && col != 30,
                    "{row}, {col} {}",
                    method.kernel.name
                );
            }
            for (i, dx) in product_transposed(method, &x, m, &weight).iter().enumerate() {
                let (row, col) = (i / k, i % k);
                assert_eq!(
                    dx.is_finite(),
                    row != 20 && col != 34,
                    "{row}, {col} {}",
                    method.kernel.name
                );
            }
        }
    }
}

/// AVX2 and AVX-512 add in the same order, each step fused: machines of both kinds agree to the bit.
#[test]
fn vector_kernels_of_f32_agree_to_the_bit() {
    for (form, weight) in weights(203, 330) {
        for compute in COMPUTE {
            let f32_kernels = methods(compute).into_iter();
            let fused: Vec<_> = f32_kernels
                .filter(|method| ["avx2", "avx512"].contains(&method.kernel.name))
                .map(|method| both(method, 40, &weight))
                .collect();
            assert!(fused.windows(2).all(|pair| pair[0] == pair[1]), "{form} {compute:?}");
        }
    }
}
