//! The page stands alone, escapes what it is given, and leaves out what is empty.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use backtest_report::{
    DrawdownSpan, DroppedOrders, MetricRow, MetricSection, MonthlyReturns, Note, Plot, Provenance,
    Size, TearSheet, Tile, Value, render,
};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use crate::common::{day, every_plot};

/// A page in which every text is `text`.
fn sheet(text: &str) -> TearSheet {
    let own = || text.to_owned();
    let plots = every_plot(&[0.1, -0.2, 0.3, 0.05], text, Size::default());
    let row = MetricRow {
        name: own(),
        values: vec![Value::Ratio(1.25), Value::Text(own()), Value::Percent(f64::NAN)],
        convention: own(),
    };
    let span = DrawdownSpan { peak: day(0), trough: day(9), recovery: None, depth: -0.25 };
    let recovered = DrawdownSpan { recovery: Some(day(30)), ..span };
    TearSheet {
        title: own(),
        subtitle: own(),
        period: Some((day(0), day(400))),
        headline: vec![Tile { label: own(), value: Value::Usd(8_102_345.0), note: own() }],
        notes: [true, false].map(|is_warning| Note { is_warning, text: own() }).into(),
        sections: vec![MetricSection {
            title: own(),
            note: own(),
            columns: vec![own(), own()],
            rows: vec![row],
        }],
        plots: plots.into_iter().map(|(_, svg)| Plot { svg, caption: own() }).collect(),
        monthly: MonthlyReturns { months: vec![(day(3), 0.031), (day(40), -0.12)] },
        drawdowns: vec![span, recovered],
        fills: vec![(own(), Value::Count(12_345))],
        dropped: vec![DroppedOrders { reason: own(), count: 3, example: own() }],
        settings: vec![(own(), own())],
        provenance: Provenance {
            tool: own(),
            git_commit: Some(own()),
            config_digest: own(),
            inputs: vec![(own(), own())],
        },
    }
}

/// The body is written so that it is XML too, but for the first line of the page.
fn body(page: &str) -> String {
    let (from, to) = (page.find("<body>").unwrap(), page.find("</body>").unwrap());
    page[from..to + "</body>".len()].to_owned()
}

fn texts<'a>(document: &'a Document<'_>, tag: &'a str) -> Vec<String> {
    let nodes = document.descendants().filter(move |node| node.has_tag_name(tag));
    let text = |node: Node<'_, '_>| {
        node.descendants().filter_map(|n| n.text().filter(|_| n.is_text())).collect()
    };
    nodes.map(text).collect()
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = render(&sheet("plain"));
    let document_text = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for sign in ["http:", "https:", "//", "url(", "@import", "src=", "<script", "<link", "<iframe"]
    {
        assert!(!document_text.contains(sign), "{sign}");
    }
    let body = body(&page);
    let document = Document::parse(&body).unwrap();
    let links = document.descendants().filter_map(|node| node.attribute("href"));
    let links: Vec<_> = links.collect();
    assert_eq!(links.len(), 8);
    let has = |id: &str| document.descendants().any(|node| node.attribute("id") == Some(id));
    assert!(links.iter().all(|link| link.strip_prefix('#').is_some_and(has)), "{links:?}");
}

#[test]
fn the_page_says_what_it_is_and_who_may_trust_it() {
    let page = render(&sheet("plain"));
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert!(page.matches("Research software; not investment advice.").count() == 2);
    assert!(page.contains("prefers-color-scheme:dark") && page.contains("@media print"));
    // What plots are drawn in must turn with the scheme.
    for colour in ["#FFFFFF", "#1F2328", "#0072B2"] {
        assert!(page.contains(&format!(".plot [fill=\"{colour}\"]")), "{colour}");
        assert!(page.contains(&format!("fill=\"{colour}\"")), "{colour}");
    }
}

#[test]
fn tables_have_heads_and_figures() {
    let body = body(&render(&sheet("plain")));
    let document = Document::parse(&body).unwrap();
    let heads = document.descendants().filter(|node| node.has_tag_name("th"));
    assert!(heads.clone().count() > 30);
    for head in heads {
        assert!(matches!(head.attribute("scope"), Some("col" | "row")), "{head:?}");
    }
    let cells = texts(&document, "td").join("|");
    assert!(cells.starts_with("1.250|plain|n/a|"), "{cells}");
    for figures in [
        "3.1|−12.0",
        "−25.00%|2014-01-02|2014-01-11|not yet|9|n/a|n/a",
        "2014-02-01|9|21|30",
        "12,345",
    ] {
        assert!(cells.contains(figures), "{figures} in {cells}");
    }
    for table in document.descendants().filter(|node| node.has_tag_name("tr")) {
        let columns = table.children().filter(Node::is_element).count();
        let siblings = table.ancestors().find(|node| node.has_tag_name("table")).unwrap();
        let head = siblings.descendants().find(|node| node.has_tag_name("tr")).unwrap();
        assert_eq!(columns, head.children().filter(Node::is_element).count());
    }
    for svg in document.descendants().filter(|node| node.tag_name().name() == "svg") {
        assert_eq!(svg.attribute("role"), Some("img"));
        assert!(svg.children().any(|node| node.tag_name().name() == "title"));
    }
}

#[test]
fn text_is_never_markup() {
    let hostile = "<script>alert(\"1\")</script> & 'x' <!-- ]]> \u{1}";
    let page = render(&sheet(hostile));
    assert!(!page.contains("<script") && !page.contains("<!--"));
    let body = body(&page);
    let document = Document::parse(&body).unwrap();
    let shown = "<script>alert(\"1\")</script> & 'x' <!-- ]]> \u{FFFD}";
    assert_eq!(texts(&document, "h1"), [shown]);
    // As often as a sheet has texts; plots shorten some of theirs.
    let in_tables =
        [texts(&document, "td"), texts(&document, "dd"), texts(&document, "li")].concat();
    assert_eq!(in_tables.iter().filter(|text| *text == shown).count(), 10, "{in_tables:?}");
}

#[test]
fn what_is_empty_is_left_out() {
    let page = render(&TearSheet::default());
    let body = body(&page);
    Document::parse(&body).unwrap();
    for tag in ["<table", "<section", "<figure", "<ul", "<dl", "<h2"] {
        assert!(!body.contains(tag), "{tag}");
    }
    assert!(page.contains("not investment advice"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_text_makes_a_well_formed_page(text in ".{0,60}", months in prop::collection::vec(prop::num::f64::ANY, 0..40)) {
        let months = months.into_iter().enumerate().map(|(i, value)| (day(i * 30), value)).collect();
        let sheet = TearSheet { monthly: MonthlyReturns { months }, ..sheet(&text) };
        let page = render(&sheet);
        let body = body(&page);
        prop_assert!(Document::parse(&body).is_ok(), "{body}");
        prop_assert_eq!(page, render(&sheet));
    }
}
