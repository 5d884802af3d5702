//! Statistics of returns against empyrical, quantstats, pandas and SciPy, and their edge cases.

mod returns_reference;

use chrono::NaiveDate;
use eval_metrics::MetricError;
use eval_metrics::returns::*;
use proptest::prelude::*;
use returns_reference::{index_returns, meets, random_series, reference};
use serde_json::Value;

const DAILY: PeriodsPerYear = PeriodsPerYear::DAILY;

fn check_empyrical(r: &[f64], b: &[f64], want: &Value) {
    let rate = simple_rate_per_period(0.02, DAILY).expect("a rate");
    let threshold = compound_rate_per_period(0.1, DAILY).expect("a rate");
    let table = [
        ("cum_return", cumulative_return(r)),
        ("cagr", cagr(r, DAILY)),
        ("volatility", annualized_volatility(r, DAILY)),
        ("sharpe", sharpe(r, 0.0, DAILY)),
        ("sharpe_rf2pct", sharpe(r, rate, DAILY)),
        ("sortino", sortino(r, 0.0, DAILY)),
        ("sortino_target", sortino(r, 0.0002, DAILY)),
        ("downside_risk", downside_risk(r, 0.0, DAILY)),
        ("downside_risk_target", downside_risk(r, 0.0002, DAILY)),
        ("max_drawdown", max_drawdown(r)),
        ("calmar", calmar(r, DAILY)),
        ("var5", value_at_risk(r, 0.05)),
        ("var1", value_at_risk(r, 0.01)),
        ("cvar5", conditional_value_at_risk(r, 0.05)),
        ("omega", omega(r, 0.0)),
        ("omega_10pct", omega(r, threshold)),
        ("tail_ratio", tail_ratio(r)),
        ("stability", stability(r)),
        ("beta", beta(r, b)),
        ("alpha", alpha(r, b, 0.0, DAILY)),
        ("alpha_rf2pct", alpha(r, b, rate, DAILY)),
        ("excess_sharpe", information_ratio_per_period(r, b)),
    ];
    assert_eq!(want.as_object().expect("an object").len(), table.len(), "every value is checked");
    for (name, found) in table {
        meets(&format!("empyrical {name}"), found, &want[name]);
    }
}

fn check_quantstats(r: &[f64], b: &[f64], want: &Value) {
    let rate = compound_rate_per_period(0.02, DAILY).expect("a rate");
    let table = [
        ("cagr", cagr(r, DAILY)),
        ("sharpe", sharpe(r, 0.0, DAILY)),
        ("sharpe_rf2pct", sharpe(r, rate, DAILY)),
        ("sortino", sortino(r, 0.0, DAILY)),
        ("calmar", calmar(r, DAILY)),
        ("max_drawdown", max_drawdown(r)),
        ("volatility", annualized_volatility(r, DAILY)),
        ("var95_gaussian", gaussian_value_at_risk(r, 0.05)),
        ("cvar95", gaussian_conditional_value_at_risk(r, 0.05)),
        ("cvar95_historical", conditional_value_at_risk(r, 0.05)),
        ("win_rate", win_rate(r)),
        ("ulcer", sample_ulcer_index(r)),
        ("information_ratio", information_ratio_per_period(r, b)),
        ("kelly", kelly_fraction(r)),
        ("payoff", payoff_ratio(r)),
        ("profit_factor", profit_factor(r)),
        ("omega", omega(r, 0.0)),
        ("tail_ratio", tail_ratio(r)),
        ("skew", sample_skewness(r)),
        ("kurtosis", sample_excess_kurtosis(r)),
        ("alpha", simple_alpha(r, b, 0.0, DAILY)),
        ("beta", beta(r, b)),
        ("best", best_day(r)),
        ("worst", worst_day(r)),
    ];
    assert_eq!(want.as_object().expect("an object").len(), table.len(), "every value is checked");
    for (name, found) in table {
        meets(&format!("quantstats {name}"), found, &want[name]);
    }
}

