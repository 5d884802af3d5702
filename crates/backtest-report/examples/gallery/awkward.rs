//! Input that plots tend to stumble over.

use backtest_report::{
    Band, EquityCurve, MonthlyReturns, Series, Size, Turnover, drawdown, equity_curve, heat_grid,
    monthly_returns, return_histogram, turnover, walk_forward,
};
use chrono::NaiveDate;

use crate::market::{Chance, drawdowns, market, months, weekdays};
use crate::plots::folds;

pub(crate) fn awkward() -> Vec<(String, String)> {
    let size = Size::default();
    let long = market(7_800, 3);
    let short = market(3, 2);
    let curve = |strategy: Series| EquityCurve { strategy, ..Default::default() };
    let one_month = MonthlyReturns { months: months(&short.equity[0]).months };
    let plots = [
        ("x-empty", equity_curve(&EquityCurve::default(), size)),
        ("x-one-day", equity_curve(&curve(walk("strategy", 1, 1.0)), size)),
        (
            "x-three-days",
            equity_curve(
                &EquityCurve {
                    strategy: short.equity[0].clone(),
                    baselines: short.equity[1..].to_vec(),
                    ..Default::default()
                },
                size,
            ),
        ),
        (
            "x-flat",
            equity_curve(
                &curve(Series::new(
                    "never trades",
                    weekdays(500).into_iter().map(|day| (day, 100_000.0)).collect(),
                )),
                size,
            ),
        ),
        ("x-thousandfold", equity_curve(&curve(walk("strategy", 2_500, 1.00277)), size)),
        ("x-negative", equity_curve(&curve(Series::new("leveraged", falling())), size)),
        ("x-gaps", equity_curve(&gaps(), size)),
        ("x-names", equity_curve(&names(), size)),
        (
            "x-95-down",
            drawdown(&drawdowns(&[Series::new("strategy", deep()), walk("b", 900, 1.001)]), size),
        ),
        ("x-30-years", monthly_returns(&months(&long.equity[0]), size.width)),
        (
            "x-30-years-equity",
            equity_curve(
                &EquityCurve {
                    strategy: long.equity[0].clone(),
                    baselines: long.equity[1..].to_vec(),
                    ..Default::default()
                },
                size,
            ),
        ),
        ("x-one-month", monthly_returns(&one_month, size.width)),
        (
            "x-three-days-turnover",
            turnover(
                &Turnover { points: weekdays(3).into_iter().map(|day| (day, 0.1)).collect() },
                Size { height: 300, ..size },
            ),
        ),
        ("x-no-returns", return_histogram(&Default::default(), size)),
        ("x-many-folds", walk_forward(&folds(&long, 40), size)),
        ("x-one-fold", walk_forward(&folds(&long, 1), size)),
        ("x-empty-grid", heat_grid(&Default::default(), size.width)),
    ];
    plots.map(|(name, svg)| (name.to_owned(), svg)).into()
}

fn walk(name: &str, count: usize, growth: f64) -> Series {
    let mut chance = Chance(17);
    let mut equity = 100_000.0;
    let points = weekdays(count).into_iter().map(|day| {
        equity *= growth * (1.0 + 0.01 * chance.normal());
        (day, equity)
    });
    Series::new(name, points.collect())
}

fn falling() -> Vec<(NaiveDate, f64)> {
    let value = |i: usize| 100_000.0 - 300.0 * i as f64 + 9_000.0 * (i as f64 / 9.0).sin();
    weekdays(400).into_iter().enumerate().map(|(i, day)| (day, value(i))).collect()
}

fn deep() -> Vec<(NaiveDate, f64)> {
    let value =
        |i: f64| 100_000.0 * (-(i / 200.0)).exp().max(0.049) * (1.0 + 0.04 * (i / 7.0).sin());
    weekdays(900).into_iter().enumerate().map(|(i, day)| (day, value(i as f64))).collect()
}

fn gaps() -> EquityCurve {
    let mut strategy = walk("strategy", 260, 1.0005);
    for i in (60..90).chain(120..121).chain(122..123).chain(200..230) {
        strategy.points[i].1 = f64::NAN;
    }
    let band = strategy.points.iter().map(|(day, value)| (*day, value * 0.9, value * 1.05));
    let band = Some(Band { name: "random calls, 5–95%".to_owned(), points: band.collect() });
    EquityCurve { strategy, band, ..Default::default() }
}

fn names() -> EquityCurve {
    let named = |(i, name): (usize, &str)| walk(name, 300, 1.0 + 0.0003 * i as f64);
    let names = [
        "R&D <b>bold</b> \"quoted\"",
        "a name so long that nobody could mean it, which goes on and on until it leaves the paper on its right side, or so it would if it were not cut",
        "数量化戦略 Ω ñ",
        "baseline four",
        "baseline five",
        "baseline six",
        "baseline seven is here too",
        "baseline eight",
        "baseline nine of the lot",
    ];
    let mut all: Vec<_> = names.into_iter().enumerate().map(named).collect();
    EquityCurve { strategy: all.remove(0), baselines: all, ..Default::default() }
}
