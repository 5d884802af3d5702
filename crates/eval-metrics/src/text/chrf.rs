use super::ngrams::{common_ngrams, ngrams_in};
use super::python_whitespace::is_python_whitespace;
use crate::MetricError;
use crate::paired::check_lengths;

const CHARACTER_ORDERS: usize = 6;
/// β squared: recall counts twice as much as precision.
const BETA_SQUARED: f64 = 4.0;

/// chrF2 of a corpus, 0 to 100, one reference a hypothesis, as sacrebleu's
/// `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`: character n-grams of 1 to 6 over texts without
/// white space, counted over the whole corpus, with precision and recall averaged over the orders
/// before F2 is taken. Orders that hypotheses or references do not have are left out.
///
/// Characters are Unicode scalar values. An empty text matches nothing.
///
/// # Errors
/// [`MetricError::Lengths`], and [`MetricError::TooFew`] for no text at all.
///
/// Source: Popović (2015), "chrF: character n-gram F-score for automatic MT evaluation".
pub fn corpus_chrf<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<f64, MetricError> {
    corpus(hypotheses, references, 0)
}

/// chrF2++ of a corpus, 0 to 100: [`corpus_chrf`] with word 1-grams and 2-grams as two more orders
/// (`nw:2`). One ASCII punctuation character is cut off a word, at its end before its beginning.
///
/// # Errors
/// [`MetricError::Lengths`], and [`MetricError::TooFew`] for no text at all.
///
/// Source: Popović (2017), "chrF++: words helping character n-grams".
pub fn corpus_chrf_plus_plus<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<f64, MetricError> {
    corpus(hypotheses, references, 2)
}

/// chrF2 of one text, 0 to 100; see [`corpus_chrf`].
pub fn sentence_chrf(hypothesis: &str, reference: &str) -> f64 {
    score(&counts(hypothesis, reference, 0))
}

/// chrF2++ of one text, 0 to 100; see [`corpus_chrf_plus_plus`].
pub fn sentence_chrf_plus_plus(hypothesis: &str, reference: &str) -> f64 {
    score(&counts(hypothesis, reference, 2))
}

/// n-grams of one order.
#[derive(Clone, Copy, Default)]
struct Counts {
    hypothesis: u64,
    reference: u64,
    common: u64,
}

fn corpus<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
    word_orders: usize,
) -> Result<f64, MetricError> {
    check_lengths(hypotheses.len(), references.len(), 1)?;
    let mut sums = vec![Counts::default(); CHARACTER_ORDERS + word_orders];
    for (hypothesis, reference) in hypotheses.iter().zip(references) {
        let text = counts(hypothesis.as_ref(), reference.as_ref(), word_orders);
        for (sum, text) in sums.iter_mut().zip(text) {
            sum.hypothesis += text.hypothesis;
            sum.reference += text.reference;
            sum.common += text.common;
        }
    }
    Ok(score(&sums))
}

/// Counts of each order, characters first.
fn counts(hypothesis: &str, reference: &str, word_orders: usize) -> Vec<Counts> {
    let characters =
        |text: &str| text.chars().filter(|c| !is_python_whitespace(*c)).collect::<Vec<_>>();
    let (left, right) = (characters(hypothesis), characters(reference));
    let mut counts: Vec<_> =
        (1..=CHARACTER_ORDERS).map(|order| counts_of_order(&left, &right, order)).collect();
    if word_orders > 0 {
        let (left, right) = (words(hypothesis), words(reference));
        counts.extend((1..=word_orders).map(|order| counts_of_order(&left, &right, order)));
    }
    counts
}

fn counts_of_order<T: Eq + std::hash::Hash>(left: &[T], right: &[T], order: usize) -> Counts {
    let reference = ngrams_in(right.len(), order);
    Counts {
        // As sacrebleu: what cannot be matched in this text is not held against the corpus.
        hypothesis: if reference > 0 { ngrams_in(left.len(), order) } else { 0 },
        reference,
        common: common_ngrams(left, right, order),
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split(is_python_whitespace).filter(|word| !word.is_empty()) {
        let mut chars = word.chars();
        let (first, last) = (chars.next(), chars.next_back());
        match (first, last) {
            (Some(_), Some(last)) if last.is_ascii_punctuation() => {
                let (head, tail) = word.split_at(word.len() - 1);
                words.extend([head, tail]);
            }
            (Some(first), Some(_)) if first.is_ascii_punctuation() => {
                let (head, tail) = word.split_at(1);
                words.extend([head, tail]);
            }
            _ => words.push(word),
        }
    }
    words
}

fn score(orders: &[Counts]) -> f64 {
    let present = || orders.iter().filter(|order| order.hypothesis > 0 && order.reference > 0);
    let number = present().count();
    if number == 0 {
        return 0.0;
    }
    let mean = |share: fn(&Counts) -> f64| present().map(share).sum::<f64>() / number as f64;
    let precision = mean(|order| order.common as f64 / order.hypothesis as f64);
    let recall = mean(|order| order.common as f64 / order.reference as f64);
    if precision + recall == 0.0 {
        return 0.0;
    }
    100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
}