fn check_formulas(r: &[f64], b: &[f64], want: &Value) {
    let losses: Vec<f64> = r.iter().copied().filter(|value| *value < 0.0).collect();
    // What some programs call Sortino; none of ours is it.
    let of_losses = sharpe(r, 0.0, DAILY).and_then(|s| {
        Ok(s * annualized_volatility(r, DAILY)? / annualized_volatility(&losses, DAILY)?)
    });
    let table = [
        ("sharpe_ddof0", population_sharpe(r, 0.0, DAILY)),
        ("sortino_std_of_losses", of_losses),
        ("var5_linear", value_at_risk(r, 0.05)),
        ("var5_lower", lower_value_at_risk(r, 0.05)),
        ("skew", skewness(r)),
        ("kurtosis", excess_kurtosis(r)),
        ("skew_unbiased", sample_skewness(r)),
        ("kurtosis_unbiased", sample_excess_kurtosis(r)),
        ("tracking_error", tracking_error(r, b, DAILY)),
        ("information_ratio", information_ratio(r, b, DAILY)),
        ("hit_ratio", hit_ratio(r, b)),
        ("beta", beta(r, b)),
        ("ulcer", ulcer_index(r)),
    ];
    assert_eq!(want.as_object().expect("an object").len(), table.len(), "every value is checked");
    for (name, found) in table {
        meets(&format!("formula {name}"), found, &want[name]);
    }
}

#[test]
fn the_index_meets_other_programs() {
    let (dates, r, b) = index_returns();
    let want = &reference()["index"];
    assert_eq!(want["count"], r.len());
    meets("cagr_calendar", calendar_cagr(&r, &dates), &want["cagr_calendar"]);
    check_empyrical(&r, &b, &want["empyrical"]);
    check_quantstats(&r, &b, &want["quantstats"]);
    check_formulas(&r, &b, &want["formulas"]);
}

#[test]
fn random_series_meet_other_programs() {
    let want = &reference()["random"];
    for index in 0..18 {
        let (r, b) = random_series(index);
        check_empyrical(&r, &b, &want[index]["empyrical"]);
        check_quantstats(&r, &b, &want[index]["quantstats"]);
        check_formulas(&r, &b, &want[index]["formulas"]);
    }
}

/// quantstats names the days below the peak; ours are the peak before and the recovery after.
#[test]
fn the_worst_drawdowns_are_those_of_quantstats() {
    let (dates, r, _) = index_returns();
    let day = |text: &Value| text.as_str().and_then(|text| text.parse::<NaiveDate>().ok());
    let position = |date: Option<NaiveDate>| dates.iter().position(|day| Some(*day) == date);
    let found = worst_drawdowns(&r, Some(&dates), 5).unwrap();
    let want = reference()["index"]["worst_drawdowns"].clone();
    assert_eq!(found.len(), 5);
    for (found, want) in found.iter().zip(want.as_array().unwrap()) {
        meets("depth", Ok(found.depth), &want["depth"]);
        assert_eq!(found.trough.date, day(&want["trough"]));
        assert_eq!(found.peak.period, position(day(&want["first_below"])).unwrap());
        let last_below = position(day(&want["last_below"])).unwrap();
        match found.recovery {
            Some(recovery) => assert_eq!(recovery.period, last_below + 2),
            None => assert_eq!(last_below + 1, r.len()),
        }
    }
    let deepest = found[0];
    assert_eq!(deepest.peak.date.unwrap().to_string(), "2007-10-09");
    assert_eq!(deepest.trough.date.unwrap().to_string(), "2009-03-09");
    assert_eq!(max_drawdown(&r).unwrap(), deepest.depth);
    assert_eq!(found[2].recovery, None);
    assert_eq!(found[2].periods, r.len() - found[2].peak.period);
}

#[test]
fn months_are_those_of_quantstats() {
    let (dates, r, _) = index_returns();
    let want = reference()["index"]["monthly_returns"].clone();
    let found = monthly_returns(&r, &dates).unwrap();
    assert_eq!(found.len(), want.as_object().unwrap().len());
    for year in found {
        let want = &want[year.year.to_string()];
        for (month, value) in year.months.iter().enumerate() {
            let name = format!("{} {}", year.year, month + 1);
            // Both compute a difference of 1, whose rounding is absolute.
            let want = want[month].as_f64().unwrap();
            assert!((value.unwrap() - want).abs() < 1e-14, "{name}: {value:?}, not {want}");
        }
        assert!((year.total - want[12].as_f64().unwrap()).abs() < 1e-14);
    }
}

