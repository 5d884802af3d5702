//! A page about made-up answers.

use backtest_report::{
    EvaluationPage, EvaluationPart, FigureCell, FigureRow, FigureTable, Meaning, Note, Plot,
    Provenance, SampleAnswer, SampleText, Tile, Value,
};

pub(crate) fn answers_page(plots: &[(String, String)]) -> EvaluationPage {
    let plot = |name: &str, caption: &str| Plot {
        svg: plots.iter().find(|(n, _)| n == name).map_or("", |(_, svg)| svg).to_owned(),
        caption: caption.to_owned(),
    };
    let tile = |label: &str, value, note: &str| Tile {
        label: label.to_owned(),
        value,
        note: note.to_owned(),
    };
    let note = |is_warning, text: &str| Note { is_warning, text: text.to_owned() };
    EvaluationPage {
        title: "smollm2-135m-theses · test".to_owned(),
        subtitle: "Greedy answers in free text; LoRA on a base in 4 bits".to_owned(),
        headline: vec![
            tile("Accuracy", Value::Percent(0.6881), "base 21.47%"),
            tile("Macro F1", Value::Ratio(0.662), "base 0.148"),
            tile("Valid tags", Value::Percent(0.9872), "base 5.69%"),
            tile("Loss", Value::Ratio(1.204), "nats a token; base 2.611"),
            tile("Perplexity", Value::Ratio(3.333), "base 13.613"),
            tile("Calibration error", Value::Percent(0.0214), "9.80% without temperature"),
        ],
        notes: vec![
            note(
                true,
                "Answers of the tuned model break the tag grammar in 7 of 545 rows (1.3 %).",
            ),
            note(false, "All figures on this page are made up by a generator of random numbers."),
        ],
        parts: vec![
            EvaluationPart {
                title: "Calls".to_owned(),
                lead: "The action of each answer against the label of its row.".to_owned(),
                findings: vec!["Always saying HOLD would be right in 36.51% of rows.".to_owned()],
                plots: vec![plot("confusion-matrix", "Framed is what is right.")],
                tables: vec![figures()],
            },
            EvaluationPart {
                title: "Language".to_owned(),
                plots: vec![plot("outcomes", "")],
                ..EvaluationPart::default()
            },
            EvaluationPart {
                title: "Probabilities".to_owned(),
                plots: vec![plot(
                    "reliability",
                    "On the grey line, 70 % sure is right in 70 of 100.",
                )],
                ..EvaluationPart::default()
            },
            EvaluationPart {
                title: "Returns".to_owned(),
                plots: vec![plot("returns-by-action", ""), plot("ic-by-month", "")],
                ..EvaluationPart::default()
            },
        ],
        samples: vec![sample()],
        meanings: vec![Meaning {
            name: "Accuracy".to_owned(),
            text: "Right calls over all rows; an answer without an action is wrong.".to_owned(),
        }],
        settings: vec![("split".to_owned(), "test".to_owned())],
        provenance: Provenance { tool: "gallery".to_owned(), ..Provenance::default() },
        ..EvaluationPage::default()
    }
}

fn figures() -> FigureTable {
    let cell = |value: Value, under: &str| FigureCell { value, under: under.to_owned() };
    let row = |name: &str, how: &str, cells| FigureRow {
        name: name.to_owned(),
        how: how.to_owned(),
        cells,
    };
    FigureTable {
        title: "All actions".to_owned(),
        note: String::new(),
        head: "Figure".to_owned(),
        columns: ["Tuned", "Base", "Difference"].map(str::to_owned).into(),
        rows: vec![
            row(
                "Accuracy",
                "Share of rows whose action is the label.",
                vec![
                    cell(Value::Percent(0.6881), "64.22% to 73.03%"),
                    cell(Value::Percent(0.2147), "17.80% to 25.32%"),
                    cell(Value::Text("+47.34 points".to_owned()), "+41.83 to +52.84"),
                ],
            ),
            row("Cohen's kappa", "", vec![Value::Ratio(0.592).into(), Value::Ratio(0.011).into()]),
        ],
    }
}

fn sample() -> SampleAnswer {
    let said = |name: &str, verdict: &str, is_right, text: &str| SampleText {
        name: name.to_owned(),
        verdict: verdict.to_owned(),
        is_right,
        text: text.to_owned(),
    };
    let reference = "<reasoning>Revenue grows & margins expand.</reasoning><support>growth | \
                     cash</support><action>BUY</action>";
    SampleAnswer {
        title: "MSFT, 2023-04-03".to_owned(),
        facts: vec![
            ("label".to_owned(), "BUY".to_owned()),
            ("after 5 sessions".to_owned(), "2.31%".to_owned()),
        ],
        texts: vec![
            said("reference", "", None, reference),
            said("tuned", "right: BUY, 81% sure", Some(true), reference),
            said(
                "base",
                "wrong: no action; no action",
                Some(false),
                "The stock is interesting.\n\n1. <b>Growth</b>\n2. Cash",
            ),
        ],
    }
}
