//! Plots of an evaluation, from made-up calls, and their awkward cases.

use backtest_report::{
    ActionReturns, ConfusionMatrix, IcByMonth, Outcomes, Reliability, ReliabilityCurve,
    ReliabilityPoint, ReturnsByAction, Size, confusion_matrix, ic_by_month, outcomes, reliability,
    returns_by_action,
};

use crate::market::Chance;

const ACTIONS: [&str; 5] = ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"];

pub(crate) fn judgement_plots() -> Vec<(String, String)> {
    let size = Size::default();
    let counts = [
        [41, 17, 4, 0, 0, 0],
        [12, 96, 31, 3, 0, 1],
        [1, 24, 152, 19, 1, 2],
        [0, 2, 27, 64, 9, 0],
        [0, 0, 3, 14, 22, 0],
    ];
    let tuned = [("valid", 538), ("text outside", 2), ("unclosed tag", 2), ("no action", 3)];
    let base = [
        ("valid", 31),
        ("missing tag", 212),
        ("unclosed tag", 80),
        ("action in prose", 138),
        ("no action", 84),
    ];
    let plots = [
        ("confusion-matrix", confusion_matrix(&matrix(&counts), size.width)),
        ("reliability", reliability(&curves(1), size)),
        ("returns-by-action", returns_by_action(&returns(90, 0.9), size)),
        ("ic-by-month", ic_by_month(&months(21), Size { height: 300, ..size })),
        ("outcomes", outcomes(&bars(&[("tuned", &tuned), ("base", &base)]), size.width)),
    ];
    plots.map(|(name, svg)| (name.to_owned(), svg)).into()
}

pub(crate) fn awkward_judgement_plots() -> Vec<(String, String)> {
    let size = Size::default();
    let one_class = [[0; 6], [0; 6], [0, 0, 12, 0, 0, 0], [0; 6], [0; 6]];
    let huge = [[u64::MAX / 64; 6]; 5];
    let odd = ReturnsByAction {
        window: "30 sessions".to_owned(),
        actions: vec![
            ActionReturns { name: "BUY".to_owned(), returns: vec![0.01], interval: None },
            ActionReturns {
                name: "an action with quite a long name".to_owned(),
                returns: vec![f64::NAN, 0.3, -0.2, f64::INFINITY],
                interval: Some((f64::NAN, 0.4)),
            },
            ActionReturns::default(),
        ],
    };
    let all: Vec<(String, u64)> =
        (0..11).map(|i| (format!("outcome number {i}"), 1 << i)).collect();
    let eleven = Outcomes {
        title: "Eleven outcomes".to_owned(),
        models: vec![("a model of a name that is too long to be written".to_owned(), all)],
    };
    let plots = [
        ("x-matrix-empty", confusion_matrix(&ConfusionMatrix::default(), size.width)),
        ("x-matrix-one-class", confusion_matrix(&matrix(&one_class), size.width)),
        ("x-matrix-huge", confusion_matrix(&matrix(&huge), 480)),
        ("x-reliability-empty", reliability(&Reliability::default(), size)),
        ("x-reliability-one-bin", reliability(&one_bin(), size)),
        ("x-reliability-many", reliability(&curves(4), Size { width: 480, height: 240 })),
        ("x-returns-none", returns_by_action(&ReturnsByAction::default(), size)),
        ("x-returns-odd", returns_by_action(&odd, size)),
        ("x-returns-tails", returns_by_action(&returns(4_000, 12.0), size)),
        ("x-ic-none", ic_by_month(&IcByMonth::default(), size)),
        ("x-ic-one", ic_by_month(&months(1), size)),
        ("x-ic-many", ic_by_month(&months(240), size)),
        ("x-outcomes-none", outcomes(&Outcomes::default(), size.width)),
        ("x-outcomes-eleven", outcomes(&eleven, 480)),
    ];
    plots.map(|(name, svg)| (name.to_owned(), svg)).into()
}

