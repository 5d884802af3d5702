//! The tear sheet.

use backtest_report::{
    DrawdownSpan, DroppedOrders, MetricRow, MetricSection, MonthlyReturns, Note, Plot, Provenance,
    Size, TearSheet, Tile, Value, render,
};
use proptest::prelude::*;
use roxmltree::{Document, Node};

use crate::common::{day, every_plot};
use crate::{assert_empty, assert_stands_alone, body, texts};

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

fn of_tag(document: &Document<'_>, tag: &str) -> Vec<String> {
    texts(document, |node| node.has_tag_name(tag))
}

#[test]
fn the_page_stands_alone() {
    assert_stands_alone(&render(&sheet("plain")), 8);
}

#[test]
fn colours_of_plots_turn_with_the_scheme() {
    let page = render(&sheet("plain"));
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
    let cells = of_tag(&document, "td").join("|");
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
    assert_eq!(of_tag(&document, "h1"), [shown]);
    // As often as a sheet has texts; plots shorten some of theirs.
    let in_tables =
        [of_tag(&document, "td"), of_tag(&document, "dd"), of_tag(&document, "li")].concat();
    assert_eq!(in_tables.iter().filter(|text| *text == shown).count(), 10, "{in_tables:?}");
}

#[test]
fn what_is_empty_is_left_out() {
    let tags = ["<table", "<section", "<figure", "<ul", "<dl", "<h2"];
    assert_empty(&render(&TearSheet::default()), &tags);
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
