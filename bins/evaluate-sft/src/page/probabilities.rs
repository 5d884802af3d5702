use backtest_report::{EvaluationPart, FigureCell, FigureRow, FigureTable, Value};
use eval_metrics::calibration::ReliabilityBin;
use evaluation_study::{CalibrationJudgement, CalibrationScores, EvaluationStudy};

use super::cells::{bare, missing, with_interval};
use super::{part_if_any, plots_named};
use crate::plots::NamedPlot;

/// How far probabilities can be taken at their word.
pub(super) fn part(study: &EvaluationStudy, plots: &[NamedPlot]) -> Option<EvaluationPart> {
    let models = [
        ("Tuned", study.tuned.calibration.as_ref()),
        ("Base", study.base.as_ref().and_then(|base| base.calibration.as_ref())),
    ];
    let models: Vec<(&str, &CalibrationJudgement)> =
        models.into_iter().filter_map(|(name, judged)| Some((name, judged?))).collect();
    if models.is_empty() {
        return None;
    }
    let mut tables = vec![figures(&models)];
    tables.extend(models.iter().map(|(name, judged)| bins(name, judged)));
    part_if_any(EvaluationPart {
        title: "Probabilities".to_owned(),
        lead: "Models' own probabilities of the five actions where an answer names its action, and the same after \
               one temperature, fitted on the validation split."
            .to_owned(),
        findings: Vec::new(),
        plots: plots_named(plots, &["reliability", "reliability_base"]),
        tables,
    })
}

fn figures(models: &[(&str, &CalibrationJudgement)]) -> FigureTable {
    let mut columns = Vec::new();
    for (name, judged) in models {
        columns.push(format!("{name}, as they are"));
        if judged.after.is_some() {
            columns.push(format!("{name}, after"));
        }
    }
    let scored = |name: &str, how: &str, cell: &dyn Fn(&CalibrationScores) -> FigureCell| {
        let scores =
            models.iter().flat_map(|(_, judged)| [Some(&judged.before), judged.after.as_ref()]);
        FigureRow {
            name: name.to_owned(),
            how: how.to_owned(),
            cells: scores.flatten().map(cell).collect(),
        }
    };
    let of_model = |name: &str, how: &str, cell: &dyn Fn(&CalibrationJudgement) -> FigureCell| {
        let cells = models.iter().flat_map(|(_, judged)| {
            [Some(cell(judged)), judged.after.as_ref().map(|_| Value::Text(String::new()).into())]
        });
        FigureRow { name: name.to_owned(), how: how.to_owned(), cells: cells.flatten().collect() }
    };
    let rows = vec![
        scored(
            "Calibration error",
            "Mean |accuracy − confidence| of bins; 0 is calibrated.",
            &|s| Value::Percent(s.expected_calibration_error).into(),
        ),
        scored("Largest calibration error", "Of a bin; few rows rule it easily.", &|s| {
            Value::Percent(s.maximum_calibration_error).into()
        }),
        scored("Brier score", "0 to 2; one fifth each has 0.8.", &|s| {
            with_interval(s.brier, Value::Ratio)
        }),
        scored("Log loss, nats", "One fifth each has 1.609.", &|s| {
            with_interval(s.log_loss, Value::Ratio)
        }),
        scored("Mean confidence", "", &|s| with_interval(s.mean_confidence, Value::Percent)),
        scored("Accuracy of the most probable", "It need not be what was written.", &|s| {
            with_interval(s.accuracy, Value::Percent)
        }),
        of_model("Written is most probable", "Share of answers with an action.", &|judged| {
            bare(judged.agreement, Value::Percent)
        }),
        of_model("Temperature", "Above 1 it makes probabilities less sure.", &|judged| {
            judged.temperature.map_or(missing(), |fit| FigureCell {
                value: Value::Ratio(fit.temperature),
                under: format!("of {} rows", Value::Count(fit.rows)),
            })
        }),
        of_model("Rows with probabilities", "", &|judged| Value::Count(judged.rows).into()),
    ];
    FigureTable {
        title: "Calibration".to_owned(),
        note: String::new(),
        head: "Figure".to_owned(),
        columns,
        rows,
    }
}

fn bins(name: &str, judged: &CalibrationJudgement) -> FigureTable {
    let kinds = [("", Some(&judged.before)), (", after", judged.after.as_ref())];
    let kinds: Vec<(&str, &CalibrationScores)> =
        kinds.into_iter().filter_map(|(kind, scores)| Some((kind, scores?))).collect();
    let heads = |kind: &str| ["Rows", "Confidence", "Accuracy"].map(|head| format!("{head}{kind}"));
    let is_empty = |index: usize| kinds.iter().all(|(_, s)| s.reliability[index].count == 0);
    let row = |(index, bin): (usize, &ReliabilityBin)| FigureRow {
        name: format!("{:.3} to {:.3}", bin.lower, bin.upper),
        how: String::new(),
        cells: kinds.iter().flat_map(|(_, scores)| bin_cells(&scores.reliability[index])).collect(),
    };
    let bins = judged.before.reliability.iter().enumerate();
    FigureTable {
        title: format!("Bins of confidence, {} model", name.to_lowercase()),
        note: "Rows by the probability of their most probable action; one on an edge belongs to the bin below. Empty bins are left out.".to_owned(),
        head: "Confidence".to_owned(),
        columns: kinds.iter().flat_map(|(kind, _)| heads(kind)).collect(),
        rows: bins.filter(|(index, _)| !is_empty(*index)).map(row).collect(),
    }
}

fn bin_cells(bin: &ReliabilityBin) -> [FigureCell; 3] {
    let share = |share: Option<f64>| match share {
        Some(share) => Value::Percent(share).into(),
        None => Value::Text("–".to_owned()).into(),
    };
    [Value::Count(bin.count).into(), share(bin.mean_confidence), share(bin.accuracy)]
}
