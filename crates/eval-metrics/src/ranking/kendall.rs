use super::Correlation;
use crate::MetricError;
use crate::paired::check_pairs;
use crate::significance::distributions::normal_cdf;

/// Up to this many pairs without ties the p-value is exact.
const EXACT: usize = 33;

/// Kendall's τ-b: concordant minus discordant pairs, over the geometric mean of the pairs that are
/// not tied on either side. Without ties it is τ-a. Takes O(n log n) by Knight's method.
///
/// The p-value is that of `scipy.stats.kendalltau` with `method="auto"`: exact without ties for up
/// to 33 values, or where at most one pair is out of order; else the normal approximation with its
/// variance corrected for ties.
///
/// # Errors
/// [`MetricError::Undefined`] where all values of one side are equal; [`MetricError::Lengths`],
/// [`MetricError::TooFew`] for fewer than two values, and [`MetricError::NotFinite`].
///
/// Source: Kendall (1945), "The treatment of ties in ranking problems"; Knight (1966); exact
/// p-values by Kendall (1970), "Rank correlation methods".
pub fn kendall_tau_b(left: &[f64], right: &[f64]) -> Result<Correlation, MetricError> {
    check_pairs(left, right, 2)?;
    let mut pairs: Vec<(f64, f64)> = left.iter().copied().zip(right.iter().copied()).collect();
    // Adding 0 turns −0 into 0: the total order has them apart, and they are equal.
    pairs.iter_mut().for_each(|(l, r)| (*l, *r) = (*l + 0.0, *r + 0.0));
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let left_ties = Ties::of(pairs.chunk_by(|a, b| a.0 == b.0));
    let both_ties = Ties::of(pairs.chunk_by(|a, b| a == b));
    let mut order: Vec<f64> = pairs.into_iter().map(|(_, right)| right).collect();
    let discordant = sort_counting_inversions(&mut order);
    let right_ties = Ties::of(order.chunk_by(|a, b| a == b));

    let size = left.len() as f64;
    let all = pairs_of(left.len());
    let (left_untied, right_untied) = (all - left_ties.pairs, all - right_ties.pairs);
    if left_untied == 0 || right_untied == 0 {
        return Err(MetricError::Undefined { reason: "all values of one side are equal" });
    }
    let concordant = all + both_ties.pairs - left_ties.pairs - right_ties.pairs - discordant;
    let balance = concordant as f64 - discordant as f64;
    // One root of the product: equal sides then have exactly 1.
    let coefficient = balance / (left_untied as f64 * right_untied as f64).sqrt();
    let out_of_order = discordant.min(all - discordant);
    let untied = left_ties.pairs == 0 && right_ties.pairs == 0;
    let p_value = if untied && (left.len() <= EXACT || out_of_order <= 1) {
        exact_p_value(left.len(), out_of_order, all)
    } else {
        let pairs = size * (size - 1.0);
        let variance = (pairs * (2.0 * size + 5.0) - left_ties.fives - right_ties.fives) / 18.0
            + 2.0 * left_ties.pairs as f64 * right_ties.pairs as f64 / pairs
            + left_ties.triples * right_ties.triples / (9.0 * pairs * (size - 2.0));
        2.0 * normal_cdf(-balance.abs() / variance.sqrt())
    };
    Ok(Correlation { coefficient: coefficient.clamp(-1.0, 1.0), p_value: p_value.clamp(0.0, 1.0) })
}

/// Sums over the groups of equal values, t being the size of a group.
struct Ties {
    /// Σ t (t − 1) / 2
    pairs: u128,
    /// Σ t (t − 1) (t − 2)
    triples: f64,
    /// Σ t (t − 1) (2 t + 5)
    fives: f64,
}

impl Ties {
    fn of<'a, T: 'a>(groups: impl Iterator<Item = &'a [T]>) -> Self {
        let mut ties = Self { pairs: 0, triples: 0.0, fives: 0.0 };
        for group in groups {
            let size = group.len() as f64;
            ties.pairs += pairs_of(group.len());
            ties.triples += size * (size - 1.0) * (size - 2.0);
            ties.fives += size * (size - 1.0) * (2.0 * size + 5.0);
        }
        ties
    }
}

const fn pairs_of(values: usize) -> u128 {
    values as u128 * (values as u128).saturating_sub(1) / 2
}

/// Sorts by merging runs of doubling width; returns how many pairs stood in the wrong order.
fn sort_counting_inversions(values: &mut Vec<f64>) -> u128 {
    let mut inversions = 0;
    let mut merged = Vec::with_capacity(values.len());
    let mut width = 1;
    while width < values.len() {
        merged.clear();
        for run in values.chunks(2 * width) {
            let (mut left, mut right) = run.split_at(width.min(run.len()));
            while let ([l, left_rest @ ..], [r, right_rest @ ..]) = (left, right) {
                if r < l {
                    inversions += left.len() as u128;
                    merged.push(*r);
                    right = right_rest;
                } else {
                    merged.push(*l);
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(values, &mut merged);
        width *= 2;
    }
    inversions
}

/// Twice the share of the permutations of `size` values that have at most `inversions` pairs out
/// of order.
fn exact_p_value(size: usize, inversions: u128, all: u128) -> f64 {
    if size <= 2 || 2 * inversions == all {
        return 1.0;
    }
    // With n! permutations, 1 has no pair out of order and n − 1 have one.
    if inversions <= 1 {
        let last = if inversions == 0 { size } else { size - 1 };
        return 2.0 / (1..=last).map(|factor| factor as f64).product::<f64>();
    }
    // Here the size is at most 33, whose factorial and all counts fit into 128 bits.
    let inversions = inversions as usize;
    let mut counts = vec![0_u128; inversions + 1];
    counts[0] = 1;
    let mut permutations = 1_u128;
    for length in 2..=size {
        for more in 1..=inversions {
            counts[more] += counts[more - 1];
        }
        for more in (length..=inversions).rev() {
            counts[more] -= counts[more - length];
        }
        permutations *= length as u128;
    }
    2.0 * (counts.iter().sum::<u128>() as f64 / permutations as f64)
}
