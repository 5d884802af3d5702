use half::bf16;
use proptest::prelude::*;
use rayon::prelude::*;

use super::*;

const SIZES: [usize; 11] = [1, 2, 7, 16, 17, 31, 33, 64, 100, 129, 576];

/// What a sum may be off by, in units of the sum of its absolute terms: a few roundings of f32. Leaving one of 576 terms out is
/// off by a thousand times as much.
const TOLERANCE: f64 = 4e-6;

/// `a · bᵀ` (`[m, depth] · [n, depth]ᵀ`), and the same of absolute values.
fn expected(
    a: &[f32],
    b: &[f32],
    n: usize,
    depth: usize,
    compute: ComputeDtype,
) -> Vec<(f64, f64)> {
    let factor = |v: &f32| match compute {
        ComputeDtype::F32 => f64::from(*v),
        ComputeDtype::Bf16 => bf16::from_f32(*v).to_f64(),
    };
    let (a, b): (Vec<f64>, Vec<f64>) =
        (a.iter().map(factor).collect(), b.iter().map(factor).collect());
    let mut sums = Vec::with_capacity(a.len() / depth * n);
    for a in a.chunks(depth) {
        for b in b.chunks(depth) {
            let terms = a.iter().zip(b).map(|(a, b)| a * b);
            sums.push(terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs())));
        }
    }
    sums
}

fn assert_near(got: &[f32], expected: &[(f64, f64)], of: &str) {
    assert_eq!(got.len(), expected.len(), "{of}");
    for (i, (&got, &(sum, size))) in got.iter().zip(expected).enumerate() {
        let off = (f64::from(got) - sum).abs();
        assert!(off <= TOLERANCE * size + 1e-30, "{of}: value {i} is {got}, should be {sum}");
    }
}

fn transpose(values: &[f32], cols: usize) -> Vec<f32> {
    (0..cols).flat_map(|c| values.iter().skip(c).step_by(cols).copied()).collect()
}

fn check((m, n, k): (usize, usize, usize)) {
    let (x, dy) = (noise(1, m * k), noise(3, m * n));
    for (form, weight) in weights(n, k) {
        let w = dequantized(&weight);
        let w_transposed = transpose(&w, k);
        for compute in COMPUTE {
            let y = expected(&x, &w, n, k, compute);
            let dx = expected(&dy, &w_transposed, k, n, compute);
            for method in methods(compute) {
                let of = format!("{m}x{n}x{k} {form} {compute:?} {}", method.kernel.name);
                assert_near(&product(method, &x, m, &weight), &y, &of);
                let of = format!("{of} transposed");
                assert_near(&product_transposed(method, &dy, m, &weight), &dx, &of);
            }
        }
    }
}

/// A Latin square, without its largest products: each pair of sizes occurs as (m, n), as (m, k), and as (n, k).
#[test]
fn near_sums_in_f64() {
    let pairs = (0..SIZES.len()).flat_map(|i| (0..SIZES.len()).map(move |j| (i, j)));
    let shapes: Vec<_> = pairs
        .map(|(i, j)| (SIZES[i], SIZES[(i + j) % SIZES.len()], SIZES[(i + 2 * j) % SIZES.len()]))
        .collect();
    shapes.into_par_iter().filter(|(m, n, k)| m * n * k < 4_000_000).for_each(check);
}

/// More than one block of the sum, more than one task of rows and of columns.
#[test]
fn near_sums_in_f64_where_all_is_divided() {
    check((530, 40, 600));
    check((40, 600, 150));
}

/// Rows of `dy` that are laid out in several goes.
#[test]
fn near_sums_in_f64_where_sums_are_long() {
    check((900, 5000, 3));
}

#[test]
fn an_empty_sum_is_zero() {
    let poison = FrozenWeight::f32(64, 16, vec![f32::NAN; 64 * 16]).unwrap();
    for compute in COMPUTE {
        for method in methods(compute) {
            // What threads keep in memory is not zero.
            assert!(product(method, &noise(1, 64 * 16), 64, &poison)[0].is_nan());
            assert!(product_transposed(method, &noise(1, 64 * 64), 64, &poison)[0].is_nan());
            let no_inputs = FrozenWeight::f32(20, 0, Vec::new()).unwrap();
            assert_eq!(product(method, &[], 18, &no_inputs), [0.0; 18 * 20]);
            assert!(product_transposed(method, &noise(1, 18 * 20), 18, &no_inputs).is_empty());
            let no_outputs = FrozenWeight::f32(0, 20, Vec::new()).unwrap();
            assert!(product(method, &noise(1, 18 * 20), 18, &no_outputs).is_empty());
            assert_eq!(product_transposed(method, &[], 18, &no_outputs), [0.0; 18 * 20]);
            let one = FrozenWeight::f32(1, 1, vec![1.0]).unwrap();
            assert!(product(method, &[], 0, &one).is_empty());
            assert!(product_transposed(method, &[], 0, &one).is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// ⟨x · Wᵀ, dy⟩ = ⟨x, dy · W⟩.
    #[test]
    fn the_transposed_product_is_the_gradient(m in 1..70_usize, n in 1..150_usize, k in 1..150_usize, seed: u32) {
        let (x, dy) = (noise(seed, m * k), noise(!seed, m * n));
        for (form, weight) in weights(n, k) {
            for method in methods(ComputeDtype::F32) {
                let y = product(method, &x, m, &weight);
                let dx = product_transposed(method, &dy, m, &weight);
                let dot = |a: &[f32], b: &[f32]| -> (f64, f64) {
                    let terms = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
                    terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs()))
                };
                let ((forward, size), (backward, _)) = (dot(&y, &dy), dot(&x, &dx));
                prop_assert!((forward - backward).abs() <= 1e-5 * size, "{} {}", form, method.kernel.name);
            }
        }
    }
}
