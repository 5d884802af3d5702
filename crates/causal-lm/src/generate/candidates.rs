use super::SamplingOptions;
use super::exponential::exp;
use super::log_softmax::{greatest, sum_of};

/// A token that may be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) id: u32,
    /// Proportional to its probability; the likeliest token has 1.
    pub(super) weight: f32,
}

/// Memory that is used again from token to token.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    largest: Vec<f32>,
    candidates: Vec<Candidate>,
}

/// Tokens that temperature, top-k, top-p and min-p leave of `logits`, which have a greatest value that is finite.
///
/// Nothing is sorted but what top-p needs sorted.
pub(super) fn candidates<'a>(
    logits: &[f32],
    options: &SamplingOptions,
    scratch: &'a mut Scratch,
) -> &'a [Candidate] {
    let SamplingOptions { temperature, top_k, top_p, min_p, repetition_penalty: _ } = *options;
    let Scratch { largest, candidates } = scratch;
    let max = greatest(logits);
    let weight = |logit: f32| exp((logit - max) / temperature);
    let top_p = top_p.filter(|&p| p < 1.0).map(f64::from);

    let least = match top_k {
        Some(k) if k < logits.len() => kth_largest(logits, k, largest),
        _ => f32::NEG_INFINITY,
    };
    let whole = (top_p.is_some() && least == f32::NEG_INFINITY).then(|| sum_of(logits, weight));
    // Tokens below this have less than 1 - p even together, so top-p takes every one of them; a little less, for rounding.
    let negligible = match (top_p, whole) {
        (Some(p), Some(total)) => ((1.0 - p) * total / logits.len() as f64 * 0.999_999) as f32,
        _ => 0.0,
    };
    candidates.clear();
    for (id, &logit) in logits.iter().enumerate() {
        if logit >= least {
            let weight = weight(logit);
            if weight > negligible {
                candidates.push(Candidate { id: id as u32, weight });
            }
        }
    }
    if let Some(p) = top_p {
        let sum = || candidates.iter().map(|candidate| f64::from(candidate.weight)).sum();
        let total: f64 = whole.unwrap_or_else(sum);
        keep_nucleus(candidates, p * total);
    }
    if let Some(min_p) = min_p {
        candidates.retain(|candidate| candidate.weight >= min_p);
    }
    candidates
}

/// The candidate in which `u` of `0..1` falls when they lie one after the other, each as long as its weight.
pub(super) fn draw(candidates: &[Candidate], u: f64) -> Option<u32> {
    let total: f64 = candidates.iter().map(|c| f64::from(c.weight)).sum();
    let mut left = u * total;
    let fallen = candidates.iter().find(|candidate| {
        left -= f64::from(candidate.weight);
        left < 0.0
    });
    // Rounding may leave a rest after the last one.
    fallen.or(candidates.last()).map(|candidate| candidate.id)
}

/// The `k`-th largest value; `k` is from 1 to the number of values. `largest` holds twice `k` values at most.
pub(super) fn kth_largest(values: &[f32], k: usize, largest: &mut Vec<f32>) -> f32 {
    let mut least = f32::NEG_INFINITY;
    largest.clear();
    let shrink = |largest: &mut Vec<f32>| {
        let (_, kth, _) = largest.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
        let kth = *kth;
        largest.truncate(k);
        kth
    };
    for &value in values {
        if value > least {
            largest.push(value);
            if largest.len() == 2 * k {
                least = shrink(largest);
            }
        }
    }
    if largest.len() < k { f32::NEG_INFINITY } else { shrink(largest) }
}

/// Keeps the fewest heaviest candidates that have `mass` together, and at least one; heaviest first.
fn keep_nucleus(candidates: &mut Vec<Candidate>, mass: f64) {
    candidates.sort_unstable_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
    let mut above = 0.0;
    let kept = candidates.iter().take_while(|candidate| {
        let keep = above < mass;
        above += f64::from(candidate.weight);
        keep
    });
    let kept = kept.count().max(1);
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn kth_largest_is_that_of_a_sort(values in prop::collection::vec(-9i8..9, 1..200), k in 1usize..200) {
            let values: Vec<f32> = values.into_iter().map(f32::from).collect();
            let k = k.min(values.len());
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            prop_assert_eq!(kth_largest(&values, k, &mut Vec::new()), sorted[k - 1]);
        }

        /// Against the definition: sort all, add up, cut.
        #[test]
        fn nucleus_is_that_of_a_sort(logits in prop::collection::vec(-12.0f32..4.0, 1..300), p in 0.01f32..0.999) {
            let options = SamplingOptions { temperature: 0.9, top_p: Some(p), ..Default::default() };
            let mut scratch = Scratch::default();
            let mut got: Vec<u32> =
                candidates(&logits, &options, &mut scratch).iter().map(|c| c.id).collect();
            let max = logits.iter().copied().fold(f32::MIN, f32::max);
            let weights: Vec<f64> =
                logits.iter().map(|&x| (f64::from(x - max) / 0.9).exp()).collect();
            let total: f64 = weights.iter().sum();
            let mut order: Vec<u32> = (0..logits.len() as u32).collect();
            order.sort_by(|&a, &b| weights[b as usize].total_cmp(&weights[a as usize]));
            let mut want = Vec::new();
            let mut above = 0.0;
            let mut clear = true;
            for id in order {
                clear &= (above / total - f64::from(p)).abs() > 1e-5;
                if above < f64::from(p) * total || want.is_empty() {
                    want.push(id);
                }
                above += weights[id as usize];
            }
            got.sort_unstable();
            want.sort_unstable();
            prop_assume!(clear);
            prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn draws_fall_by_weight() {
        let candidates =
            [(3, 1.0), (5, 0.5), (9, 0.25), (1, 0.25)].map(|(id, weight)| Candidate { id, weight });
        let check = |u, want| assert_eq!(draw(&candidates, u), Some(want), "{u}");
        check(0.0, 3);
        check(0.499, 3);
        check(0.5, 5);
        check(0.749, 5);
        check(0.76, 9);
        check(0.99, 1);
        check(1.0, 1);
        assert_eq!(draw(&[], 0.5), None);
    }

    #[test]
    fn ties_with_the_last_of_top_k_stay() {
        let options = SamplingOptions { temperature: 1.0, top_k: Some(2), ..Default::default() };
        let mut scratch = Scratch::default();
        let kept = candidates(&[1.0, 3.0, 2.0, 2.0, 0.0], &options, &mut scratch);
        assert_eq!(kept.iter().map(|c| c.id).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
