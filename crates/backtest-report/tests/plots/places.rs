//! Values lie where the axes say: the marks of a plot are held against its own labels.

use backtest_report::{
    ActionReturns, AxisChoice, ConfusionMatrix, Drawdown, DrawdownSpan, EquityCurve, FoldSharpe,
    IcByMonth, Outcomes, Reliability, ReliabilityCurve, ReliabilityPoint, ReturnHistogram,
    ReturnsByAction, Series, Size, Turnover, WalkForward, confusion_matrix, drawdown, equity_curve,
    ic_by_month, outcomes, reliability, return_histogram, returns_by_action, turnover,
    walk_forward,
};
use roxmltree::{Document, Node};

use crate::common::{day, points};
use crate::text_boxes::text_boxes;

/// The middle of the label `text`, in pixels.
fn label(document: &Document<'_>, text: &str) -> (f64, f64) {
    let all = text_boxes(document);
    let found =
        all.iter().find(|label| label.text == text).unwrap_or_else(|| panic!("{text} in {all:?}"));
    // Texts stand 0.09 em below the place that they label.
    ((found.left + found.right) / 2.0, (found.top + found.bottom) / 2.0 - 13.5 * 0.09)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 0.11
}

fn number(node: &Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).and_then(|text| text.parse::<f64>().ok()).expect(name) / 10.0
}

/// Points of the lines whose stroke is this wide, in tenths of a pixel.
fn line_points(document: &Document<'_>, width: &str) -> Vec<(f64, f64)> {
    let lines = document.descendants().filter(|node| node.has_tag_name("polyline"));
    let lines = lines.filter(|node| node.attribute("stroke-width") == Some(width));
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',').expect("x,y");
        let px = |text: &str| text.parse::<f64>().expect("a number") / 10.0;
        (px(x), px(y))
    };
    lines
        .flat_map(|node| {
            node.attribute("points").expect("points").split(' ').map(point).collect::<Vec<_>>()
        })
        .collect()
}

/// Left, top, right and bottom of the bars of this colour, the legend's first.
fn bars(document: &Document<'_>, colour: &str) -> Vec<[f64; 4]> {
    let bars = document.descendants().filter(|node| node.has_tag_name("rect"));
    let bars = bars.filter(|node| node.attribute("fill") == Some(colour));
    let bars = bars.map(|node| {
        let (x, y) = (number(&node, "x"), number(&node, "y"));
        [x, y, x + number(&node, "width"), y + number(&node, "height")]
    });
    bars.collect()
}

#[test]
fn equity_lies_at_its_labels() {
    let check = |values: &[f64], axis, expected: &[(usize, &str)]| {
        let strategy = Series::new("s", points(values));
        let svg =
            equity_curve(&EquityCurve { strategy, axis, ..Default::default() }, Size::default());
        let document = Document::parse(&svg).unwrap();
        let line = line_points(&document, "22");
        assert_eq!(line.len(), values.len());
        for (i, text) in expected {
            assert!(near(line[*i].1, label(&document, text).1), "{text}: {line:?}");
        }
    };
    let strategy = Series::new("s", points(&[1.0, 3.0, 2.0, 1.0]));
    let svg = equity_curve(&EquityCurve { strategy, ..Default::default() }, Size::default());
    let document = Document::parse(&svg).unwrap();
    for (i, (x, _)) in line_points(&document, "22").iter().enumerate().take(3) {
        assert!(near(*x, label(&document, &day(i).to_string()).0), "{i} at {x}");
    }
    check(&[1e5, 1.5e5, 2e5, 1.2e5], AxisChoice::Auto, &[(1, "150k"), (2, "200k"), (3, "120k")]);
    check(&[-5e4, 0.0, 1e5], AxisChoice::Linear, &[(1, "0"), (2, "100k")]);
    check(&[1e5, 1e6, 2e6, 5e7], AxisChoice::Auto, &[(1, "1M"), (2, "2M"), (3, "50M")]);
}

#[test]
fn a_drawdown_is_marked_at_its_trough() {
    let span = DrawdownSpan { peak: day(0), trough: day(2), recovery: None, depth: -0.3 };
    let strategy = Series::new("s", points(&[0.0, -0.1, -0.3, -0.2]));
    let plot = Drawdown { strategy, worst: vec![span], ..Default::default() };
    let svg = drawdown(&plot, Size::default());
    let document = Document::parse(&svg).unwrap();
    let line = line_points(&document, "15");
    assert!(
        near(line[2].1, label(&document, "−30%").1) && near(line[0].1, label(&document, "0%").1)
    );
    assert!(near(line[2].0, label(&document, "1:  −30.0%").0), "{line:?}");
}

