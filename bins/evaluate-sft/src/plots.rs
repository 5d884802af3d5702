use backtest_report::{
    ActionReturns, ConfusionMatrix, IcByMonth, Outcomes, Reliability, ReliabilityCurve,
    ReliabilityPoint, ReturnsByAction, Size, confusion_matrix, ic_by_month, outcomes, reliability,
    returns_by_action,
};
use eval_metrics::calibration::ReliabilityBin;
use evaluation_study::{
    CalibrationScores, EvaluatedRow, EvaluationStudy, ModelJudgement, WindowJudgement,
};
use thesis_core::Action;

/// A plot with the name of its file.
#[derive(Debug, Clone)]
pub(crate) struct NamedPlot {
    pub(crate) name: String,
    pub(crate) svg: String,
    /// A sentence for the report.
    pub(crate) caption: String,
}

/// All plots, in the order of the report.
pub(crate) fn plots(rows: &[EvaluatedRow], study: &EvaluationStudy) -> Vec<NamedPlot> {
    let mut plots = Vec::new();
    let mut add = |name: String, svg, caption: &str| {
        plots.push(NamedPlot { name, svg, caption: caption.to_owned() });
    };
    let size = Size::default();
    let models = named_models(study);
    for (name, model) in &models {
        let suffix = suffix(name);
        add(
            format!("confusion_matrix{suffix}"),
            confusion_matrix(&matrix(name, model), size.width),
            "Labels from top to bottom, calls from left to right; the diagonal is right.",
        );
    }
    add(
        "outcomes".to_owned(),
        outcomes(&outcome_bars(&models), size.width),
        "How far answers kept the grammar of tags.",
    );
    for (name, model) in &models {
        let Some(curves) = reliability_of(name, model) else { continue };
        add(
            format!("reliability{}", suffix(name)),
            reliability(&curves, size),
            "The share of rows that were right in each bin of confidence; on the diagonal, \
             probabilities can be taken at their word.",
        );
    }
    for (index, window) in study.tuned.windows.iter().enumerate() {
        if window.known > 0 {
            add(
                format!("returns_by_action_{}", window.sessions),
                returns_by_action(&returns(rows, window, index), size),
                "Forward returns of the rows that were called so, and the interval of their mean.",
            );
        }
    }
    for window in &study.tuned.windows {
        let Some(months) = months(window) else { continue };
        add(
            format!("ic_by_month_{}", window.sessions),
            ic_by_month(&months, Size { height: 300, ..size }),
            "Rank correlation of expected conviction and forward return, month by month.",
        );
    }
    plots
}

/// The models that were judged, by their names in reports.
fn named_models(study: &EvaluationStudy) -> Vec<(&'static str, &ModelJudgement)> {
    match &study.base {
        Some(base) => vec![("tuned", &study.tuned), ("base", base)],
        None => vec![("model", &study.tuned)],
    }
}

fn suffix(model: &str) -> &'static str {
    if model == "base" { "_base" } else { "" }
}

fn titled(what: &str, model: &str) -> String {
    match model {
        "model" => what.to_owned(),
        name => format!("{what}, {name} model"),
    }
}

fn matrix(name: &str, model: &ModelJudgement) -> ConfusionMatrix {
    let actions = Action::ALL.map(|action| action.to_string());
    ConfusionMatrix {
        title: titled("Calls against labels", name),
        row_name: "label".to_owned(),
        rows: actions.to_vec(),
        column_name: "call".to_owned(),
        columns: actions.into_iter().chain(["none".to_owned()]).collect(),
        counts: model.calls.confusion.iter().map(|row| row.to_vec()).collect(),
    }
}

fn outcome_bars(models: &[(&'static str, &ModelJudgement)]) -> Outcomes {
    let counts = |model: &ModelJudgement| {
        let outcomes = model.tags.outcomes.iter().filter(|outcome| outcome.count > 0);
        outcomes.map(|o| (o.outcome.as_str().replace('_', " "), o.count)).collect()
    };
    Outcomes {
        title: "How answers kept the tags".to_owned(),
        models: models.iter().map(|(name, model)| ((*name).to_owned(), counts(model))).collect(),
    }
}

fn reliability_of(name: &str, model: &ModelJudgement) -> Option<Reliability> {
    let calibration = model.calibration.as_ref()?;
    let curve = |name: String, scores: &CalibrationScores| ReliabilityCurve {
        name,
        bins: scores.reliability.iter().map(point).collect(),
    };
    let mut curves = vec![curve("before".to_owned(), &calibration.before)];
    if let (Some(after), Some(fitted)) = (&calibration.after, calibration.temperature) {
        curves.push(curve(format!("after the temperature {:.2}", fitted.temperature), after));
    }
    Some(Reliability { title: titled("Reliability", name), curves })
}

fn point(bin: &ReliabilityBin) -> ReliabilityPoint {
    let ReliabilityBin { lower, upper, count, mean_confidence, accuracy } = *bin;
    ReliabilityPoint { lower, upper, count, mean_confidence, accuracy }
}

fn returns(rows: &[EvaluatedRow], window: &WindowJudgement, index: usize) -> ReturnsByAction {
    let of_action = |action: Action| {
        let called = rows.iter().filter(|row| row.tuned.parsed.action == Some(action));
        let mean = window.actions.iter().find(|mean| mean.returns.action == action);
        let estimate = mean.and_then(|mean| mean.estimate);
        ActionReturns {
            name: action.to_string(),
            returns: called.map(|row| row.forward_returns[index]).collect(),
            interval: estimate.and_then(|estimate| Some((estimate.lower?, estimate.upper?))),
        }
    };
    ReturnsByAction {
        window: format!("{} sessions", window.sessions),
        actions: Action::ALL.into_iter().map(of_action).collect(),
    }
}

fn months(window: &WindowJudgement) -> Option<IcByMonth> {
    let information =
        window.expected_information.as_ref().or(window.action_information.as_ref())?;
    let months: Vec<(String, f64)> =
        information.months.iter().map(|month| (month.month.clone(), month.coefficient)).collect();
    (!months.is_empty()).then(|| IcByMonth {
        measure: format!("rank correlation of calls and returns over {} sessions", window.sessions),
        months,
        mean: information.month_mean,
    })
}
