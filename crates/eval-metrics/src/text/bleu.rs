use serde::{Deserialize, Serialize};

use super::ngrams::{common_ngrams, ngrams_in};
use super::tokenize_13a::tokenize_13a;
use crate::MetricError;
use crate::paired::check_lengths;

const ORDERS: usize = 4;

/// A BLEU score and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BleuScore {
    /// The score, 0 to 100.
    pub score: f64,
    /// What the score was multiplied by for being shorter than the reference, 0 to 1.
    pub brevity_penalty: f64,
    /// Smoothed precisions of 1-grams to 4-grams, 0 to 100; all 0 where no n-gram matches.
    pub precisions: [f64; ORDERS],
    /// n-grams that occur in the reference too, n from 1 to 4.
    pub matches: [u64; ORDERS],
    /// n-grams of the hypotheses.
    pub totals: [u64; ORDERS],
    /// Tokens of the hypotheses.
    pub hypothesis_tokens: u64,
    /// Tokens of the references.
    pub reference_tokens: u64,
}

/// BLEU of a corpus, one reference a hypothesis, as sacrebleu's
/// `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`: counts are summed over the corpus first, so that
/// this is not the mean of [`sentence_bleu`].
///
/// Where no n-gram of an order matches, its precision is halved from order to order ("exp"
/// smoothing). A corpus whose hypotheses all have fewer than four tokens scores 0. An empty text
/// is a text without tokens.
///
/// # Errors
/// [`MetricError::Lengths`], and [`MetricError::TooFew`] for no text at all.
///
/// Source: Papineni et al. (2002); Post (2018), "A call for clarity in reporting BLEU scores".
pub fn corpus_bleu<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
) -> Result<BleuScore, MetricError> {
    check_lengths(hypotheses.len(), references.len(), 1)?;
    let mut counts = Counts::default();
    for (hypothesis, reference) in hypotheses.iter().zip(references) {
        counts.add(hypothesis.as_ref(), reference.as_ref());
    }
    Ok(counts.score(false))
}

/// BLEU of one text, as sacrebleu's `sentence_bleu`: like [`corpus_bleu`], but a hypothesis of
/// fewer than four tokens is judged by the orders that it has (`eff:yes`).
pub fn sentence_bleu(hypothesis: &str, reference: &str) -> BleuScore {
    let mut counts = Counts::default();
    counts.add(hypothesis, reference);
    counts.score(true)
}

#[derive(Default)]
struct Counts {
    matches: [u64; ORDERS],
    totals: [u64; ORDERS],
    hypothesis_tokens: u64,
    reference_tokens: u64,
}

impl Counts {
    fn add(&mut self, hypothesis: &str, reference: &str) {
        let (hypothesis, reference) = (tokenize_13a(hypothesis), tokenize_13a(reference));
        self.hypothesis_tokens += hypothesis.len() as u64;
        self.reference_tokens += reference.len() as u64;
        for (index, (matches, total)) in self.matches.iter_mut().zip(&mut self.totals).enumerate() {
            *matches += common_ngrams(&hypothesis, &reference, index + 1);
            *total += ngrams_in(hypothesis.len(), index + 1);
        }
    }

    fn score(self, effective_order: bool) -> BleuScore {
        let Self { matches, totals, hypothesis_tokens, reference_tokens } = self;
        let brevity_penalty = brevity_penalty(hypothesis_tokens, reference_tokens);
        let precisions = precisions(matches, totals);
        let orders = if effective_order {
            totals.iter().take_while(|total| **total > 0).count()
        } else {
            ORDERS
        };
        let used = &precisions[..orders];
        let score = if used.iter().all(|precision| *precision > 0.0) && orders > 0 {
            let logs: f64 = used.iter().map(|precision| precision.ln()).sum();
            brevity_penalty * (logs / orders as f64).exp()
        } else {
            0.0
        };
        BleuScore {
            score,
            brevity_penalty,
            precisions,
            matches,
            totals,
            hypothesis_tokens,
            reference_tokens,
        }
    }
}

fn brevity_penalty(hypothesis_tokens: u64, reference_tokens: u64) -> f64 {
    if hypothesis_tokens >= reference_tokens {
        1.0
    } else if hypothesis_tokens == 0 {
        0.0
    } else {
        (1.0 - reference_tokens as f64 / hypothesis_tokens as f64).exp()
    }
}

fn precisions(matches: [u64; ORDERS], totals: [u64; ORDERS]) -> [f64; ORDERS] {
    let mut precisions = [0.0; ORDERS];
    if matches == [0; ORDERS] {
        return precisions;
    }
    let mut smoothing = 1.0;
    for (index, precision) in precisions.iter_mut().enumerate() {
        let (matches, total) = (matches[index] as f64, totals[index] as f64);
        if total == 0.0 {
            break;
        }
        *precision = if matches > 0.0 {
            100.0 * matches / total
        } else {
            smoothing *= 2.0;
            100.0 / (smoothing * total)
        };
    }
    precisions
}