fn matrix(counts: &[[u64; 6]; 5]) -> ConfusionMatrix {
    ConfusionMatrix {
        title: "Calls against labels, tuned model".to_owned(),
        row_name: "label".to_owned(),
        rows: ACTIONS.map(str::to_owned).into(),
        column_name: "call".to_owned(),
        columns: ACTIONS.into_iter().chain(["none"]).map(str::to_owned).collect(),
        counts: counts.iter().map(|row| row.to_vec()).collect(),
    }
}

/// Overconfident probabilities, and mended ones; `fine` times ten bins.
fn curves(fine: u32) -> Reliability {
    let bins = 10 * fine;
    let curve = |name: &str, bend: f64| ReliabilityCurve {
        name: name.to_owned(),
        bins: (0..bins)
            .map(|i| {
                let (lower, upper) =
                    (f64::from(i) / f64::from(bins), f64::from(i + 1) / f64::from(bins));
                let count =
                    if upper <= 0.2 { 0 } else { (f64::from(i) * 37.3 * bend) as u64 % 160 };
                let confidence = (lower + upper) / 2.0;
                let right =
                    (confidence.powf(bend) + 0.04 * f64::from(i * 7 % 5) - 0.08).clamp(0.0, 1.0);
                ReliabilityPoint {
                    lower,
                    upper,
                    count,
                    mean_confidence: (count > 0).then_some(confidence),
                    accuracy: (count > 0).then_some(right),
                }
            })
            .collect(),
    };
    Reliability {
        title: "Reliability, tuned model".to_owned(),
        curves: vec![curve("before", 2.1), curve("after the temperature 1.52", 1.1)],
    }
}

fn one_bin() -> Reliability {
    let bin = ReliabilityPoint {
        lower: 0.9,
        upper: 1.0,
        count: 1_234_567_890,
        mean_confidence: Some(1.0),
        accuracy: Some(f64::NAN),
    };
    let certain = ReliabilityPoint { accuracy: Some(1.0), ..bin };
    Reliability {
        title: "Reliability".to_owned(),
        curves: vec![ReliabilityCurve { name: "before".to_owned(), bins: vec![certain, bin] }],
    }
}

fn returns(each: usize, tail: f64) -> ReturnsByAction {
    let mut chance = Chance(23);
    let action = |(i, name): (usize, &str)| {
        let drift = 0.012 * (2.0 - i as f64);
        let count = if i == 4 { each / 12 } else { each };
        let mut draw = || drift + 0.04 * chance.normal() * (1.0 + tail * chance.uniform().powi(40));
        let returns: Vec<f64> = (0..count).map(|_| draw()).collect();
        let mean = returns.iter().sum::<f64>() / count.max(1) as f64;
        let error = 0.08 / (count.max(1) as f64).sqrt();
        ActionReturns {
            name: name.to_owned(),
            returns,
            interval: Some((mean - error, mean + error)),
        }
    };
    ReturnsByAction {
        window: "5 sessions".to_owned(),
        actions: ACTIONS.into_iter().enumerate().map(action).collect(),
    }
}

fn months(count: usize) -> IcByMonth {
    let mut chance = Chance(29);
    let month = |i: usize| {
        let value = 0.08 + 0.12 * chance.normal();
        (format!("{}-{:02}", 2004 + i / 12, i % 12 + 1), if i == 7 { f64::NAN } else { value })
    };
    IcByMonth {
        measure: "rank correlation of calls and returns over 5 sessions".to_owned(),
        months: (0..count).map(month).collect(),
        mean: Some(0.083),
    }
}

fn bars(models: &[(&str, &[(&str, u64)])]) -> Outcomes {
    let counts = |counts: &[(&str, u64)]| {
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    Outcomes {
        title: "How answers kept the tags".to_owned(),
        models: models.iter().map(|(name, of)| ((*name).to_owned(), counts(of))).collect(),
    }
}
