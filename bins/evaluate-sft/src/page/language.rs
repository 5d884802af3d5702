use backtest_report::{EvaluationPart, FigureCell, FigureRow, FigureTable, Value};
use evaluation_study::{EvaluationStudy, Figure, ModelJudgement, TextScores};

use super::cells::{
    Unit, change, if_known, missing, model_columns, model_row, points, with_interval,
};
use super::{part_if_any, plots_named};
use crate::plots::NamedPlot;

/// How well answers are written: loss, tags, texts.
pub(super) fn part(study: &EvaluationStudy, plots: &[NamedPlot]) -> Option<EvaluationPart> {
    part_if_any(EvaluationPart {
        title: "Language".to_owned(),
        lead: "How likely models find the references, whether answers keep the tags, and how near their texts are."
            .to_owned(),
        findings: Vec::new(),
        plots: plots_named(plots, &["outcomes"]),
        tables: vec![figures(study), texts(study), outcomes(study)],
    })
}

fn figures(study: &EvaluationStudy) -> FigureTable {
    let rows = vec![
        model_row(
            study,
            (
                "Loss, nats a token",
                "Mean −ln p of the reference's tokens, each after the true ones.",
            ),
            |model| if_known(model.language.map(|language| language.loss), Value::Ratio),
            Some((Figure::Loss, change)),
        ),
        model_row(
            study,
            ("Perplexity", "e to the loss."),
            |model| if_known(model.language.map(|language| language.perplexity), Value::Ratio),
            None,
        ),
        model_row(
            study,
            ("Target tokens", ""),
            |model| model.language.map_or(missing(), |l| Value::Count(l.target_tokens).into()),
            None,
        ),
        model_row(
            study,
            ("Valid tags", "Share of answers that follow the grammar to the letter."),
            |model| with_interval(model.tags.valid, Value::Percent),
            Some((Figure::TagValidity, points)),
        ),
    ];
    FigureTable {
        title: "Loss and tags".to_owned(),
        note: String::new(),
        head: "Figure".to_owned(),
        columns: model_columns(study),
        rows,
    }
}

fn texts(study: &EvaluationStudy) -> FigureTable {
    type Part = fn(&ModelJudgement) -> Option<&TextScores>;
    let parts: [(&str, Part, bool); 2] = [
        ("Reasoning", |model| model.texts.reasoning.as_ref(), true),
        ("Support", |model| model.texts.support.as_ref(), false),
    ];
    let mut rows = Vec::new();
    for (name, part, is_compared) in parts {
        let mut add = |figure: &str, how: &str, cell: fn(&TextScores) -> FigureCell, of_both| {
            let name = format!("{name}: {figure}");
            let cell = |model: &ModelJudgement| part(model).map_or(missing(), cell);
            rows.push(model_row(study, (&name, how), cell, of_both));
        };
        let of_both: Option<(Figure, Unit)> = is_compared.then_some((Figure::RougeL, change));
        add("ROUGE-1", "F1 of words.", |t| with_interval(t.rouge_1, Value::Ratio), None);
        add("ROUGE-2", "F1 of pairs of words.", |t| with_interval(t.rouge_2, Value::Ratio), None);
        add(
            "ROUGE-L",
            "F1 of the longest common subsequence.",
            |t| with_interval(t.rouge_l, Value::Ratio),
            of_both,
        );
        add(
            "BLEU",
            "0 to 100, as sacrebleu.",
            |t| Value::Number(t.bleu.score, 2, String::new()).into(),
            None,
        );
        add(
            "chrF",
            "0 to 100, as sacrebleu.",
            |t| Value::Number(t.chrf, 2, String::new()).into(),
            None,
        );
        add("missing", "They score 0.", |t| Value::Count(t.missing).into(), None);
    }
    rows.push(model_row(
        study,
        (
            "Reasoning: cosine",
            "Of mean-pooled hidden states of the base model, where there is a reasoning.",
        ),
        |model| if_known(model.texts.reasoning_cosine, Value::Ratio),
        Some((Figure::ReasoningCosine, change)),
    ));
    FigureTable {
        title: "Texts against the references".to_owned(),
        note: "Other words can say the same: read some answers below.".to_owned(),
        head: "Figure".to_owned(),
        columns: model_columns(study),
        rows,
    }
}

fn outcomes(study: &EvaluationStudy) -> FigureTable {
    let models = [Some(&study.tuned), study.base.as_ref()];
    let count = |model: &ModelJudgement, index: usize| model.tags.outcomes[index].count;
    let occurs = |index: &usize| models.into_iter().flatten().any(|model| count(model, *index) > 0);
    let outcomes = &study.tuned.tags.outcomes;
    let rows = (0..outcomes.len()).filter(occurs).map(|index| {
        let outcome = outcomes[index];
        let cells = models.into_iter().flatten().map(|model| {
            let count = count(model, index);
            let share = Value::Percent(count as f64 / study.rows as f64);
            let under = if count > 0 { share.to_string() } else { String::new() };
            FigureCell { value: Value::Count(count), under }
        });
        FigureRow {
            name: outcome.outcome.as_str().replace('_', " "),
            how: outcome.outcome.meaning().to_owned(),
            cells: cells.collect(),
        }
    });
    let mut columns = model_columns(study);
    columns.retain(|column| column != "Difference");
    FigureTable {
        title: "Outcomes of answers".to_owned(),
        note: "Best first; of several faults of an answer the worst is counted. What no answer has is left out.".to_owned(),
        head: "Outcome".to_owned(),
        columns,
        rows: rows.collect(),
    }
}
