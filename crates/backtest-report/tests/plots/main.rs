//! Every plot is a well-formed document whose texts stay on the paper and apart, for any input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../common/mod.rs"]
mod common;
mod places;
mod text_boxes;

use backtest_report::{
    AxisChoice, EquityCurve, HeatGrid, MonthlyReturns, Series, Size, equity_curve, heat_grid,
    monthly_returns,
};
use proptest::prelude::*;
use roxmltree::Document;

use crate::common::{day, every_plot, points};
use crate::text_boxes::{paper, text_boxes};

fn wave(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i as f64 / 17.0).sin() * 0.04 + (i as f64 / 3.0).cos() * 0.02).collect()
}

fn texts(svg: &str) -> String {
    let document = Document::parse(svg).unwrap();
    text_boxes(&document).into_iter().map(|text| text.text).collect::<Vec<_>>().join("|")
}

/// Well-formed, on the paper, and no text upon another.
fn check(plot: &str, svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{plot}: {error}\n{svg}"));
    let root = document.root_element();
    assert!(root.has_tag_name(("http://www.w3.org/2000/svg", "svg")));
    assert!(
        root.attribute("aria-label").is_some_and(|label| !label.is_empty())
            || plot.contains("grid")
    );
    assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{plot}: {svg}");
    let (width, height) = paper(&document);
    let boxes = text_boxes(&document);
    assert!(!boxes.is_empty(), "{plot}");
    for text in &boxes {
        let inside =
            text.left >= 0.0 && text.right <= width && text.top >= 0.0 && text.bottom <= height;
        assert!(inside, "{plot}: {text:?} leaves {width} x {height}");
    }
    for (i, a) in boxes.iter().enumerate() {
        for b in &boxes[i + 1..] {
            let apart =
                a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            assert!(apart, "{plot}: {a:?} lies upon {b:?}");
        }
    }
}

#[test]
fn texts_stay_on_the_paper_and_apart() {
    let sizes = [(960, 420), (480, 240), (700, 300), (1600, 900), (1, 1)];
    for (width, height) in sizes {
        for count in [0, 1, 2, 3, 20, 250, 900] {
            for scale in [1.0, 1e-6, 1e7, -3.0] {
                let values: Vec<_> = wave(count).into_iter().map(|v| v * scale).collect();
                for (plot, svg) in every_plot(&values, "strategy", Size { width, height }) {
                    check(&format!("{plot} of {count} values times {scale}, {width} wide"), &svg);
                }
            }
        }
    }
}

#[test]
fn equal_values_have_an_axis_around_them() {
    for value in [0.0, 1.0, -0.5, 100_000.0] {
        for (plot, svg) in every_plot(&vec![value; 300], "flat", Size::default()) {
            check(plot, &svg);
        }
    }
    let strategy = Series::new("flat", points(&[100_000.0; 50]));
    let svg = equity_curve(&EquityCurve { strategy, ..Default::default() }, Size::default());
    assert!(texts(&svg).contains("|100k|"), "{}", texts(&svg));
}

#[test]
fn nothing_to_draw_says_so() {
    for values in [vec![], vec![f64::NAN; 9], vec![f64::INFINITY, f64::NEG_INFINITY]] {
        for (plot, svg) in every_plot(&values, "nothing", Size::default()) {
            check(plot, &svg);
            assert!(texts(&svg).contains("no value to draw"), "{plot}");
        }
    }
}

#[test]
fn names_are_text_and_never_markup() {
    let name = "R&D <b onload=\"x\">'bold'</b> ]]> \u{0} \n";
    for (plot, svg) in every_plot(&wave(40), name, Size::default()) {
        check(plot, &svg);
        assert!(!svg.contains("<b"), "{plot}");
    }
    let strategy = Series::new(name, points(&wave(40)));
    let svg = equity_curve(&EquityCurve { strategy, ..Default::default() }, Size::default());
    assert!(texts(&svg).contains("R&D <b onload=\"x\">'bold'</b> ]]> \u{FFFD}"), "{}", texts(&svg));
}

#[test]
fn a_gap_breaks_the_line() {
    let polylines = |values: &[f64]| {
        let strategy = Series::new("s", points(values));
        let svg = equity_curve(&EquityCurve { strategy, ..Default::default() }, Size::default());
        let document = Document::parse(&svg).unwrap();
        let wide = |name, width: &'static str| {
            let drawn = document.descendants().filter(move |node| node.has_tag_name(name));
            drawn.filter(|node| node.attribute("stroke-width") == Some(width)).count()
        };
        // Lines of the strategy, and the dots of sessions between two gaps.
        let dots = document.descendants().filter(|node| node.has_tag_name("circle")).count();
        (wide("polyline", "22"), dots)
    };
    let gap = f64::NAN;
    assert_eq!(polylines(&[1.0, 2.0, 3.0]), (1, 0));
    assert_eq!(polylines(&[1.0, 2.0, gap, 3.0, 4.0]), (2, 0));
    assert_eq!(polylines(&[1.0, 2.0, gap, 3.0, gap, 4.0, f64::INFINITY]), (1, 2));
}

