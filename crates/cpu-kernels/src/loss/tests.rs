use super::{Gradient, Logits, cross_entropy, each_row, losses_only};
use crate::cpu_features::Isa;
use crate::normal::normal;
use crate::scratch::Disjoint;
use crate::set_threads;

struct Case {
    vocab: usize,
    logits: Vec<f32>,
    targets: Vec<u32>,
    weights: Vec<f32>,
}

/// Gradients, losses and indices.
type Results = (Vec<f32>, Vec<f32>, Vec<u32>);

const SCALE: f32 = 0.25;

impl Case {
    fn new(rows: usize, vocab: usize, spread: f32) -> Self {
        let logits = normal(vocab as u64, rows * vocab).iter().map(|x| spread * x).collect();
        let targets = (0..rows).map(|row| ((row * 7919 + 3) % vocab) as u32).collect();
        let weights = (0..rows).map(|row| [1.0, 0.0, 2.5][row % 3]).collect();
        Self { vocab, logits, targets, weights }
    }

    fn results(&self, isa: Isa) -> Results {
        let rows = self.targets.len();
        let mut gradients = self.logits.clone();
        let (mut losses, mut predicted) = (vec![f32::NAN; rows], vec![u32::MAX; rows]);
        let logits = Disjoint::new(&mut gradients);
        let logits = Logits::Replaced(Gradient { logits, weights: &self.weights, scale: SCALE });
        each_row(isa, logits, self.vocab, &self.targets, &mut losses, &mut predicted);

        let (mut only, mut argmax) = (vec![f32::NAN; rows], vec![u32::MAX; rows]);
        let logits = Logits::Read(&self.logits);
        each_row(isa, logits, self.vocab, &self.targets, &mut only, &mut argmax);
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!((bits(&only), &argmax), (bits(&losses), &predicted));
        (gradients, losses, predicted)
    }
}

#[track_caller]
fn check(case: &Case) {
    for isa in Isa::available() {
        let (gradients, losses, predicted) = case.results(isa);
        for (row, logits) in case.logits.chunks(case.vocab).enumerate() {
            let what = format!("{isa:?}, row {row} of {}", case.vocab);
            let target = case.targets[row] as usize;
            let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let first = logits.iter().position(|&x| x == greatest).unwrap_or(0);
            assert_eq!(predicted[row] as usize, first, "{what}");
            let weight = |x: f32| (f64::from(x) - f64::from(greatest)).exp();
            let sum: f64 = logits.iter().map(|&x| weight(x)).sum();
            let loss = sum.ln() + f64::from(greatest) - f64::from(logits[target]);
            let error = (f64::from(losses[row]) - loss).abs();
            assert!(error <= 2e-7 * loss.max(1.0), "{what}: {}, expected {loss}", losses[row]);
            let factor = f64::from(SCALE) * f64::from(case.weights[row]);
            for (i, &logit) in logits.iter().enumerate() {
                let one = if i == target { 1.0 } else { 0.0 };
                let expected = factor * (weight(logit) / sum - one);
                let got = gradients[row * case.vocab + i];
                let error = (f64::from(got) - expected).abs();
                // The probability of the target is rounded beside 1.
                let rounding = if i == target { 3e-7 * factor } else { 1e-12 };
                let bound = 1e-6 * expected.abs() + rounding;
                assert!(error <= bound, "{what}: gradient {i} is {got}, expected {expected}");
            }
        }
    }
}

#[test]
fn any_vocabulary() {
    for vocab in [1, 2, 15, 16, 17, 63, 64, 65, 1000, 1023, 1024, 1025, 2100, 49_152] {
        check(&Case::new(4, vocab, 3.0));
    }
    for rows in [0, 1, 3, 100] {
        check(&Case::new(rows, 700, 3.0));
    }
    check(&Case::new(2, 262_144, 1.0));
}

#[test]
fn the_sharp_and_the_flat() {
    check(&Case::new(6, 3000, 40.0));
    check(&Case::new(6, 3000, 1e-4));
    // Rising logits: every chunk has a new greatest one.
    let mut rising = Case::new(2, 5000, 1.0);
    for (i, logit) in rising.logits.iter_mut().enumerate() {
        *logit = (i % 5000) as f32 * 0.01;
    }
    check(&rising);
}

#[test]
fn the_first_of_equals_is_predicted() {
    let mut case = Case::new(1, 5000, 0.1);
    for at in [4000, 1500, 1499, 3] {
        case.logits[at] = 9.0;
        check(&case);
    }
}

#[test]
fn the_target_may_be_almost_certain() {
    let mut case = Case::new(1, 100, 1.0);
    case.logits[3] = 20.0;
    check(&case);
}

#[test]
fn masked_logits_have_no_share() {
    let mut case = Case::new(1, 3000, 1.0);
    case.targets = vec![2999];
    case.logits[..2500].fill(f32::NEG_INFINITY);
    for isa in Isa::available() {
        let (gradients, losses, predicted) = case.results(isa);
        assert!(gradients[..2500].iter().all(|&x| x == 0.0) && losses[0].is_finite());
        assert!(predicted[0] >= 2500);
    }
}

#[test]
fn broken_rows_are_told() {
    for broken in [f32::NAN, f32::INFINITY] {
        for at in [0, 5, 1030, 2099] {
            let mut case = Case::new(2, 2100, 1.0);
            case.logits[at] = broken;
            for isa in Isa::available() {
                let losses = case.results(isa).1;
                assert!(losses[0].is_nan() && losses[1].is_finite(), "{isa:?}, {broken} at {at}");
            }
        }
    }
    let mut case = Case::new(1, 20, 1.0);
    case.logits.fill(f32::NEG_INFINITY);
    assert!(case.results(Isa::detected()).1[0].is_nan());
}

#[test]
fn threads_change_nothing() {
    let case = Case::new(40, 5003, 2.0);
    set_threads(1);
    let alone = case.results(Isa::detected());
    for threads in [2, 3] {
        set_threads(threads);
        assert!(alone == case.results(Isa::detected()), "{threads}");
    }
}

#[test]
fn avx2_and_avx512_agree_to_the_bit() {
    if Isa::detected() == Isa::Avx512 {
        let case = Case::new(3, 5003, 2.0);
        assert!(case.results(Isa::Avx2) == case.results(Isa::Avx512));
    }
}

#[test]
#[should_panic(expected = "a target beyond the vocabulary of 4")]
fn unknown_targets_are_refused() {
    losses_only(&[0.0; 8], 4, &[0, 4], &mut [0.0; 2], &mut [0; 2]);
}

#[test]
#[should_panic(expected = "logits of 2 rows of 4")]
fn logits_of_another_length_are_refused() {
    losses_only(&[0.0; 7], 4, &[0, 1], &mut [0.0; 2], &mut [0; 2]);
}

#[test]
#[should_panic(expected = "weights and targets")]
fn weights_of_another_length_are_refused() {
    cross_entropy(&mut [0.0; 4], 4, &[0], &[1.0; 2], 1.0, &mut [0.0], &mut [0]);
}
