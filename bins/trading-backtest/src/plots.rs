use backtest_report::{
    AxisChoice, Band, Drawdown, DrawdownSpan, EquityCurve, Exposure, FoldSharpe, HeatGrid,
    MonthlyReturns, ReturnHistogram, ReturnMark, RollingSharpe, Series, Size, Turnover,
    WalkForward, drawdown, equity_curve, exposure, heat_grid, monthly_returns, return_histogram,
    rolling_sharpe, turnover, walk_forward,
};
use backtest_study::Performance;
use chrono::NaiveDate;
use eval_metrics::returns::{ReturnOptions, drawdown_series, rolling_sharpe as sharpes_of_windows};
use serde_json::Value;
use thesis_core::Bps;

use crate::study::Study;

/// A plot with the name of its file.
pub(crate) struct NamedPlot {
    pub(crate) name: &'static str,
    pub(crate) svg: String,
    /// A sentence for the tear sheet.
    pub(crate) caption: String,
}

/// Sessions of the rolling Sharpe ratio; a quarter where the run is shorter than a year.
const WINDOW: usize = 126;
const SHORT_WINDOW: usize = 42;

/// All plots of a study, equity first.
pub(crate) fn plots(study: &Study) -> Vec<NamedPlot> {
    let plot = |name, svg, caption: &str| NamedPlot { name, svg, caption: caption.to_owned() };
    let size = Size::default();
    let mut plots = vec![
        plot(
            "equity",
            equity_curve(&equity(study), size),
            "Equity at each close after all costs, beside the baselines under the same costs.",
        ),
        plot(
            "drawdown",
            drawdown(&drawdowns(study), size),
            "Equity below its highest value so far; the initial cash is the first peak.",
        ),
        plot(
            "monthly_returns",
            monthly_returns(&monthly(&study.strategy), size.width),
            "Daily returns compounded by calendar month; the first and the last may be cut off.",
        ),
        plot(
            "rolling_sharpe",
            rolling_sharpe(&rolling(study), size),
            "Sharpe ratio of the sessions up to each day.",
        ),
        plot(
            "return_histogram",
            return_histogram(&histogram(&study.strategy), size),
            "Daily returns, with the normal curve of the same mean and standard deviation.",
        ),
        plot(
            "exposure",
            exposure(&exposures(study), size),
            "Gross: all positions without sign. Net: long less short.",
        ),
        plot(
            "turnover",
            turnover(&turnovers(study), size),
            "Buys plus sells over the equity at the close before.",
        ),
    ];
    if let Some(sensitivity) = &study.sensitivity {
        let grid = HeatGrid {
            title: "Sensitivity to costs".to_owned(),
            measure: "net Sharpe ratio, annualized".to_owned(),
            x_name: "slippage, bps".to_owned(),
            x: sensitivity.slippage_bps.iter().map(|bps| bps.value().to_string()).collect(),
            y_name: "fee, bps".to_owned(),
            y: sensitivity.fee_bps.iter().map(|bps| bps.value().to_string()).collect(),
            values: rows(&sensitivity.sharpe),
            centre: 0.0,
            decimals: 2,
            chosen: place_of(study),
            chosen_name: "this run".to_owned(),
        };
        let caption =
            "Every cell is a whole run under its fee and slippage; the framed one is this.";
        plots.push(plot("sensitivity", heat_grid(&grid, size.width), caption));
    }
    if let Some(grid) = parameter_grid(study) {
        let caption = "Every cell is a whole run. The best of many looks better than it is.";
        plots.push(plot("grid", heat_grid(&grid, size.width), caption));
    }
    if let Some(found) = &study.walk_forward {
        let folds = found.folds.iter().map(|fold| FoldSharpe {
            first: fold.test.0,
            last: fold.test.1,
            out_of_sample: fold.test_sharpe.unwrap_or(f64::NAN),
            in_sample: fold.train_sharpe,
        });
        let svg = walk_forward(&WalkForward { folds: folds.collect() }, size);
        let caption = "Each test window is traded with what was best in the window before it.";
        plots.push(plot("walk_forward", svg, caption));
    }
    plots
}

/// Months of a run.
fn monthly(performance: &Performance) -> MonthlyReturns {
    let years = performance.statistics.monthly_returns.iter().flatten();
    let months = years.flat_map(|year| {
        let day = |month: usize| NaiveDate::from_ymd_opt(year.year, month as u32 + 1, 1);
        let months = year.months.iter().enumerate();
        months.filter_map(move |(month, value)| Some((day(month)?, (*value)?)))
    });
    MonthlyReturns { months: months.collect() }
}

/// The worst drawdowns, worst first. One that begins before the first return is dated by the first
/// session.
pub(crate) fn worst_drawdowns(performance: &Performance) -> Vec<DrawdownSpan> {
    let first = performance.dates.first().copied();
    let worst = performance.statistics.worst_drawdowns.iter().flatten();
    let span = |found: &eval_metrics::returns::Drawdown| {
        Some(DrawdownSpan {
            peak: found.peak.date.or(first)?,
            trough: found.trough.date?,
            recovery: found.recovery.and_then(|recovery| recovery.date),
            depth: found.depth,
        })
    };
    worst.filter_map(span).collect()
}

