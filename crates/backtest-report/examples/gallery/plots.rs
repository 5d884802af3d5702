//! One of each plot.

use backtest_report::{
    Band, EquityCurve, Exposure, FoldSharpe, HeatGrid, ReturnHistogram, ReturnMark, RollingSharpe,
    SensitivityLines, Series, Size, Turnover, WalkForward, drawdown, equity_curve, exposure,
    heat_grid, monthly_returns, return_histogram, rolling_sharpe, sensitivity_lines, turnover,
    walk_forward,
};
use chrono::Months;

use crate::market::{Chance, Market, drawdowns, months};

pub(crate) fn plots(market: &Market) -> Vec<(String, String)> {
    let size = Size::default();
    let equity = &market.equity;
    let plots = [
        ("equity", equity_curve(&curve(market), size)),
        ("drawdown", drawdown(&drawdowns(equity), Size { height: 340, ..size })),
        ("monthly", monthly_returns(&months(&equity[0]), size.width)),
        ("rolling-sharpe", rolling_sharpe(&rolling(equity), Size { height: 340, ..size })),
        ("histogram", return_histogram(&histogram(market), size)),
        ("exposure", exposure(&exposures(market), Size { height: 300, ..size })),
        ("turnover", turnover(&trades(market), Size { height: 300, ..size })),
        ("sensitivity", heat_grid(&sensitivity(), size.width)),
        ("sensitivity-lines", sensitivity_lines(&lines(), Size { height: 360, ..size })),
        ("parameters", heat_grid(&parameters(), size.width)),
        ("walk-forward", walk_forward(&folds(market, 14), size)),
    ];
    plots.map(|(name, svg)| (name.to_owned(), svg)).into()
}

pub(crate) fn curve(market: &Market) -> EquityCurve {
    let band = market.equity[1].points.iter().enumerate().map(|(i, (day, value))| {
        let spread = 0.012 * (i as f64).sqrt();
        (*day, value * (0.9 - 0.1 * spread) * (-spread * 0.6).exp(), value * (spread * 0.35).exp())
    });
    EquityCurve {
        strategy: market.equity[0].clone(),
        baselines: market.equity[1..].to_vec(),
        band: Some(Band { name: "random calls, 5–95%".to_owned(), points: band.collect() }),
        ..Default::default()
    }
}

fn rolling(equity: &[Series]) -> RollingSharpe {
    const WINDOW: usize = 252;
    let sharpe = |series: &Series| {
        let returns: Vec<_> = series.points.windows(2).map(|p| p[1].1 / p[0].1 - 1.0).collect();
        let values = returns.windows(WINDOW).map(|window| {
            let mean = window.iter().sum::<f64>() / WINDOW as f64;
            let squares = window.iter().map(|r| (r - mean).powi(2)).sum::<f64>();
            mean / (squares / (WINDOW - 1) as f64).sqrt() * 252f64.sqrt()
        });
        let days = series.points.iter().skip(WINDOW).map(|(day, _)| *day);
        Series::new(&*series.name, days.zip(values).collect())
    };
    RollingSharpe { window: WINDOW, series: equity[..2].iter().map(sharpe).collect() }
}

fn histogram(market: &Market) -> ReturnHistogram {
    let mut sorted = market.returns.clone();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[(sorted.len() as f64 * share) as usize];
    let mark = |name: &str, value| ReturnMark { name: name.to_owned(), value };
    ReturnHistogram {
        period: "session".to_owned(),
        returns: market.returns.clone(),
        normal_curve: true,
        marks: vec![mark("VaR 99%", at(0.01)), mark("VaR 95%", at(0.05))],
    }
}

fn exposures(market: &Market) -> Exposure {
    let mut chance = Chance(3);
    let (mut long, mut short) = (0.6, 0.1);
    let (mut gross, mut net) = (Vec::new(), Vec::new());
    for day in &market.days {
        long = (long + 0.02 * chance.normal()).clamp(0.2, 1.0);
        short = (short + 0.01 * chance.normal()).clamp(0.0, 0.4);
        gross.push((*day, long + short));
        net.push((*day, long - short));
    }
    Exposure { gross: Series::new("gross", gross), net: Series::new("net", net) }
}

fn trades(market: &Market) -> Turnover {
    let mut chance = Chance(market.chance.0);
    let points = market.days.iter().map(|day| {
        let trades = chance.uniform() < 0.2;
        (*day, if trades { chance.uniform() * 0.3 } else { 0.0 })
    });
    Turnover { points: points.collect() }
}

fn sensitivity() -> HeatGrid {
    let costs = [0, 1, 2, 5, 10, 15, 20, 30];
    let slippage = [0, 2, 5, 10, 20];
    let sharpe = |c: i32, s: i32| 1.31 - 0.031 * f64::from(c) - 0.042 * f64::from(s);
    HeatGrid {
        title: "Sensitivity to costs".to_owned(),
        measure: "net Sharpe ratio".to_owned(),
        x_name: "costs, bps".to_owned(),
        x: costs.map(|c| c.to_string()).into(),
        y_name: "slippage, bps".to_owned(),
        y: slippage.map(|s| s.to_string()).into(),
        values: slippage.map(|s| costs.map(|c| sharpe(c, s)).into()).into(),
        centre: 0.0,
        decimals: 2,
        chosen: Some((2, 3)),
        chosen_name: "this run".to_owned(),
    }
}

fn parameters() -> HeatGrid {
    let mut chance = Chance(11);
    let holding: Vec<u32> = (1..=20).collect();
    let limits = ["5%", "10%", "20%", "unlimited"];
    let mut cell = |h: &u32| 1.2 - (f64::from(*h) - 9.0).powi(2) / 60.0 + 0.2 * chance.normal();
    let mut values = limits.map(|_| holding.iter().map(&mut cell).collect::<Vec<_>>()).to_vec();
    values[1][4] = f64::NAN;
    HeatGrid {
        title: "Parameter grid".to_owned(),
        measure: "validation Sharpe ratio".to_owned(),
        x_name: "holding period, sessions".to_owned(),
        x: holding.iter().map(u32::to_string).collect(),
        y_name: "position limit".to_owned(),
        y: limits.map(str::to_owned).into(),
        values,
        centre: 0.0,
        decimals: 2,
        chosen: None,
        chosen_name: String::new(),
    }
}

fn lines() -> SensitivityLines {
    let line = |name: &str, slope: f64, start: f64| {
        let points = (0..=10).map(|i| (f64::from(i) * 3.0, start - slope * f64::from(i)));
        (name.to_owned(), points.collect())
    };
    SensitivityLines {
        title: "Sensitivity to costs".to_owned(),
        measure: "net Sharpe ratio".to_owned(),
        x_name: "costs, bps".to_owned(),
        lines: vec![line("strategy", 0.14, 1.31), line("momentum 12–1", 0.09, 0.62)],
    }
}

pub(crate) fn folds(market: &Market, count: u32) -> WalkForward {
    let mut chance = Chance(5);
    let first = market.days[0];
    let fold = |i: u32| {
        let first = first + Months::new(12 + 6 * i);
        let out_of_sample = 0.8 + 0.9 * chance.normal();
        let in_sample = Some(out_of_sample * 0.5 + 1.1);
        let last = (first + Months::new(6)).pred_opt().unwrap_or(first);
        FoldSharpe { first, last, out_of_sample, in_sample }
    };
    WalkForward { folds: (0..count).map(fold).collect() }
}
