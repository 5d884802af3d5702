use super::backward::backward;
use super::{Adapter, LowRankDropout, add, dropout_mask};
use crate::cpu_features::Isa;
use crate::normal::normal;
use crate::set_threads;

#[derive(Clone, Copy, Debug)]
struct Case {
    m: usize,
    k: usize,
    n: usize,
    rank: usize,
    dropout: Option<LowRankDropout>,
}

const SCALING: f32 = 1.5;

/// `low`, `y`, `dx`, `da`, `db`.
type Results<T> = [Vec<T>; 5];

impl Case {
    /// `x`, `a`, `b`, `dy`, and what `y` and `dx` are before.
    fn operands(&self) -> [Vec<f32>; 6] {
        let Self { m, k, n, rank, .. } = *self;
        let mut seed = 0;
        [m * k, rank * k, n * rank, m * n, m * n, m * k].map(|len| {
            seed += 1;
            normal(seed, len)
        })
    }

    fn results(&self, isa: Isa) -> Results<f32> {
        let Self { m, rank, dropout, .. } = *self;
        let [x, a, b, dy, mut y, mut dx] = self.operands();
        let adapter = Adapter::new(&a, &b, rank, SCALING, dropout);
        let mut low = vec![f32::NAN; m * rank];
        add(isa, &x, m, adapter, &mut low, &mut y);
        let (mut da, mut db) = (vec![f32::NAN; a.len()], vec![f32::NAN; b.len()]);
        backward(isa, &x, &low, &dy, m, adapter, &mut dx, &mut da, &mut db);
        [low, y, dx, da, db]
    }

    /// By the definitions, with sums in f64.
    fn expected(&self) -> Results<f64> {
        let Self { m, k, n, rank, dropout } = *self;
        let [x, a, b, dy, y, dx] =
            self.operands().map(|values| values.into_iter().map(f64::from).collect::<Vec<f64>>());
        let mut mask = vec![1.0; m * k];
        if let Some(LowRankDropout { probability, seed }) = dropout {
            dropout_mask(seed, probability, m, k, &mut mask);
        }
        let mask: Vec<f64> = mask.into_iter().map(f64::from).collect();
        let seen: Vec<f64> = x.iter().zip(&mask).map(|(x, mask)| x * mask).collect();
        let scaling = f64::from(SCALING);
        let low = product((m, rank, k), |i, j, d| seen[i * k + d] * a[j * k + d]);
        let added = product((m, n, rank), |i, j, d| low[i * rank + d] * b[j * rank + d]);
        let dlow = product((m, rank, n), |i, j, d| scaling * dy[i * n + d] * b[d * rank + j]);
        let by_x = product((m, k, rank), |i, j, d| dlow[i * rank + d] * a[d * k + j]);
        let da = product((rank, k, m), |i, j, d| dlow[d * rank + i] * seen[d * k + j]);
        let db = product((n, rank, m), |i, j, d| scaling * dy[d * n + i] * low[d * rank + j]);
        let y = y.iter().zip(added).map(|(y, added)| y + scaling * added).collect();
        let masked = by_x.iter().zip(mask).map(|(by_x, mask)| by_x * mask);
        let dx = dx.iter().zip(masked).map(|(dx, masked)| dx + masked).collect();
        [low, y, dx, da, db]
    }
}

fn product(
    (rows, cols, terms): (usize, usize, usize),
    term: impl Fn(usize, usize, usize) -> f64,
) -> Vec<f64> {
    let sum = |i: usize| (0..terms).map(|d| term(i / cols, i % cols, d)).sum();
    (0..rows * cols).map(sum).collect()
}

#[track_caller]
fn check(m: usize, k: usize, n: usize, rank: usize) {
    for dropout in [None, Some(LowRankDropout { probability: 0.3, seed: 5 })] {
        let case = Case { m, k, n, rank, dropout };
        let expected = case.expected();
        for isa in Isa::available() {
            let names = ["low", "y", "dx", "da", "db"];
            for ((name, got), expected) in names.iter().zip(case.results(isa)).zip(&expected) {
                assert_eq!(got.len(), expected.len(), "{isa:?}, {name}, {case:?}");
                let square = expected.iter().map(|x| x * x).sum::<f64>();
                let size = (square / expected.len().max(1) as f64).sqrt().max(1.0);
                for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
                    let error = (f64::from(*got) - expected).abs();
                    let what = format!("{isa:?}, {case:?}: {name}[{i}]");
                    assert!(error < 3e-6 * size, "{what} is {got}, expected {expected}");
                }
            }
        }
    }
}

#[test]
fn shapes_of_a_model() {
    check(70, 576, 192, 16);
    check(33, 192, 576, 8);
}

