//! Made-up input for all tests.

use backtest_report::{
    ActionReturns, Band, ConfusionMatrix, Drawdown, DrawdownSpan, EquityCurve, Exposure,
    FoldSharpe, HeatGrid, IcByMonth, MonthlyReturns, Outcomes, Reliability, ReliabilityCurve,
    ReliabilityPoint, ReturnHistogram, ReturnMark, ReturnsByAction, RollingSharpe,
    SensitivityLines, Series, Size, Turnover, WalkForward, confusion_matrix, drawdown,
    equity_curve, exposure, heat_grid, ic_by_month, monthly_returns, outcomes, reliability,
    return_histogram, returns_by_action, rolling_sharpe, sensitivity_lines, turnover, walk_forward,
};
use chrono::{Days, NaiveDate};

pub(crate) fn day(index: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2014, 1, 2).expect("a day") + Days::new(index as u64)
}

pub(crate) fn points(values: &[f64]) -> Vec<(NaiveDate, f64)> {
    values.iter().enumerate().map(|(i, value)| (day(i), *value)).collect()
}

/// Every plot of the same values, one a day, in a given size; none of them may mind any value.
pub(crate) fn every_plot(values: &[f64], name: &str, size: Size) -> Vec<(&'static str, String)> {
    let series = |name: &str| Series::new(name, points(values));
    let mirrored =
        Series::new("mirrored", points(&values.iter().rev().copied().collect::<Vec<_>>()));
    let band = points(values).into_iter().map(|(day, value)| (day, value * 0.9, value * 1.1));
    let span = |i: usize| DrawdownSpan {
        peak: day(i),
        trough: day(i + 2),
        recovery: i.is_multiple_of(2).then_some(day(i + 5)),
        depth: values.get(i).copied().unwrap_or(-0.1),
    };
    let fold = |(i, value): (usize, &f64)| FoldSharpe {
        first: day(i * 180),
        last: day(i * 180 + 179),
        out_of_sample: *value,
        in_sample: i.is_multiple_of(2).then_some(value * 1.3),
    };
    let mark = |(i, value): (usize, &f64)| ReturnMark { name: format!("VaR {i}%"), value: *value };
    let (few, side) = (&values[..values.len().min(30)], values.len().min(12));
    let text = |i: &usize| format!("{name} {i}");
    let equity = EquityCurve {
        strategy: series(name),
        baselines: vec![mirrored.clone(), series("b")],
        band: Some(Band { name: "band".to_owned(), points: band.collect() }),
        ..Default::default()
    };
    let under_water = Drawdown {
        strategy: series(name),
        baselines: vec![mirrored],
        worst: (0..few.len().min(5)).map(|i| span(i * 7)).collect(),
    };
    let months = values.iter().enumerate().map(|(i, value)| (day(i * 30), *value));
    let histogram = ReturnHistogram {
        period: "session".to_owned(),
        returns: values.to_vec(),
        normal_curve: true,
        marks: few.iter().enumerate().map(mark).take(4).collect(),
    };
    let grid = HeatGrid {
        title: name.to_owned(),
        measure: "net Sharpe ratio".to_owned(),
        x_name: "costs, bps".to_owned(),
        x: (0..side).collect::<Vec<_>>().iter().map(text).collect(),
        y_name: "slippage, bps".to_owned(),
        y: (0..3).collect::<Vec<_>>().iter().map(text).collect(),
        values: values.chunks(side.max(1)).map(<[f64]>::to_vec).collect(),
        centre: 0.0,
        decimals: 2,
        chosen: Some((1, 1)),
        chosen_name: "this run".to_owned(),
    };
    let lines = SensitivityLines {
        title: name.to_owned(),
        measure: "net Sharpe ratio".to_owned(),
        x_name: "costs, bps".to_owned(),
        lines: vec![(name.to_owned(), few.iter().map(|value| (value * 2.0, *value)).collect())],
    };
    let rolling = RollingSharpe { window: 63, series: vec![series(name), series("b")] };
    let exposed = Exposure { gross: series("gross"), net: series(name) };
    let folds = WalkForward { folds: few.iter().enumerate().map(fold).collect() };
    let mut plots = plots_of_calls(values, name, size);
    plots.extend([
        ("equity_curve", equity_curve(&equity, size)),
        ("drawdown", drawdown(&under_water, size)),
        (
            "monthly_returns",
            monthly_returns(&MonthlyReturns { months: months.collect() }, size.width),
        ),
        ("rolling_sharpe", rolling_sharpe(&rolling, size)),
        ("return_histogram", return_histogram(&histogram, size)),
        ("exposure", exposure(&exposed, size)),
        ("turnover", turnover(&Turnover { points: points(values) }, size)),
        ("heat_grid", heat_grid(&grid, size.width)),
        ("sensitivity_lines", sensitivity_lines(&lines, size)),
        ("walk_forward", walk_forward(&folds, size)),
    ]);
    plots
}

/// The plots of an evaluation.
fn plots_of_calls(values: &[f64], name: &str, size: Size) -> Vec<(&'static str, String)> {
    let named = |i: usize| format!("{name} {i}");
    let count = |value: &f64| if value.is_finite() { (value.abs() * 100.0) as u64 } else { 0 };
    let counts: Vec<u64> = values.iter().map(count).collect();
    let matrix = ConfusionMatrix {
        title: name.to_owned(),
        row_name: "label".to_owned(),
        rows: (0..5).map(named).collect(),
        column_name: "call".to_owned(),
        columns: (0..6).map(named).collect(),
        counts: counts.chunks(6).map(<[u64]>::to_vec).collect(),
    };
    let point = |(i, value): (usize, &f64)| ReliabilityPoint {
        lower: i as f64 / 10.0,
        upper: (i + 1) as f64 / 10.0,
        count: counts[i],
        mean_confidence: Some(*value),
        accuracy: (counts[i] > 0).then_some(value * 2.0),
    };
    let curve = |name: String| ReliabilityCurve {
        name,
        bins: values.iter().enumerate().take(10).map(point).collect(),
    };
    let diagram =
        Reliability { title: name.to_owned(), curves: vec![curve(named(0)), curve(named(1))] };
    let of_action = |i: usize| ActionReturns {
        name: named(i),
        returns: values.iter().copied().skip(i).step_by(5).collect(),
        interval: values.get(i).map(|value| (*value, value + 0.01)),
    };
    let returns = ReturnsByAction {
        window: "5 sessions".to_owned(),
        actions: (0..5).map(of_action).collect(),
    };
    let coefficients = IcByMonth {
        measure: name.to_owned(),
        months: values.iter().enumerate().map(|(i, value)| (format!("m{i:04}"), *value)).collect(),
        mean: values.first().copied(),
    };
    let of_model = |i: usize| {
        (named(i), counts.iter().skip(i).take(9).enumerate().map(|(i, n)| (named(i), *n)).collect())
    };
    let ways = Outcomes { title: name.to_owned(), models: (0..2).map(of_model).collect() };
    vec![
        ("confusion_matrix", confusion_matrix(&matrix, size.width)),
        ("reliability", reliability(&diagram, size)),
        ("returns_by_action", returns_by_action(&returns, size)),
        ("ic_by_month", ic_by_month(&coefficients, size)),
        ("outcomes", outcomes(&ways, size.width)),
    ]
}
