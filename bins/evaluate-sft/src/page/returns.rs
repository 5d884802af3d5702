use backtest_report::{EvaluationPart, FigureCell, FigureRow, FigureTable, Plot, Value};
use evaluation_study::{Estimate, EvaluationStudy, Figure, InformationJudgement, WindowJudgement};
use thesis_core::Action;

use super::cells::{bare, if_known, interval, missing, points};
use super::{main_window, part_if_any, plots_named, sessions};
use crate::plots::NamedPlot;

/// Calls against forward returns.
pub(super) fn part(study: &EvaluationStudy, plots: &[NamedPlot]) -> Option<EvaluationPart> {
    if study.settings.forward_windows.is_empty() {
        return None;
    }
    part_if_any(EvaluationPart {
        title: "Returns".to_owned(),
        lead: "Returns from the close of the first session at or after the date to that of a later session, not in \
               excess of a market, before costs. Rows whose window runs past the prices are left out and counted."
            .to_owned(),
        findings: Vec::new(),
        plots: plots_of(study, plots),
        tables: vec![figures(study), information(study), actions(study)],
    })
}

fn plots_of(study: &EvaluationStudy, plots: &[NamedPlot]) -> Vec<Plot> {
    let Some(index) = main_window(study) else { return Vec::new() };
    let window = study.settings.forward_windows[index];
    let names = ["returns_by_action", "ic_by_month"].map(|name| format!("{name}_{window}"));
    plots_named(plots, &names.each_ref().map(String::as_str))
}

/// Whose calls, and window by window what they were worth.
fn callers(study: &EvaluationStudy) -> Vec<(&'static str, &[WindowJudgement])> {
    let name = if study.base.is_some() { "tuned" } else { "model" };
    let mut callers = vec![(name, study.tuned.windows.as_slice())];
    callers.extend(study.base.as_ref().map(|base| ("base", base.windows.as_slice())));
    callers.push(("labels", study.label_windows.as_slice()));
    callers
}

fn figures(study: &EvaluationStudy) -> FigureTable {
    let mut rows = vec![
        row("Rows with a return", "", study.returns.iter().map(|w| Value::Count(w.known).into())),
        row("Rows without", "", study.returns.iter().map(|w| Value::Count(w.unknown).into())),
        row(
            "Mean return of all rows",
            "What buying everything would have brought.",
            study.returns.iter().map(|w| if_known(w.mean_return, Value::Percent)),
        ),
        row(
            "Share of returns above 0",
            "What always saying BUY would have hit.",
            study.returns.iter().map(|w| if_known(w.share_up, Value::Percent)),
        ),
    ];
    type Of = fn(&WindowJudgement) -> Option<Estimate>;
    let kinds: [(&str, &str, Of); 3] = [
        ("Hit rate", "Share of buys that rose and of sells that fell; holds are left out.", |w| {
            w.hit_rate
        }),
        ("Direction", "Share of all rows with the return's sign; no action is wrong.", |w| {
            w.direction
        }),
        ("Return of a call", "Mean of the return of buys and minus that of sells.", |w| {
            w.call_return
        }),
    ];
    for (name, how, of) in kinds {
        for (place, (caller, windows)) in callers(study).into_iter().enumerate() {
            let is_first = place == 0;
            let cells = windows.iter().map(|window| if_known(of(window), Value::Percent));
            let how = if is_first { how } else { "" };
            rows.push(row(&format!("{name}, {caller}"), how, cells));
        }
    }
    for (caller, windows) in callers(study) {
        rows.push(row(&format!("Spread, {caller}"), "", windows.iter().map(spread)));
    }
    type Which = fn(u32) -> Figure;
    let differences: [(&str, Which); 2] = [
        ("Hit rate, tuned − base", Figure::HitRate),
        ("Return of a call, tuned − base", Figure::CallReturn),
    ];
    if let Some(comparison) = &study.comparison {
        for (name, figure) in differences {
            let of = |sessions: &u32| {
                let found = comparison.differences.iter().find(|d| d.figure == figure(*sessions));
                if_known(found.map(|found| found.difference), points)
            };
            rows.push(row(name, "", study.settings.forward_windows.iter().map(of)));
        }
    }
    FigureTable {
        title: "By window".to_owned(),
        note: "The labels' own figures are what a perfect pupil of the analysts would have had."
            .to_owned(),
        head: "Figure".to_owned(),
        columns: windows(study),
        rows,
    }
}

fn spread(window: &WindowJudgement) -> FigureCell {
    let Some(found) = window.spread else { return missing() };
    let t = found.t_statistic.map(|t| format!("t {}", Value::Number(t, 2, String::new())));
    FigureCell { value: Value::Percent(found.spread), under: t.unwrap_or_default() }
}

fn information(study: &EvaluationStudy) -> FigureTable {
    type Of = fn(&WindowJudgement) -> Option<&InformationJudgement>;
    let scores: [(&str, Of); 2] = [
        ("calls", |window| window.action_information.as_ref()),
        ("expected conviction", |window| window.expected_information.as_ref()),
    ];
    let mut rows = Vec::new();
    for (score, of) in scores {
        for (caller, windows) in callers(study) {
            if windows.iter().all(|window| of(window).is_none()) {
                continue;
            }
            let pooled =
                windows.iter().map(|w| if_known(of(w).and_then(|ic| ic.pooled), Value::Ratio));
            rows.push(row(&format!("All rows, {score}, {caller}"), "", pooled));
            let months = windows.iter().map(|window| {
                let Some(found) = of(window) else { return missing() };
                let t = found
                    .month_t_statistic
                    .map(|t| format!(", t {}", Value::Number(t, 2, String::new())));
                let under = format!("{} months{}", found.months.len(), t.unwrap_or_default());
                FigureCell { under, ..bare(found.month_mean, Value::Ratio) }
            });
            rows.push(row(&format!("Mean of months, {score}, {caller}"), "", months));
        }
    }
    FigureTable {
        title: "Information coefficients".to_owned(),
        note: "Spearman's rank correlation with the return. Calls count −2 (STRONG_SELL) to 2 (STRONG_BUY); expected \
               conviction is their mean under the probabilities."
            .to_owned(),
        head: "Rows and scores".to_owned(),
        columns: windows(study),
        rows,
    }
}

fn actions(study: &EvaluationStudy) -> FigureTable {
    let mut rows = Vec::new();
    for (caller, judged) in callers(study) {
        for action in Action::ALL {
            let cells = judged.iter().map(|window| {
                let found = window.actions.iter().find(|mean| mean.returns.action == action);
                let Some(found) = found else { return missing() };
                let Some(estimate) = found.estimate else { return missing() };
                let calls = Value::Count(found.returns.count);
                FigureCell {
                    value: Value::Text(format!("{} ({calls})", Value::Percent(estimate.value))),
                    under: interval(&estimate, Value::Percent),
                }
            });
            rows.push(row(&format!("{action}, {caller}"), "", cells));
        }
    }
    FigureTable {
        title: "Mean return by action".to_owned(),
        note: "In brackets the calls that it is of.".to_owned(),
        head: "Action".to_owned(),
        columns: windows(study),
        rows,
    }
}

fn row(name: &str, how: &str, cells: impl Iterator<Item = FigureCell>) -> FigureRow {
    FigureRow { name: name.to_owned(), how: how.to_owned(), cells: cells.collect() }
}

fn windows(study: &EvaluationStudy) -> Vec<String> {
    study.settings.forward_windows.iter().map(|window| sessions(*window)).collect()
}
