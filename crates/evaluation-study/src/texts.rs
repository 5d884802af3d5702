use eval_metrics::text::{BleuScore, Stemming, corpus_bleu, corpus_chrf, rouge};
use rayon::prelude::*;
use serde::Serialize;
use thesis_core::{ParsedAnswer, parse_answer};

use crate::dates::{Dates, Part, parts};
use crate::{Estimate, EvaluatedRow, ModelAnswer, StudyError};

/// How near answers are to the references, part by part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextJudgement {
    /// The reasoning; `None` where no reference has any.
    pub reasoning: Option<TextScores>,
    /// The support, likewise.
    pub support: Option<TextScores>,
    /// The mean cosine of mean-pooled embeddings of both reasonings, of the answers that have one.
    pub reasoning_cosine: Option<Estimate>,
}

/// Texts against reference texts. An answer that lacks the part counts as an empty text, which scores
/// 0; rows whose reference lacks it are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextScores {
    /// Rows whose reference has this part.
    pub rows: u64,
    /// Answers among them that lack it.
    pub missing: u64,
    /// BLEU of all texts together, as sacrebleu's; it is no mean over rows and has no interval.
    pub bleu: BleuScore,
    /// chrF2 of all texts together, 0 to 100, as sacrebleu's; likewise.
    pub chrf: f64,
    /// The mean F1 of common words, 0 to 1, without stemming, as rouge-score's.
    pub rouge_1: Estimate,
    /// That of common pairs of words.
    pub rouge_2: Estimate,
    /// That of the longest common subsequence.
    pub rouge_l: Estimate,
}

type PartOf = fn(&ParsedAnswer) -> Option<&str>;

pub(crate) fn judge_texts(
    references: &[ParsedAnswer],
    answers: &[&ModelAnswer],
    dates: &Dates,
) -> Result<TextJudgement, StudyError> {
    let cosines: Vec<Option<f64>> = answers.iter().map(|a| a.reasoning_cosine).collect();
    Ok(TextJudgement {
        reasoning: text_scores(references, answers, reasoning, dates)?,
        support: text_scores(references, answers, |parsed| parsed.support.as_deref(), dates)?,
        reasoning_cosine: dates.mean(&cosines, None),
    })
}

/// What can be read of the rows' references.
pub(crate) fn parse_references(rows: &[&EvaluatedRow]) -> Vec<ParsedAnswer> {
    rows.iter().map(|row| parse_answer(&row.reference)).collect()
}

/// ROUGE-L of each row's reasoning, for means.
pub(crate) fn rouge_l_parts(references: &[ParsedAnswer], answers: &[&ModelAnswer]) -> Vec<Part> {
    let rouges = rouges(references, answers, reasoning);
    parts(&rouges.into_iter().map(|scores| Some(scores?[2])).collect::<Vec<_>>())
}

fn reasoning(parsed: &ParsedAnswer) -> Option<&str> {
    parsed.reasoning.as_deref()
}

fn text_scores(
    references: &[ParsedAnswer],
    answers: &[&ModelAnswer],
    part: PartOf,
    dates: &Dates,
) -> Result<Option<TextScores>, StudyError> {
    let pairs = references.iter().zip(answers);
    let (wanted, found): (Vec<&str>, Vec<Option<&str>>) =
        pairs.filter_map(|(r, answer)| Some((part(r)?, part(&answer.parsed)))).unzip();
    let rouges = rouges(references, answers, part);
    let mean = |kind: usize| {
        let scores: Vec<Option<f64>> = rouges.iter().map(|scores| Some((*scores)?[kind])).collect();
        dates.mean(&scores, None)
    };
    let (Some(rouge_1), Some(rouge_2), Some(rouge_l)) = (mean(0), mean(1), mean(2)) else {
        return Ok(None);
    };
    let texts: Vec<&str> = found.iter().map(|text| text.unwrap_or_default()).collect();
    let failed = |what| move |source| StudyError::Metric { what, source };
    Ok(Some(TextScores {
        rows: wanted.len() as u64,
        missing: found.iter().filter(|text| text.is_none()).count() as u64,
        bleu: corpus_bleu(&texts, &wanted).map_err(failed("BLEU"))?,
        chrf: corpus_chrf(&texts, &wanted).map_err(failed("chrF"))?,
        rouge_1,
        rouge_2,
        rouge_l,
    }))
}

/// F1 of ROUGE-1, -2 and -L of each row; `None` where the reference lacks the part.
fn rouges(
    references: &[ParsedAnswer],
    answers: &[&ModelAnswer],
    part: PartOf,
) -> Vec<Option<[f64; 3]>> {
    let score = |(reference, answer): (&ParsedAnswer, &&ModelAnswer)| {
        let text = part(&answer.parsed).unwrap_or_default();
        let scores = rouge(text, part(reference)?, Stemming::Off);
        Some([scores.rouge1.f1, scores.rouge2.f1, scores.rouge_l.f1])
    };
    references.par_iter().zip(answers).map(score).collect()
}