#[test]
fn windows_are_those_of_pandas() {
    let (_, r, _) = index_returns();
    for window in [2, 21, 126, 1000] {
        let want = reference()["index"]["rolling"][window.to_string()].clone();
        let volatility = rolling_volatility(&r, window, DAILY).unwrap();
        let sharpes = rolling_sharpe(&r, window, 0.0, DAILY).unwrap();
        assert_eq!((volatility.len(), sharpes.len()), (r.len() - window + 1, r.len() - window + 1));
        for (which, at) in want["at"].as_array().unwrap().iter().enumerate() {
            let at = at.as_u64().unwrap() as usize;
            let name = format!("window {window} at {at}");
            // pandas takes old values away again, and loses digits by it.
            let near = |found: f64, want: &Value| {
                let want = want.as_f64().unwrap();
                assert!((found / want - 1.0).abs() < 1e-9, "{name}: {found}, not {want}");
            };
            near(volatility[at], &want["volatility"][which]);
            near(sharpes[at].unwrap(), &want["sharpe"][which]);
        }
        for at in (0..=r.len() - window).step_by(97) {
            let inside = &r[at..at + window];
            let near = |found: f64, want: f64| {
                assert!(
                    (found - want).abs() <= 1e-12 * want.abs().max(1e-3),
                    "{found}, not {want}"
                );
            };
            near(volatility[at], annualized_volatility(inside, DAILY).unwrap());
            near(sharpes[at].unwrap(), sharpe(inside, 0.0, DAILY).unwrap());
        }
    }
}

#[test]
fn an_outlier_leaves_no_trace_in_later_windows() {
    let mut r: Vec<f64> = (0..40).map(|day| if day % 2 == 0 { 1e-4 } else { -1e-4 }).collect();
    r[7] = 1e9;
    let found = rolling_volatility(&r, 4, DAILY).unwrap();
    for (at, found) in found.iter().enumerate().filter(|(at, _)| !(4..=7).contains(at)) {
        let want = annualized_volatility(&r[at..at + 4], DAILY).unwrap();
        assert!((found / want - 1.0).abs() < 1e-12, "at {at}: {found}, not {want}");
    }
    let flat = [0.01, 0.01, 0.01, 0.01, 0.02];
    let found = rolling_sharpe(&flat, 4, 0.0, DAILY).unwrap();
    assert_eq!((found[0], found[1].is_some()), (None, true));
    assert_eq!(rolling_volatility(&flat, 4, DAILY).unwrap()[0], 0.0);
    let rounded = [0.01, 0.01 + 1e-16, 0.01 - 1e-16, 0.01];
    assert_eq!(rolling_sharpe(&rounded, 4, 0.0, DAILY).unwrap(), [None]);
    assert!(matches!(rolling_sharpe(&flat, 1, 0.0, DAILY), Err(MetricError::OutOfRange { .. })));
    let few = MetricError::TooFew { needed: 6, got: 5 };
    assert_eq!(rolling_volatility(&flat, 6, DAILY), Err(few));
}

type OfReturns = fn(&[f64]) -> Result<f64, MetricError>;

/// Every statistic of one series of returns.
const OF_RETURNS: [(&str, OfReturns); 30] = [
    ("cumulative_return", cumulative_return),
    ("cagr", |r| cagr(r, DAILY)),
    ("max_drawdown", max_drawdown),
    ("longest_drawdown", |r| longest_drawdown(r).map(|periods| periods as f64)),
    ("ulcer_index", ulcer_index),
    ("sample_ulcer_index", sample_ulcer_index),
    ("calmar", |r| calmar(r, DAILY)),
    ("stability", stability),
    ("annualized_volatility", |r| annualized_volatility(r, DAILY)),
    ("downside_risk", |r| downside_risk(r, 0.0, DAILY)),
    ("sharpe", |r| sharpe(r, 0.0, DAILY)),
    ("population_sharpe", |r| population_sharpe(r, 0.0, DAILY)),
    ("sortino", |r| sortino(r, 0.0, DAILY)),
    ("value_at_risk", |r| value_at_risk(r, 0.05)),
    ("lower_value_at_risk", |r| lower_value_at_risk(r, 0.05)),
    ("gaussian_value_at_risk", |r| gaussian_value_at_risk(r, 0.05)),
    ("conditional_value_at_risk", |r| conditional_value_at_risk(r, 0.05)),
    ("gaussian_conditional_value_at_risk", |r| gaussian_conditional_value_at_risk(r, 0.05)),
    ("omega", |r| omega(r, 0.0)),
    ("tail_ratio", tail_ratio),
    ("skewness", skewness),
    ("sample_skewness", sample_skewness),
    ("excess_kurtosis", excess_kurtosis),
    ("sample_excess_kurtosis", sample_excess_kurtosis),
    ("win_rate", win_rate),
    ("payoff_ratio", payoff_ratio),
    ("profit_factor", profit_factor),
    ("kelly_fraction", kelly_fraction),
    ("best_day", best_day),
    ("worst_day", worst_day),
];

