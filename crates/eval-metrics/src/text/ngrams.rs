use std::collections::HashMap;
use std::hash::Hash;

/// How many n-grams of order `order` there are, repeated ones among them.
pub(super) const fn ngrams_in(tokens: usize, order: usize) -> u64 {
    (tokens + 1).saturating_sub(order) as u64
}

/// How many n-grams both have in common, each counted as often as in the one that has it less.
pub(super) fn common_ngrams<T: Eq + Hash>(left: &[T], right: &[T], order: usize) -> u64 {
    let right = count_ngrams(right, order);
    let common =
        |(ngram, count): (&[T], u64)| right.get(ngram).map_or(0, |other| count.min(*other));
    count_ngrams(left, order).into_iter().map(common).sum()
}

/// How often each n-gram occurs; `order` is at least 1.
fn count_ngrams<T: Eq + Hash>(tokens: &[T], order: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    for ngram in tokens.windows(order) {
        *counts.entry(ngram).or_insert(0) += 1;
    }
    counts
}