#[test]
fn the_axis_is_logarithmic_where_that_helps_and_says_so() {
    let check = |values: &[f64], axis, expected: &str| {
        let strategy = Series::new("s", points(values));
        let svg =
            equity_curve(&EquityCurve { strategy, axis, ..Default::default() }, Size::default());
        assert_eq!(texts(&svg).split('|').nth(1), Some(expected));
    };
    check(&[1e5, 9e5], AxisChoice::Auto, "USD");
    check(&[1e5, 1.1e6], AxisChoice::Auto, "USD, log axis");
    check(&[1e5, -1.1e6], AxisChoice::Auto, "USD");
    check(&[1e5, 1.1e6], AxisChoice::Linear, "USD");
    check(&[1e5, 2e5], AxisChoice::Log, "USD, log axis");
    check(&[f64::MIN_POSITIVE, 1e149], AxisChoice::Auto, "USD");
    check(
        &[f64::MIN_POSITIVE, 1e149],
        AxisChoice::Log,
        "USD, linear axis since values are too far apart",
    );
    check(&[1e5, 0.0], AxisChoice::Log, "USD, linear axis since not all values are above zero");
}

#[test]
fn a_long_history_stays_small() {
    let values = |phase: f64| -> Vec<f64> {
        let noise = |i: usize| ((i as f64 * 12.9898 + phase).sin() * 43_758.545_3).fract();
        (0..5_000).map(|i| 1e6 + 1e5 * noise(i)).collect()
    };
    let series = |i: usize| Series::new(format!("series {i}"), points(&values(i as f64)));
    let baselines = (1..6).map(series).collect();
    let plot = EquityCurve { strategy: series(0), baselines, ..Default::default() };
    let svg = equity_curve(&plot, Size::default());
    assert!(svg.len() < 200_000, "{}", svg.len());
    assert!(svg.len() > 50_000, "{}", svg.len());
}

#[test]
fn a_heat_map_grows_with_its_years() {
    let height = |years: usize| {
        let months = (0..years * 12).map(|i| (day(i * 30 + 15), 0.01)).collect();
        let svg = monthly_returns(&MonthlyReturns { months }, 960);
        check("months", &svg);
        paper(&Document::parse(&svg).unwrap()).1
    };
    assert!(height(30) > 800.0, "{}", height(30));
    assert!(height(1) < 130.0, "{}", height(1));
}

#[test]
fn a_grid_shows_every_value_or_says_why_not() {
    let grid = |columns: usize| HeatGrid {
        title: "grid".to_owned(),
        x: (0..columns).map(|i| i.to_string()).collect(),
        y: vec!["a".to_owned(), "b".to_owned()],
        values: vec![vec![-0.12; columns], vec![0.34; columns]],
        decimals: 2,
        ..Default::default()
    };
    let values = |columns: usize| texts(&heat_grid(&grid(columns), 960)).matches("−0.12").count();
    // The scale is said once more in words.
    assert_eq!((values(5), values(20)), (5, 20));
    assert_eq!(values(60), 0);
    assert!(texts(&heat_grid(&grid(60), 960)).contains("cells are too narrow for values"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let plots = || every_plot(&wave(300), "strategy", Size::default());
    assert_eq!(plots(), plots());
}

#[test]
fn the_order_of_points_does_not_matter() {
    let plot = |points| {
        let strategy = Series::new("s", points);
        equity_curve(&EquityCurve { strategy, ..Default::default() }, Size::default())
    };
    let ordered = points(&wave(60));
    let reversed = ordered.iter().rev().copied().collect();
    assert_eq!(plot(ordered), plot(reversed));
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => -1.0..1.0f64,
        2 => -1e7..1e7f64,
        1 => prop::num::f64::ANY,
        1 => Just(f64::NAN),
        1 => Just(0.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_input_is_drawn(
        values in prop::collection::vec(any_value(), 0..80),
        name in ".{0,40}",
        width in 0..1_500u32,
        height in 0..900u32,
    ) {
        for (plot, svg) in every_plot(&values, &name, Size { width, height }) {
            let document = Document::parse(&svg);
            prop_assert!(document.is_ok(), "{plot}: {:?}\n{svg}", document.err());
            prop_assert!(!svg.contains("NaN"), "{plot}");
        }
    }
}
