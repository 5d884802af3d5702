use backtest_report::{EvaluationPart, FigureTable, Value};
use evaluation_study::{EvaluationStudy, ModelJudgement, TextScores};

use super::cells::{Models, bare, columns, row, with_interval};

/// Answers as texts.
pub(super) fn part(_study: &EvaluationStudy, models: &Models<'_>) -> EvaluationPart {
    let mut tables = vec![loss(models)];
    let reasoning = |model: &ModelJudgement| model.texts.reasoning.clone();
    let support = |model: &ModelJudgement| model.texts.support.clone();
    tables.extend(texts("Reasoning against the reference", models, &reasoning));
    tables.extend(texts("Support against the reference", models, &support));
    EvaluationPart {
        title: "Language".to_owned(),
        lead: "How likely models find the references, and how near their texts come to them."
            .to_owned(),
        findings: Vec::new(),
        plots: Vec::new(),
        tables,
    }
}

fn loss(models: &Models<'_>) -> FigureTable {
    FigureTable {
        title: "References and embeddings".to_owned(),
        note: String::new(),
        head: "Figure".to_owned(),
        columns: columns(models),
        rows: vec![
            row("Loss", "nats a target token, teacher-forced", models, |m| {
                with_interval(m.language.map(|language| language.loss), Value::Ratio)
            }),
            row("Perplexity", "e to the loss", models, |m| {
                with_interval(m.language.map(|language| language.perplexity), Value::Ratio)
            }),
            row("Target tokens", "", models, |m| {
                m.language.map_or(Value::Missing, |l| Value::Count(l.target_tokens)).into()
            }),
            row("Cosine of reasoning", "mean-pooled embeddings of the base model", models, |m| {
                with_interval(m.texts.reasoning_cosine, Value::Ratio)
            }),
        ],
    }
}

fn texts(
    title: &str,
    models: &Models<'_>,
    of: &dyn Fn(&ModelJudgement) -> Option<TextScores>,
) -> Option<FigureTable> {
    models.iter().find_map(|(_, model)| of(model))?;
    Some(FigureTable {
        title: title.to_owned(),
        note: "An answer that lacks the part scores 0.".to_owned(),
        head: "Figure".to_owned(),
        columns: columns(models),
        rows: vec![
            row("BLEU", "0 to 100, of all texts together", models, |m| {
                bare(of(m).map(|scores| scores.bleu.score), Value::Ratio)
            }),
            row("chrF", "0 to 100, of all texts together", models, |m| {
                bare(of(m).map(|scores| scores.chrf), Value::Ratio)
            }),
            row("ROUGE-1", "F1", models, |m| with_interval(of(m).map(|s| s.rouge_1), Value::Ratio)),
            row("ROUGE-2", "F1", models, |m| with_interval(of(m).map(|s| s.rouge_2), Value::Ratio)),
            row("ROUGE-L", "F1", models, |m| with_interval(of(m).map(|s| s.rouge_l), Value::Ratio)),
            row("Answers without it", "", models, |m| {
                of(m).map_or(Value::Missing, |scores| Value::Count(scores.missing)).into()
            }),
        ],
    })
}
