use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::ngrams::{common_ngrams, ngrams_in};
use super::porter_stemmer::porter_stem;
use crate::MetricError;
use crate::paired::check_lengths;

/// Whether words are compared by their stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stemming {
    /// Words as they are, lower case.
    #[default]
    Off,
    /// Words of more than three letters are cut by Porter's algorithm (`use_stemmer=True`).
    Porter,
}

/// One kind of overlap; all three 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RougeScore {
    /// The share of the hypothesis that is in the reference.
    pub precision: f64,
    /// The share of the reference that is in the hypothesis.
    pub recall: f64,
    /// Their harmonic mean; 0 where both are 0.
    pub f1: f64,
}

/// The ROUGE scores of a text, or their means over texts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RougeScores {
    /// Common words.
    pub rouge1: RougeScore,
    /// Common pairs of neighbouring words.
    pub rouge2: RougeScore,
    /// The longest common subsequence of the whole texts, line breaks ignored.
    pub rouge_l: RougeScore,
    /// The union of common subsequences, line by line.
    pub rouge_l_sum: RougeScore,
}

/// ROUGE of one text, as Google's `rouge-score` 0.1: lower case, words of `[a-z0-9]+` (other
/// letters separate words, so that text in another script has none), F1 with β = 1. A text without
/// words scores 0.
///
/// `rouge_l_sum` takes each line for a sentence; it does not split lines into sentences. Time grows
/// with the product of the two texts' words, and memory with that of their longest lines.
///
/// Source: Lin (2004), "ROUGE: a package for automatic evaluation of summaries".
pub fn rouge(hypothesis: &str, reference: &str, stemming: Stemming) -> RougeScores {
    let words = |text: &str| words(text, stemming);
    let lines = |text: &str| text.split('\n').map(words).collect::<Vec<_>>();
    let (left, right) = (words(hypothesis), words(reference));
    let common = common_length(&left, &right);
    let rouge_l = overlap(common, left.len() as u64, right.len() as u64);
    // Of one line each, the union is the one subsequence.
    let rouge_l_sum = if hypothesis.contains('\n') || reference.contains('\n') {
        rouge_l_sum(&lines(hypothesis), &lines(reference))
    } else {
        rouge_l
    };
    RougeScores {
        rouge1: rouge_n(&left, &right, 1),
        rouge2: rouge_n(&left, &right, 2),
        rouge_l,
        rouge_l_sum,
    }
}

/// The mean of [`rouge`] over texts, one reference a hypothesis. The mean F1 is the mean of the
/// texts' F1, not the F1 of the means.
///
/// # Errors
/// [`MetricError::Lengths`], and [`MetricError::TooFew`] for no text at all.
pub fn mean_rouge<H: AsRef<str>, R: AsRef<str>>(
    hypotheses: &[H],
    references: &[R],
    stemming: Stemming,
) -> Result<RougeScores, MetricError> {
    check_lengths(hypotheses.len(), references.len(), 1)?;
    let pairs = hypotheses.iter().zip(references);
    let scores: Vec<_> = pairs.map(|(h, r)| rouge(h.as_ref(), r.as_ref(), stemming)).collect();
    let mean = |kind: fn(&RougeScores) -> RougeScore| {
        let mean = |part: fn(RougeScore) -> f64| {
            scores.iter().map(|text| part(kind(text))).sum::<f64>() / scores.len() as f64
        };
        RougeScore {
            precision: mean(|score| score.precision),
            recall: mean(|score| score.recall),
            f1: mean(|score| score.f1),
        }
    };
    Ok(RougeScores {
        rouge1: mean(|text| text.rouge1),
        rouge2: mean(|text| text.rouge2),
        rouge_l: mean(|text| text.rouge_l),
        rouge_l_sum: mean(|text| text.rouge_l_sum),
    })
}

fn words(text: &str, stemming: Stemming) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !matches!(c, 'a'..='z' | '0'..='9'));
    let stem = |word: &str| match stemming {
        Stemming::Porter if word.len() > 3 => porter_stem(word),
        _ => word.to_owned(),
    };
    words.filter(|word| !word.is_empty()).map(stem).collect()
}

fn rouge_n(left: &[String], right: &[String], order: usize) -> RougeScore {
    let ngrams = |words: &[String]| ngrams_in(words.len(), order);
    overlap(common_ngrams(left, right, order), ngrams(left), ngrams(right))
}

fn overlap(common: u64, hypothesis: u64, reference: u64) -> RougeScore {
    let share = |whole: u64| if whole == 0 { 0.0 } else { common as f64 / whole as f64 };
    let (precision, recall) = (share(hypothesis), share(reference));
    let sum = precision + recall;
    let f1 = if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 };
    RougeScore { precision, recall, f1 }
}

/// The length of the longest common subsequence, in the memory of one row.
fn common_length(left: &[String], right: &[String]) -> u64 {
    let mut row = vec![0; right.len() + 1];
    for word in left {
        let mut diagonal = 0;
        for (index, other) in right.iter().enumerate() {
            let above = row[index + 1];
            row[index + 1] = if word == other { diagonal + 1 } else { above.max(row[index]) };
            diagonal = above;
        }
    }
    row[right.len()]
}

fn rouge_l_sum(hypothesis: &[Vec<String>], reference: &[Vec<String>]) -> RougeScore {
    let (mut left_counts, mut right_counts) = (word_counts(hypothesis), word_counts(reference));
    let mut common = 0;
    for line in reference {
        let found: BTreeSet<usize> =
            hypothesis.iter().flat_map(|other| common_positions(line, other)).collect();
        for position in found {
            // A word of one text cannot be matched more often than the other text has it.
            let word = line[position].as_str();
            if let (Some(left @ 1..), Some(right @ 1..)) =
                (left_counts.get_mut(word), right_counts.get_mut(word))
            {
                *left -= 1;
                *right -= 1;
                common += 1;
            }
        }
    }
    let length = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum::<usize>() as u64;
    overlap(common, length(hypothesis), length(reference))
}

fn word_counts(lines: &[Vec<String>]) -> HashMap<&str, u64> {
    let mut counts = HashMap::new();
    for word in lines.iter().flatten() {
        *counts.entry(word.as_str()).or_insert(0) += 1;
    }
    counts
}

/// Positions in `reference` of one longest common subsequence; of several, the one that
/// `rouge-score` finds.
fn common_positions(reference: &[String], other: &[String]) -> Vec<usize> {
    let turns_left = turns_left(reference, other);
    let (mut row, mut column) = (reference.len(), other.len());
    let mut positions = Vec::new();
    while row > 0 && column > 0 {
        if reference[row - 1] == other[column - 1] {
            positions.push(row - 1);
            row -= 1;
            column -= 1;
        } else if turns_left[(row - 1) * other.len() + column - 1] {
            column -= 1;
        } else {
            row -= 1;
        }
    }
    positions
}

/// For each pair of words whether the longest subsequence up to it is longer without the second
/// word than without the first. The lengths themselves would take four times the memory.
fn turns_left(reference: &[String], other: &[String]) -> Vec<bool> {
    let mut turns = Vec::with_capacity(reference.len() * other.len());
    let mut lengths = vec![0_u32; other.len() + 1];
    for word in reference {
        let mut diagonal = 0;
        for (column, candidate) in other.iter().enumerate() {
            let (left, above) = (lengths[column], lengths[column + 1]);
            turns.push(left > above);
            lengths[column + 1] = if word == candidate { diagonal + 1 } else { above.max(left) };
            diagonal = above;
        }
    }
    turns
}