/// The first eight compound, and the rest do not.
const COMPOUNDING: usize = 8;

#[test]
fn no_values_and_values_that_are_not_finite() {
    for (name, statistic) in OF_RETURNS {
        assert!(matches!(statistic(&[]), Err(MetricError::TooFew { got: 0, .. })), "{name}");
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let found = statistic(&[0.01, -0.02, 0.03, bad, 0.01]);
            assert_eq!(found, Err(MetricError::NotFinite { index: 3 }), "{name}");
        }
    }
}

#[test]
fn one_return() {
    let check = |name: &str, want: Result<f64, MetricError>| {
        let (_, statistic) = OF_RETURNS.iter().find(|(other, _)| *other == name).unwrap();
        assert_eq!(statistic(&[-0.5]), want, "{name}");
    };
    let two = Err(MetricError::TooFew { needed: 2, got: 1 });
    let undefined = |reason| Err(MetricError::Undefined { reason });
    check("cumulative_return", Ok(-0.5));
    check("max_drawdown", Ok(-0.5));
    check("longest_drawdown", Ok(1.0));
    check("ulcer_index", Ok(0.5));
    check("sample_ulcer_index", two);
    check("annualized_volatility", two);
    check("sharpe", two);
    check("stability", two);
    check("skewness", two);
    check("sample_skewness", Err(MetricError::TooFew { needed: 3, got: 1 }));
    check("value_at_risk", Ok(-0.5));
    check("conditional_value_at_risk", Ok(-0.5));
    check("gaussian_value_at_risk", two);
    check("omega", Ok(0.0));
    check("tail_ratio", Ok(1.0));
    check("win_rate", Ok(0.0));
    check("payoff_ratio", undefined("there is no gain"));
    check("profit_factor", Ok(0.0));
    check("worst_day", Ok(-0.5));
}

#[test]
fn everything_is_lost() {
    let r = [0.1, -1.0, 0.5];
    assert_eq!(cumulative_return(&r), Ok(-1.0));
    assert_eq!(cagr(&r, DAILY), Ok(-1.0));
    assert_eq!(max_drawdown(&r), Ok(-1.0));
    assert_eq!(drawdown_series(&r).unwrap(), [0.0, -1.0, -1.0]);
    assert_eq!(drawdowns(&r, None).unwrap()[0].recovery, None);
    assert_eq!(calmar(&r, DAILY), Ok(-1.0));
    assert_eq!(stability(&r), Err(MetricError::Undefined { reason: "everything is lost" }));
    for (name, statistic) in &OF_RETURNS[..COMPOUNDING] {
        let error = statistic(&[0.1, -1.5, 0.2]).unwrap_err();
        assert!(matches!(error, MetricError::OutOfRange { value: -1.5, .. }), "{name}: {error}");
    }
    for (name, statistic) in &OF_RETURNS[COMPOUNDING..] {
        assert!(statistic(&[0.1, -1.5, 0.2, 0.3]).is_ok(), "{name}: a loss above all is a number");
    }
}

