use backtest_report::{EvaluationPart, FigureRow, FigureTable, Value};
use evaluation_study::{EvaluationStudy, ModelJudgement, WindowJudgement};

use super::cells::{Models, bare, columns, row, with_interval};

/// Calls against forward returns; empty where no return is known.
pub(super) fn part(study: &EvaluationStudy, models: &Models<'_>) -> EvaluationPart {
    let known: Vec<usize> =
        (0..study.returns.len()).filter(|window| study.returns[*window].known > 0).collect();
    if known.is_empty() {
        return EvaluationPart { title: "Returns".to_owned(), ..EvaluationPart::default() };
    }
    let mut tables: Vec<FigureTable> =
        known.iter().map(|window| of_window(study, models, *window)).collect();
    tables.extend(known.iter().map(|window| by_action(&study.tuned, *window)));
    EvaluationPart {
        title: "Returns".to_owned(),
        lead: "From the close of the first session at or after a row's date; costs are not in it."
            .to_owned(),
        findings: Vec::new(),
        plots: Vec::new(),
        tables,
    }
}

fn of_window(study: &EvaluationStudy, models: &Models<'_>, window: usize) -> FigureTable {
    let returns = &study.returns[window];
    let labels = &study.label_windows[window];
    let row =
        |name: &str, how: &str, cell: &dyn Fn(&WindowJudgement) -> backtest_report::FigureCell| {
            let mut row: FigureRow =
                row(name, how, models, |model: &ModelJudgement| cell(&model.windows[window]));
            row.cells.push(cell(labels));
            row
        };
    let mut columns = columns(models);
    columns.push("labels".to_owned());
    let of_all = returns.mean_return.map_or_else(String::new, |mean| {
        format!(" The mean return of all rows is {}.", Value::Percent(mean.value))
    });
    FigureTable {
        title: format!("{} sessions", returns.sessions),
        note: format!(
            "{} rows with a known return, {} without.{of_all}",
            returns.known, returns.unknown
        ),
        head: "Figure".to_owned(),
        columns,
        rows: vec![
            row("Hit rate", "buys that rose and sells that fell", &|w| {
                with_interval(w.hit_rate, Value::Percent)
            }),
            row("Buys and sells judged", "", &|w| Value::Count(w.judged).into()),
            row("Direction", "holds say flat; no action is wrong", &|w| {
                with_interval(w.direction, Value::Percent)
            }),
            row("Return of calls", "times 1 for buys and −1 for sells", &|w| {
                with_interval(w.call_return, Value::Percent)
            }),
            row("IC of actions", "Spearman, all rows", &|w| {
                with_interval(w.action_information.as_ref().and_then(|i| i.pooled), Value::Ratio)
            }),
            row("IC of expected conviction", "Spearman, all rows", &|w| {
                with_interval(w.expected_information.as_ref().and_then(|i| i.pooled), Value::Ratio)
            }),
            row("Mean IC of months", "of expected conviction", &|w| {
                bare(w.expected_information.as_ref().and_then(|i| i.month_mean), Value::Ratio)
            }),
            row("Its t-statistic", "", &|w| {
                bare(
                    w.expected_information.as_ref().and_then(|i| i.month_t_statistic),
                    Value::Ratio,
                )
            }),
        ],
    }
}

fn by_action(model: &ModelJudgement, window: usize) -> FigureTable {
    let window = &model.windows[window];
    let row = |mean: &evaluation_study::ActionMean| FigureRow {
        name: mean.returns.action.to_string(),
        how: String::new(),
        cells: vec![
            Value::Count(mean.returns.count).into(),
            with_interval(mean.estimate, Value::Percent),
            bare(mean.returns.std, Value::Percent),
            bare(mean.returns.t_statistic, Value::Ratio),
        ],
    };
    FigureTable {
        title: format!("By action, {} sessions", window.sessions),
        note: "Calls of the model that is judged.".to_owned(),
        head: "Action".to_owned(),
        columns: ["calls", "mean return", "deviation", "t"].map(str::to_owned).into(),
        rows: window.actions.iter().map(row).collect(),
    }
}