#[test]
fn a_bar_is_as_high_as_its_sum() {
    let mut values = vec![0.0; 400];
    (values[0], values[10], values[40]) = (0.05, 0.15, 0.1);
    let svg = turnover(&Turnover { points: points(&values) }, Size::default());
    let document = Document::parse(&svg).unwrap();
    assert!(svg.contains("% of equity per month"));
    let bars = bars(&document, "#0072B2");
    assert_eq!(bars.len(), 14, "{bars:?}");
    let (zero, ten, twenty) =
        (label(&document, "0%").1, label(&document, "10%").1, label(&document, "20%").1);
    let tops: Vec<_> = bars.iter().map(|bar| bar[1]).collect();
    assert!(near(tops[0], twenty) && near(tops[1], ten) && near(tops[2], zero), "{tops:?}");
    assert!(bars.iter().all(|bar| near(bar[3], zero)));
    // A month's bar stands in the middle between its tick and the next.
    let [january, november] = ["2015-01", "2014-11"].map(|text| label(&document, text).0);
    let middle = (bars[12][0] + bars[12][2]) / 2.0;
    assert!(near(middle - january, (january - november) / 61.0 * 15.5), "{january} {bars:?}");
}

#[test]
fn bars_of_folds_reach_their_sharpe_ratio() {
    let fold = |out_of_sample, in_sample| FoldSharpe {
        first: day(0),
        last: day(9),
        out_of_sample,
        in_sample,
    };
    let plot =
        WalkForward { folds: vec![fold(1.0, Some(1.5)), fold(-0.5, None), fold(f64::NAN, None)] };
    let svg = walk_forward(&plot, Size::default());
    let document = Document::parse(&svg).unwrap();
    let [zero, one, below] = ["0.0", "1.0", "−0.5"].map(|text| label(&document, text).1);
    // The first of each colour is the legend's.
    let (gains, losses) = (bars(&document, "#0072B2"), bars(&document, "#D55E00"));
    assert_eq!((gains.len(), losses.len()), (2, 2), "{gains:?} {losses:?}");
    let (gain, loss) = (gains[1], losses[1]);
    assert!(near(gain[1], one) && near(gain[3], zero), "{gain:?}");
    assert!(near(loss[1], zero) && near(loss[3], below), "{loss:?}");
    assert!(line_points(&document, "20").iter().all(|(_, y)| near(*y, label(&document, "1.5").1)));
}

#[test]
fn bars_of_a_histogram_count_their_returns() {
    let returns = vec![-0.02, -0.015, -0.015, 0.0, 0.001, 0.01, 0.02];
    let plot = ReturnHistogram { returns, period: "session".to_owned(), ..Default::default() };
    let svg = return_histogram(&plot, Size::default());
    assert!(svg.contains("number of sessions with a return in each 2%"), "{svg}");
    let document = Document::parse(&svg).unwrap();
    let (gains, losses) = (bars(&document, "#0072B2"), bars(&document, "#D55E00"));
    let [zero, one, three] = ["0", "1", "3"].map(|text| label(&document, text).1);
    // The first of each colour is the legend's.
    let tops = [losses[1][1], gains[1][1], gains[2][1]];
    assert!(near(tops[0], three) && near(tops[1], three) && near(tops[2], one), "{tops:?}");
    assert!(gains.len() == 3 && losses.len() == 2 && near(gains[1][3], zero));
}

#[test]
fn a_matrix_has_counts_and_shares_where_they_belong() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let plot = ConfusionMatrix {
        rows: names(&["UP", "DOWN"]),
        columns: names(&["UP", "DOWN", "none"]),
        counts: vec![vec![3, 1, 0], vec![7, 1_200]],
        ..Default::default()
    };
    let document_text = confusion_matrix(&plot, 960);
    let document = Document::parse(&document_text).unwrap();
    let boxes = text_boxes(&document);
    let middle = |text: &str| {
        let all: Vec<_> = boxes.iter().filter(|label| label.text == text).collect();
        assert_eq!(all.len(), 1, "{text}");
        ((all[0].left + all[0].right) / 2.0, (all[0].top + all[0].bottom) / 2.0)
    };
    assert!(near(middle("1,200").0, middle("3").0 + (middle("none").0 - middle("3").0) / 2.0));
    assert!(near(middle("75%").0, middle("3").0) && near(middle("25%").0, middle("1,200").0));
    assert!(near(middle("7").1, middle("1,200").1) && middle("3").1 < middle("7").1);
    assert!(document_text.contains("\n4 rows\n") && document_text.contains("\n1,207 rows\n"));
}