#[test]
fn returns_that_do_not_vary() {
    let prices: Vec<f64> = (0..50).map(|day| 100.0 * 1.01_f64.powi(day)).collect();
    let rounded: Vec<f64> = prices.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    assert!(rounded.iter().any(|value| *value != rounded[0]), "rounding makes them differ");
    for flat in [vec![0.1; 30], vec![0.0; 30], vec![-0.003; 7], rounded] {
        let check = |found: Result<f64, MetricError>| {
            assert!(matches!(found, Err(MetricError::Undefined { .. })), "{found:?} of {flat:?}");
        };
        check(sharpe(&flat, 0.0, DAILY));
        check(sharpe(&flat, 0.0001, DAILY));
        check(skewness(&flat));
        check(excess_kurtosis(&flat));
        check(beta(&[0.1, 0.2], &flat[..2]));
        check(information_ratio(&flat, &flat, DAILY));
        let shifted: Vec<f64> = flat.iter().map(|value| value + 0.001).collect();
        check(information_ratio(&shifted, &flat, DAILY));
        assert!(annualized_volatility(&flat, DAILY).unwrap() < 1e-14);
    }
    // The rounding of a return is no loss.
    let rounding = [0.01, -1e-16, 0.02, -2e-16];
    assert!(sortino(&rounding, 0.0, DAILY).is_err() && calmar(&rounding, DAILY).is_err());
    let gains = [0.01, 0.02, 0.03];
    let undefined = |reason| Err(MetricError::Undefined { reason });
    assert_eq!(sortino(&gains, 0.0, DAILY), undefined("no return is below the target"));
    assert_eq!(omega(&gains, 0.0), undefined("no return is below the threshold"));
    assert_eq!(profit_factor(&gains), undefined("there is no loss"));
    assert_eq!(payoff_ratio(&gains), undefined("there is no loss"));
    assert_eq!(calmar(&gains, DAILY), undefined("there is no drawdown"));
    assert_eq!(max_drawdown(&gains), Ok(0.0));
    assert_eq!(win_rate(&[0.0, 0.0]), undefined("every return is 0"));
    assert_eq!(tail_ratio(&[0.0; 9]), undefined("the 5 % quantile is 0"));
    assert_eq!(stability(&[0.0; 9]), undefined("the wealth does not change"));
}

#[test]
fn a_loss_on_the_first_day_counts() {
    let r = [-0.2, 0.1, -0.05, 0.4, 0.0, -0.1, 0.05];
    assert!((max_drawdown(&r).unwrap() + 0.2).abs() < 1e-15);
    let days: Vec<NaiveDate> =
        (1..=7).map(|day| NaiveDate::from_ymd_opt(2024, 2, day).unwrap()).collect();
    let found = drawdowns(&r, Some(&days)).unwrap();
    let moment = |period: usize| Moment { period, date: period.checked_sub(1).map(|i| days[i]) };
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].peak, found[0].trough), (moment(0), moment(1)));
    assert_eq!((found[0].recovery, found[0].periods), (Some(moment(4)), 4));
    assert_eq!((found[1].peak, found[1].trough), (moment(5), moment(6)));
    assert_eq!((found[1].recovery, found[1].periods), (None, 2));
    assert_eq!(longest_drawdown(&r), Ok(4));
    assert_eq!(worst_drawdowns(&r, None, 1).unwrap()[0].depth, found[0].depth);
    // Of two days as deep the first one is the trough.
    let rest = drawdowns(&[0.1, -0.2, 0.0, -0.0, 0.1], None).unwrap();
    assert_eq!((rest[0].peak.period, rest[0].trough.period, rest[0].periods), (1, 2, 4));
    // What rounding alone keeps below the peak has recovered.
    let back = drawdowns(&[-0.1, 1.0 / 0.9 - 1.0 - 1e-14, 0.01], None).unwrap();
    assert_eq!(back[0].recovery, Some(Moment { period: 2, date: None }));
}

#[test]
fn dates_must_ascend() {
    let day = |day: u32| NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
    let r = [0.01, 0.02, -0.01];
    for dates in [[day(2), day(1), day(3)], [day(1), day(1), day(3)]] {
        let check = |found: Option<MetricError>| {
            assert!(matches!(found, Some(MetricError::Undefined { .. })), "{found:?}");
        };
        check(calendar_cagr(&r, &dates).err());
        check(monthly_returns(&r, &dates).err());
        check(drawdowns(&r, Some(&dates)).err());
    }
    let short = MetricError::Lengths { left: 3, right: 1 };
    assert_eq!(calendar_cagr(&r, &[day(1)]), Err(short));
    assert_eq!(monthly_returns(&[], &[]), Err(MetricError::TooFew { needed: 1, got: 0 }));
}