#[test]
fn any_shape() {
    for m in [0, 1, 2, 31, 32, 33, 300] {
        check(m, 20, 7, 3);
    }
    for (k, n) in [(1, 1), (15, 16), (16, 15), (17, 33), (64, 49), (65, 96), (300, 5), (5, 300)] {
        check(9, k, n, 4);
    }
    for rank in [1, 2, 15, 16, 17, 24, 32, 64, 100, 256] {
        check(13, 24, 40, rank);
    }
    check(3, 0, 5, 4);
    check(3, 5, 0, 4);
}

#[test]
fn threads_change_nothing() {
    for dropout in [None, Some(LowRankDropout { probability: 0.1, seed: 9 })] {
        let case = Case { m: 513, k: 576, n: 192, rank: 16, dropout };
        set_threads(1);
        let alone = case.results(Isa::detected());
        for threads in [2, 3] {
            set_threads(threads);
            assert!(alone == case.results(Isa::detected()), "{threads}");
        }
    }
}

#[test]
fn avx2_and_avx512_agree_to_the_bit() {
    if Isa::detected() < Isa::Avx512 {
        return;
    }
    let dropout = Some(LowRankDropout { probability: 0.1, seed: 9 });
    let case = Case { m: 40, k: 77, n: 50, rank: 12, dropout };
    assert!(case.results(Isa::Avx2) == case.results(Isa::Avx512));
}

#[test]
fn masks_have_their_probability_and_no_pattern() {
    let (m, k) = (400, 576);
    for probability in [0.05f32, 0.5, 0.9] {
        let mut mask = vec![f32::NAN; m * k];
        dropout_mask(3, probability, m, k, &mut mask);
        let kept = 1.0 / (1.0 - probability);
        assert!(mask.iter().all(|&value| value == 0.0 || value == kept));
        let p = f64::from(probability);
        let bound = |n: usize| 5.0 * (p * (1.0 - p) / n as f64).sqrt();
        let dropped = |of: &mut dyn Iterator<Item = f32>, n: usize| -> f64 {
            of.filter(|&value| value == 0.0).count() as f64 / n as f64
        };
        let all = dropped(&mut mask.iter().copied(), m * k);
        assert!((all - p).abs() < bound(m * k), "{probability}: {all}");
        for row in mask.chunks(k) {
            assert!((dropped(&mut row.iter().copied(), k) - p).abs() < bound(k));
        }
        for col in 0..k {
            let share = dropped(&mut mask[col..].iter().copied().step_by(k), m);
            assert!((share - p).abs() < bound(m), "{probability}: column {col} has {share}");
        }
        // Neighbours, in a row and in a column, are dropped together as often as chance has it.
        let both = |distance: usize| {
            let pairs = mask.iter().zip(&mask[distance..]);
            let n = mask.len() - distance;
            pairs.filter(|pair| *pair.0 == 0.0 && *pair.1 == 0.0).count() as f64 / n as f64
        };
        for distance in [1, 2, 16, k - 1, k, k + 1, 2 * k] {
            let sigma = (p * p * (1.0 - p * p) / (m * k) as f64).sqrt();
            assert!((both(distance) - p * p).abs() < 6.0 * sigma, "{probability}: {distance}");
        }
    }
}

#[test]
fn masks_depend_on_seed_row_and_column_alone() {
    let of = |seed, probability, m, k| {
        let mut mask = vec![f32::NAN; m * k];
        dropout_mask(seed, probability, m, k, &mut mask);
        mask
    };
    let large = of(7, 0.5, 100, 600);
    let small = of(7, 0.5, 30, 70);
    for (row, small) in small.chunks(70).enumerate() {
        assert_eq!(small, &large[row * 600..][..70]);
    }
    assert_ne!(large, of(8, 0.5, 100, 600));
    assert_eq!(of(1, 0.0, 3, 5), [1.0; 15]);
    assert_eq!(of(1, 1.0, 3, 5), [0.0; 15]);
    // What a seed once gave, it gives for ever: runs are resumed. These are of the same formulas in Python 3.11.
    let kept: String =
        of(42, 0.5, 2, 24).iter().map(|&value| if value > 0.0 { '1' } else { '0' }).collect();
    assert_eq!(kept, "110000101000001001101001110011010100110010111111");
}

#[test]
#[should_panic(expected = "outputs of 2 rows of 3")]
fn outputs_of_another_length_are_refused() {
    let adapter = Adapter::new(&[0.0; 8], &[0.0; 6], 2, 1.0, None);
    add(Isa::detected(), &[0.0; 8], 2, adapter, &mut [0.0; 4], &mut [0.0; 5]);
}

#[test]
#[should_panic(expected = "have no rank 3")]
fn matrices_of_another_rank_are_refused() {
    Adapter::new(&[0.0; 8], &[0.0; 6], 3, 1.0, None);
}

#[test]
#[should_panic(expected = "a probability of 1.5")]
fn improbable_dropout_is_refused() {
    dropout_mask(0, 1.5, 1, 1, &mut [0.0]);
}