#[test]
fn a_bin_lies_at_its_confidence_and_accuracy() {
    let bin = |lower, count, mean_confidence, accuracy| ReliabilityPoint {
        lower,
        upper: lower + 0.2,
        count,
        mean_confidence,
        accuracy,
    };
    let bins = vec![
        bin(0.0, 0, None, None),
        bin(0.2, 30, Some(0.4), Some(0.2)),
        bin(0.6, 10, Some(0.8), Some(1.0)),
    ];
    let curves = vec![ReliabilityCurve { name: "all".to_owned(), bins }];
    let svg = reliability(&Reliability { title: "r".to_owned(), curves }, Size::default());
    let document = Document::parse(&svg).unwrap();
    // The legend's line comes first, then the curve.
    let points = line_points(&document, "20");
    let [low, high] = [points[points.len() - 2], points[points.len() - 1]];
    let all = text_boxes(&document);
    // Accuracies stand at the left, confidences below.
    let column = |text: &str| {
        all.iter().filter(|b| b.text == text).map(|b| (b.left + b.right) / 2.0).fold(0.0, f64::max)
    };
    let row = |text: &str| {
        all.iter()
            .filter(|b| b.text == text)
            .map(|b| (b.top + b.bottom) / 2.0 - 1.215)
            .fold(900.0, f64::min)
    };
    assert!(near(low.0, column("40%")) && near(low.1, row("20%")), "{low:?}");
    assert!(near(high.0, column("80%")) && near(high.1, row("100%")), "{high:?}");
    assert!(
        all.iter().any(|label| label.text == "30") && all.iter().any(|label| label.text == "10")
    );
}

#[test]
fn bars_of_months_and_means_of_actions_reach_their_values() {
    let months = [("a", 0.2), ("b", -0.1), ("c", f64::NAN)];
    let plot = IcByMonth {
        months: months.map(|(name, value)| (name.to_owned(), value)).into(),
        mean: Some(0.1),
        ..Default::default()
    };
    let svg = ic_by_month(&plot, Size::default());
    let document = Document::parse(&svg).unwrap();
    let (above, below) = (bars(&document, "#0072B2"), bars(&document, "#D55E00"));
    assert_eq!((above.len(), below.len()), (2, 2), "{above:?} {below:?}");
    assert!(near(above[1][1], label(&document, "0.20").1), "{above:?}");
    assert!(near(below[1][3], label(&document, "−0.10").1), "{below:?}");
    let mean = line_points(&document, "16");
    assert!(mean.iter().all(|(_, y)| near(*y, label(&document, "0.10").1)), "{mean:?}");

    let action = |name: &str, returns: &[f64]| ActionReturns {
        name: name.to_owned(),
        returns: returns.to_vec(),
        interval: None,
    };
    let actions = vec![action("BUY", &[0.1, 0.0, 0.2]), action("SELL", &[-0.2, f64::NAN, 0.0])];
    let svg = returns_by_action(
        &ReturnsByAction { window: "1 session".into(), actions },
        Size::default(),
    );
    let document = Document::parse(&svg).unwrap();
    let means = line_points(&document, "25");
    let ys: Vec<f64> = means[means.len() - 4..].iter().map(|(_, y)| *y).collect();
    let [ten, less] = ["10%", "−10%"].map(|text| label(&document, text).1);
    assert!(near(ys[0], ten) && near(ys[1], ten) && near(ys[2], less), "{ys:?}");
    assert!(
        svg.contains("mean 10.00%") && svg.contains("\n3 calls\n") && svg.contains("\n2 calls\n")
    );
}

#[test]
fn pieces_of_outcomes_are_as_long_as_their_shares() {
    let counts = |valid, lost| vec![("valid".to_owned(), valid), ("lost".to_owned(), lost)];
    let models = vec![("tuned".to_owned(), counts(3, 1)), ("base".to_owned(), counts(0, 8))];
    let svg = outcomes(&Outcomes { title: "o".to_owned(), models }, 960);
    let document = Document::parse(&svg).unwrap();
    // The first of each colour is the legend's.
    let (valid, lost) = (bars(&document, "#0072B2"), bars(&document, "#E69F00"));
    assert_eq!((valid.len(), lost.len()), (2, 3));
    let width = |bar: [f64; 4]| bar[2] - bar[0];
    assert!((width(valid[1]) / width(lost[1]) - 3.0).abs() < 0.02);
    assert!((width(lost[2]) / width(lost[1]) - 4.0).abs() < 0.04);
}