#[test]
fn months_without_returns_are_empty() {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let dates = [day(2021, 12, 31), day(2023, 1, 2), day(2023, 1, 3), day(2023, 12, 29)];
    let found = monthly_returns(&[0.5, 0.1, 0.1, -0.5], &dates).unwrap();
    assert_eq!(found.iter().map(|year| year.year).collect::<Vec<_>>(), [2021, 2023]);
    assert_eq!((found[0].months[11], found[0].total), (Some(0.5), 0.5));
    assert!((found[1].months[0].unwrap() - 0.21).abs() < 1e-15);
    assert_eq!(found[1].months[1], None);
    assert!((found[1].total + 0.395).abs() < 1e-15);
}

#[test]
fn a_tie_is_no_hit() {
    assert_eq!(hit_ratio(&[0.1, 0.2, 0.0, -0.1], &[0.1, 0.1, 0.1, 0.1]), Ok(0.25));
}

#[test]
fn turnover_of_equity() {
    assert_eq!(turnover(&[100.0, 0.0], &[1000.0, 500.0], DAILY), Ok(0.05 * 252.0));
    let out_of_range = |found| assert!(matches!(found, Err(MetricError::OutOfRange { .. })));
    out_of_range(turnover(&[-1.0], &[10.0], DAILY));
    out_of_range(turnover(&[1.0], &[0.0], DAILY));
    assert_eq!(turnover(&[1.0], &[], DAILY), Err(MetricError::Lengths { left: 1, right: 0 }));
}

#[test]
fn parameters_outside_of_their_range() {
    let r = [0.01, -0.02, 0.03];
    let check = |found: Result<f64, MetricError>| {
        assert!(matches!(found, Err(MetricError::OutOfRange { .. })), "{found:?}");
    };
    for tail in [0.0, 1.0, -0.1, f64::NAN] {
        check(value_at_risk(&r, tail));
        check(gaussian_value_at_risk(&r, tail));
        check(conditional_value_at_risk(&r, tail));
        check(gaussian_conditional_value_at_risk(&r, tail));
    }
    check(sharpe(&r, f64::NAN, DAILY));
    check(sortino(&r, f64::INFINITY, DAILY));
    check(omega(&r, f64::NAN));
    check(alpha(&r, &r, f64::NAN, DAILY));
    check(compound_rate_per_period(-1.0, DAILY));
    check(simple_rate_per_period(f64::NAN, DAILY));
    for periods in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(PeriodsPerYear::new(periods).is_err());
    }
    assert!(serde_json::from_str::<PeriodsPerYear>("0").is_err());
    assert_eq!(serde_json::from_str::<PeriodsPerYear>("52").unwrap(), PeriodsPerYear::WEEKLY);
}

#[test]
fn a_report_has_everything_or_says_why_not() {
    let (dates, r, b) = index_returns();
    let sample = ReturnSample {
        returns: &r,
        dates: Some(&dates),
        benchmark: Some(&b),
        trading: Some(Trading { traded: &vec![1.0; r.len()], equity: &vec![100.0; r.len()] }),
        ..ReturnSample::default()
    };
    let full = return_statistics(&sample);
    assert_eq!(full.missing, []);
    assert_eq!(full.sharpe, sharpe(&r, 0.0, DAILY).ok());
    assert_eq!(full.turnover.unwrap().to_bits(), (0.01_f64 * 252.0).to_bits());
    assert_eq!(full.worst_drawdowns.as_ref().map(Vec::len), Some(5));
    assert_eq!(full.monthly_returns.as_ref().map(Vec::len), Some(20));
    let lines = full.lines();
    assert_eq!(lines.len(), ReturnStatistics::CONVENTIONS.len());
    assert!(lines.iter().all(|line| line.value.is_ok()));
    let sharpe_line = lines.iter().find(|line| line.statistic == "sharpe").unwrap();
    assert_eq!(sharpe_line.convention.unit, Unit::Ratio);
    assert_eq!(sharpe_line.value.ok(), full.sharpe);

    let bare = return_statistics(&ReturnSample { returns: &[0.01], ..ReturnSample::default() });
    assert_eq!((bare.cumulative_return, bare.sharpe, bare.beta), (Some(1.01 - 1.0), None, None));
    let json = serde_json::to_value(&bare).unwrap();
    assert_eq!(json["sharpe"], Value::Null);
    let reason = |name: &str| {
        let missing = json["missing"].as_array().unwrap();
        let found = missing.iter().find(|missing| missing["statistic"] == name);
        found.unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason("sharpe"), "1 values, of at least 2 that are needed");
    assert_eq!(reason("beta"), "undefined: no benchmark was given");
    assert_eq!(reason("monthly_returns"), "undefined: no dates were given");
    let line = bare.lines().into_iter().find(|line| line.statistic == "sharpe").unwrap();
    assert_eq!(line.value, Err(MetricError::TooFew { needed: 2, got: 1 }));

    let empty = return_statistics(&ReturnSample::default());
    assert_eq!(empty.missing.len(), ReturnStatistics::CONVENTIONS.len() + 2);
}