fn equity(study: &Study) -> EquityCurve {
    let series = |name: &str, of_run: &Performance| line(name, &of_run.dates, &of_run.equity);
    let band = study.random.as_ref().map(|random| Band {
        name: "Random calls, 5–95%".to_owned(),
        points: study.market.dates()[study.sessions.clone()]
            .iter()
            .zip(&random.band)
            .map(|(date, spread)| (*date, spread.low, spread.high))
            .collect(),
    });
    EquityCurve {
        strategy: series("Strategy", &study.strategy),
        baselines: study.baselines.iter().map(|b| series(b.name, &b.performance)).collect(),
        band,
        axis: AxisChoice::Auto,
    }
}

fn drawdowns(study: &Study) -> Drawdown {
    let series = |name: &str, of_run: &Performance| {
        line(name, &of_run.dates, &drawdown_series(&of_run.returns).unwrap_or_default())
    };
    Drawdown {
        strategy: series("Strategy", &study.strategy),
        baselines: study.baselines.iter().take(1).map(|b| series(b.name, &b.performance)).collect(),
        worst: worst_drawdowns(&study.strategy),
    }
}

fn rolling(study: &Study) -> RollingSharpe {
    let window = if study.sessions.len() >= 2 * WINDOW { WINDOW } else { SHORT_WINDOW };
    let series = |name: &str, of_run: &Performance| {
        let ReturnOptions { risk_free, periods_per_year, .. } = study.options;
        let ratios = sharpes_of_windows(&of_run.returns, window, risk_free, periods_per_year);
        let ratios = ratios.unwrap_or_default().into_iter().map(|ratio| ratio.unwrap_or(f64::NAN));
        // The first window ends on its own last session.
        let ends = of_run.dates.get(window - 1..).unwrap_or_default();
        line(name, ends, &ratios.collect::<Vec<f64>>())
    };
    let hold = study.baselines.iter().take(1).map(|b| series(b.name, &b.performance));
    let strategy = std::iter::once(series("Strategy", &study.strategy));
    RollingSharpe { window, series: strategy.chain(hold).collect() }
}

fn histogram(strategy: &Performance) -> ReturnHistogram {
    let mark = |name: &str, value: Option<f64>| {
        value.map(|value| ReturnMark { name: name.to_owned(), value })
    };
    let statistics = &strategy.statistics;
    ReturnHistogram {
        period: "session".to_owned(),
        returns: strategy.returns.clone(),
        normal_curve: true,
        marks: [
            mark("VaR 95%", statistics.value_at_risk),
            mark("CVaR 95%", statistics.conditional_value_at_risk),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

fn exposures(study: &Study) -> Exposure {
    let days = &study.outcome.days;
    let points = |value: fn(&backtest_engine::Day) -> f64| {
        days.iter().map(|day| (day.date, value(day) / day.equity)).collect()
    };
    Exposure {
        gross: Series::new("Gross", points(|day| day.gross)),
        net: Series::new("Net", points(|day| day.net)),
    }
}

fn turnovers(study: &Study) -> Turnover {
    let cash = study.settings.initial_cash.value();
    let before = std::iter::once(cash).chain(study.outcome.days.iter().map(|day| day.equity));
    let points = study.outcome.days.iter().zip(before);
    Turnover { points: points.map(|(day, before)| (day.date, day.traded / before)).collect() }
}

/// The grid's Sharpe ratios, where it varies two keys.
fn parameter_grid(study: &Study) -> Option<HeatGrid> {
    let grid = study.grid.as_ref()?;
    let mut keys = study.settings.grid.iter();
    let ((y_name, y), (x_name, x)) = (keys.next()?, keys.next()?);
    let (y, x) = (y.as_array()?, x.as_array()?);
    if keys.next().is_some() {
        return None;
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // The last key runs fastest.
    let sharpes: Vec<Option<f64>> = grid.results.iter().map(|result| result.sharpe).collect();
    let values: Vec<Vec<Option<f64>>> = sharpes.chunks(x.len()).map(<[_]>::to_vec).collect();
    Some(HeatGrid {
        title: "Parameter grid".to_owned(),
        measure: "net Sharpe ratio, annualized".to_owned(),
        x_name: x_name.clone(),
        x: x.iter().map(text).collect(),
        y_name: y_name.clone(),
        y: y.iter().map(text).collect(),
        values: rows(&values),
        centre: 0.0,
        decimals: 2,
        chosen: grid.best.map(|best| (best / x.len(), best % x.len())),
        chosen_name: "the best".to_owned(),
    })
}

/// The cell of this run's own costs, where the sweep has it.
fn place_of(study: &Study) -> Option<(usize, usize)> {
    let (sensitivity, costs) = (study.sensitivity.as_ref()?, &study.settings.costs);
    let place = |values: &[Bps], own: Bps| values.iter().position(|value| *value == own);
    let row = place(&sensitivity.fee_bps, costs.fee_bps)?;
    Some((row, place(&sensitivity.slippage_bps, costs.slippage_bps)?))
}

fn rows(values: &[Vec<Option<f64>>]) -> Vec<Vec<f64>> {
    let row = |row: &Vec<Option<f64>>| row.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
    values.iter().map(row).collect()
}

fn line(name: &str, dates: &[NaiveDate], values: &[f64]) -> Series {
    Series::new(name, dates.iter().copied().zip(values.iter().copied()).collect())
}
