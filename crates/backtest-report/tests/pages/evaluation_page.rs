//! The page about answers.

use backtest_report::{
    EvaluationPage, EvaluationPart, FigureCell, FigureRow, FigureTable, Meaning, Note, Plot,
    Provenance, SampleAnswer, SampleText, Size, Tile, Value, render_evaluation,
};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use crate::common::{day, every_plot};
use crate::{assert_empty, assert_stands_alone, body, texts};

/// A page in which every text is `text`.
fn page(text: &str) -> EvaluationPage {
    let own = || text.to_owned();
    let plots = every_plot(&[0.1, -0.2, 0.3, 0.05], text, Size::default());
    let cell = FigureCell { value: Value::Text(own()), under: own() };
    let row = FigureRow { name: own(), how: own(), cells: vec![Value::Ratio(1.25).into(), cell] };
    let table = FigureTable {
        title: own(),
        note: own(),
        head: own(),
        columns: vec![own(), own(), own()],
        rows: vec![row],
    };
    let said = |is_right| SampleText { name: own(), verdict: own(), is_right, text: own() };
    EvaluationPage {
        title: own(),
        subtitle: own(),
        period: Some((day(0), day(400))),
        headline: vec![Tile { label: own(), value: Value::Percent(0.55), note: own() }],
        notes: [true, false].map(|is_warning| Note { is_warning, text: own() }).into(),
        parts: vec![EvaluationPart {
            title: own(),
            lead: own(),
            findings: vec![own()],
            plots: plots.into_iter().map(|(_, svg)| Plot { svg, caption: own() }).collect(),
            tables: vec![table],
        }],
        samples: vec![SampleAnswer {
            title: own(),
            facts: vec![(own(), own())],
            texts: [None, Some(true), Some(false)].map(said).into(),
        }],
        meanings: vec![Meaning { name: own(), text: own() }],
        settings: vec![(own(), own())],
        provenance: Provenance {
            tool: own(),
            git_commit: Some(own()),
            config_digest: own(),
            inputs: vec![(own(), own())],
        },
    }
}

#[test]
fn the_page_stands_alone() {
    assert_stands_alone(&render_evaluation(&page("plain")), 6);
}

#[test]
fn figures_stand_under_their_heads() {
    let body = body(&render_evaluation(&page("plain")));
    let document = Document::parse(&body).unwrap();
    for row in document.descendants().filter(|node| node.has_tag_name("tr")) {
        let table = row.ancestors().find(|node| node.has_tag_name("table")).unwrap();
        let head = table.descendants().find(|node| node.has_tag_name("tr")).unwrap();
        let cells = |row: Node<'_, '_>| row.children().filter(Node::is_element).count();
        assert_eq!(cells(row), cells(head));
    }
    let cells = texts(&document, |node| node.has_tag_name("td"));
    assert_eq!(cells[..3], ["1.250", "plainplain", "n/a"]);
}

#[test]
fn text_is_never_markup_and_keeps_its_lines() {
    let hostile = "<script>alert(\"1\")</script> & 'x' <!-- ]]> \u{1}";
    let page_text = render_evaluation(&page(hostile));
    assert!(!page_text.contains("<script") && !page_text.contains("<!--"));
    let body_text = body(&page_text);
    let document = Document::parse(&body_text).unwrap();
    let shown = "<script>alert(\"1\")</script> & 'x' <!-- ]]> \u{FFFD}";
    let of_class =
        |class: &'static str| texts(&document, move |node| node.attribute("class") == Some(class));
    assert_eq!(of_class("said"), [shown, shown, shown]);
    assert_eq!(of_class("how"), [shown]);
    assert_eq!(of_class("range"), [shown]);
    assert_eq!(of_class("verdict"), [shown.to_owned(), format!("✓ {shown}"), format!("✗ {shown}")]);

    let check = |text: &str, want: &str| {
        let mut page = page("plain");
        page.samples[0].texts.truncate(1);
        page.samples[0].texts[0].text = text.to_owned();
        let body = body(&render_evaluation(&page));
        let document = Document::parse(&body).unwrap();
        assert_eq!(texts(&document, |node| node.attribute("class") == Some("said")), [want]);
    };
    check("one\n two\r\n\nthree", "one\n two\n\nthree");
    check(" \n ", "nothing");
    let long = "é".repeat(6_010);
    check(&long, &format!("{}\n… and 10 characters more", "é".repeat(6_000)));
}

#[test]
fn what_is_empty_is_left_out() {
    let empty = EvaluationPage {
        parts: vec![EvaluationPart { lead: "nothing".into(), ..EvaluationPart::default() }],
        ..EvaluationPage::default()
    };
    let tags = ["<table", "<section", "<figure", "<ul", "<dl", "<h2", "<article"];
    assert_empty(&render_evaluation(&empty), &tags);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_text_makes_a_well_formed_page(text in "(.|\n|\r){0,60}") {
        let written = render_evaluation(&page(&text));
        let body = body(&written);
        prop_assert!(Document::parse(&body).is_ok(), "{body}");
        prop_assert_eq!(written, render_evaluation(&page(&text)));
    }
}
