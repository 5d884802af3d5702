use backtest_report::{EvaluationPage, render_evaluation};
use evaluation_study::{
    BootstrapSettings, EvaluatedRow, ModelAnswer, StudySettings, ValidationRow, study,
};
use thesis_core::{Action, AsOfDate, Ticker, parse_answer};

use super::{PageFacts, page};
use crate::plots::plots;

/// An answer that is four times as sure of `action` as of each other one.
fn answer(text: &str, action: Action) -> ModelAnswer {
    ModelAnswer {
        text: text.to_owned(),
        parsed: parse_answer(text),
        action_log_probs: Some(Action::ALL.map(|a| if a == action { 4.0_f64.ln() } else { 0.0 })),
        loss_sum: 20.0,
        target_tokens: 10,
        reasoning_cosine: Some(0.5),
    }
}

fn said(action: Action) -> ModelAnswer {
    let text = format!("<reasoning>a</reasoning><support>b</support><action>{action}</action>");
    answer(&text, action)
}

/// Eight days on which the tuned model is right but for the last two, and the base model says HOLD.
fn rows() -> Vec<EvaluatedRow> {
    let row = |day: usize| {
        let label = Action::ALL[day % 5];
        EvaluatedRow {
            uid: format!("u{day}"),
            ticker: Ticker::new("KO").expect("a ticker"),
            as_of_date: AsOfDate::parse(&format!("2024-01-{:02}", day + 1)).expect("a date"),
            label,
            reference: said(label).text,
            forward_returns: vec![0.01 * (3.0 - day as f64), f64::NAN],
            tuned: match day {
                7 => answer("nothing <b>at all</b>", label),
                6 => said(Action::Hold),
                _ => said(label),
            },
            base: Some(said(Action::Hold)),
        }
    };
    (0..8).map(row).collect()
}

fn page_of(rows: &[EvaluatedRow], windows: &[u32]) -> EvaluationPage {
    let bootstrap = BootstrapSettings { replicates: 50, ..BootstrapSettings::default() };
    let settings =
        StudySettings { forward_windows: windows.to_vec(), bootstrap, ..StudySettings::default() };
    let validation: Vec<ValidationRow> = Action::ALL
        .map(|label| ValidationRow {
            label,
            tuned: said(Action::Buy).action_log_probs,
            base: said(Action::Hold).action_log_probs,
        })
        .into();
    let study = study(rows, Some(&validation), &settings).expect("a study");
    let facts = PageFacts {
        title: "a model".to_owned(),
        warnings: study.warnings.iter().map(ToString::to_string).collect(),
        ..PageFacts::default()
    };
    page(&study, rows, &plots(rows, &study), facts)
}

fn titles(page: &EvaluationPage) -> Vec<&str> {
    page.parts.iter().map(|part| part.title.as_str()).collect()
}

#[test]
fn a_page_has_a_part_for_what_there_is() {
    let mut rows = rows();
    let all = ["Calls", "Comparison", "Language", "Probabilities", "Returns"];
    let page = page_of(&rows, &[1, 5]);
    assert_eq!(titles(&page), all);
    assert!(page.parts.iter().filter(|part| !part.plots.is_empty()).count() == 4);
    let html = render_evaluation(&page);
    assert!(!html.contains("NaN") && !html.contains("<b>"), "{html}");
    for table in page.parts.iter().flat_map(|part| &part.tables) {
        for row in &table.rows {
            assert_eq!(row.cells.len(), table.columns.len(), "{}: {}", table.title, row.name);
        }
    }
    for row in &mut rows {
        row.base = None;
        row.tuned.action_log_probs = None;
        row.forward_returns.clear();
    }
    assert_eq!(titles(&page_of(&rows, &[])), ["Calls", "Language"]);
}

#[test]
fn figures_are_those_of_the_study() {
    let page = page_of(&rows(), &[1, 5]);
    let cells = |title: &str, name: &str| -> Vec<String> {
        let tables = page.parts.iter().flat_map(|part| &part.tables);
        let table = tables.into_iter().find(|table| table.title == title).expect(title);
        let row = table.rows.iter().find(|row| row.name == name).expect(name);
        row.cells.iter().map(|cell| cell.value.to_string()).collect()
    };
    assert_eq!(cells("All actions", "Accuracy"), ["75.00%", "25.00%", "+50.00 points"]);
    assert_eq!(cells("By action, tuned model", "HOLD"), ["2", "2", "50.00%", "50.00%", "0.500"]);
    assert_eq!(cells("Loss and tags", "Loss, nats a token"), ["2.000", "2.000", "0.000"]);
    assert_eq!(cells("Outcomes of answers", "no action"), ["1", "0"]);
    // One in five is right in the validation split: the probabilities say nothing.
    assert_eq!(cells("Calibration", "Temperature"), ["100.000", "", "100.000", ""]);
    assert_eq!(cells("By window", "Rows without"), ["0", "8"]);
    // Of six buys and sells of the labels three; a return of exactly 0 is a miss.
    assert_eq!(cells("By window", "Hit rate, labels"), ["50.00%", "n/a"]);
    assert_eq!(cells("Mean return by action", "BUY, labels"), ["−0.50% (2)", "n/a"]);
    let findings = page.parts[1].findings.join("\n");
    assert!(
        findings.contains("alone is right in 5 rows and the base model alone in 1"),
        "{findings}"
    );
    assert!(findings.contains("p = 0.2188: it may well be chance"), "{findings}");
    assert!(findings.contains("p = 1.0000"), "{findings}");
}

#[test]
fn answers_of_each_kind_are_shown_once() {
    let page = page_of(&rows(), &[1, 5]);
    let dates: Vec<&str> = page.samples.iter().map(|s| &s.title[s.title.len() - 2..]).collect();
    // Right where the base is not, wrong, then whatever is left.
    assert_eq!(dates, ["01", "02", "07", "08", "03", "04"]);
    let verdicts = |sample: usize| -> Vec<&str> {
        page.samples[sample].texts.iter().map(|text| text.verdict.as_str()).collect()
    };
    assert_eq!(verdicts(0), ["", "right: STRONG_BUY, 20% sure", "wrong: HOLD, 20% sure"]);
    assert_eq!(verdicts(3), ["", "wrong: no action; no action", "right: HOLD, 20% sure"]);
}