#[test]
fn conventions_are_written_out() {
    for (name, convention) in ReturnStatistics::CONVENTIONS {
        let Convention { name: title, unit: _, formula, note } = convention;
        assert!(!title.is_empty() && !formula.is_empty() && note.ends_with('.'), "{name}");
        assert!(![title, formula, note].iter().any(|text| text.contains('\n')), "{name}");
    }
}

fn returns() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-0.9..1.5_f64, 2..60)
}

proptest! {
    // Without a file of found cases: what is found belongs in a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn drawdowns_agree_with_each_other(r in returns()) {
        let series = drawdown_series(&r)?;
        prop_assert!(series.iter().all(|depth| (-1.0..=0.0).contains(depth)));
        let deepest = worst_drawdowns(&r, None, 1)?.first().map_or(0.0, |found| found.depth);
        prop_assert!((max_drawdown(&r)? - deepest).abs() <= 1e-12);
        let mut end = 0;
        for found in drawdowns(&r, None)? {
            prop_assert!(found.peak.period >= end && found.peak.period < found.trough.period);
            end = found.recovery.map_or(r.len(), |recovery| recovery.period);
            prop_assert!(found.trough.period <= end && found.periods == end - found.peak.period);
        }
    }

    #[test]
    fn scaling_changes_what_it_should(r in returns(), scale in 0.1..0.9_f64) {
        let scaled: Vec<f64> = r.iter().map(|value| value * scale).collect();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
        if let (Ok(a), Ok(b)) = (sharpe(&r, 0.0, DAILY), sharpe(&scaled, 0.0, DAILY)) {
            prop_assert!(near(a, b), "{a} {b}");
            prop_assert!(near(beta(&scaled, &r)?, scale));
            prop_assert!(near(alpha(&scaled, &r, 0.0, DAILY)?, 0.0));
        }
        prop_assert!(near(value_at_risk(&r, 0.05)? * scale, value_at_risk(&scaled, 0.05)?));
        prop_assert!(conditional_value_at_risk(&r, 0.05)? <= value_at_risk(&r, 0.05)? + 1e-15);
        prop_assert!(lower_value_at_risk(&r, 0.3)? <= value_at_risk(&r, 0.3)?);
        prop_assume!(cagr(&r, DAILY)? > -0.99);
        let growth = (1.0 + cagr(&r, DAILY)?).ln() * r.len() as f64 / 252.0;
        prop_assert!(near(growth, cumulative_return(&r)?.ln_1p()));
    }

    #[test]
    fn windows_are_their_parts(r in returns(), window in 2..20_usize) {
        prop_assume!(window <= r.len());
        let found = rolling_volatility(&r, window, DAILY)?;
        for (found, part) in found.iter().zip(r.windows(window)) {
            prop_assert!((found - annualized_volatility(part, DAILY)?).abs() < 1e-12);
        }
        prop_assert_eq!(found.len(), r.len() - window + 1);
    }

    #[test]
    fn nothing_panics(r in prop::collection::vec(any::<f64>(), 0..8)) {
        for (_, statistic) in OF_RETURNS {
            if let Ok(value) = statistic(&r) {
                prop_assert!(value.is_finite());
            }
        }
        let _ = return_statistics(&ReturnSample {
            returns: &r,
            benchmark: Some(&r),
            ..ReturnSample::default()
        });
    }
}
