use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::run_folder::RunFolder;

/// What the stages found, from the files that they wrote; nothing of it depends on when or how fast they ran.
///
/// What is not there, because its stage has not run, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Results {
    pub(super) records: Records,
    pub(super) rows: Option<Rows>,
    /// Tokens of all splits.
    pub(super) tokens: Option<u64>,
    /// Tickers in the price cache.
    pub(super) price_files: u64,
    pub(super) training: Option<Training>,
    pub(super) test: Option<Test>,
    pub(super) backtest: Option<Backtest>,
}

/// What became of the theses.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Records {
    pub(super) kept: Option<u64>,
    pub(super) rejected: Option<u64>,
}

/// Rows of the splits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Rows {
    pub(super) train: u64,
    pub(super) validation: u64,
    pub(super) test: u64,
}

/// How training went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Training {
    pub(super) steps: u64,
    /// Nats a target token, of the first step and of the last one.
    pub(super) first_loss: Option<f64>,
    pub(super) last_loss: Option<f64>,
    /// Of the last evaluation.
    pub(super) validation_loss: Option<f64>,
    /// Loss by step, for the curve.
    #[serde(skip)]
    pub(super) losses: Vec<(f64, f64)>,
    /// The same of evaluations.
    #[serde(skip)]
    pub(super) validation_losses: Vec<(f64, f64)>,
}

/// How both models did on the rows of the test.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Test {
    pub(super) rows: u64,
    pub(super) base: Option<Judgement>,
    pub(super) tuned: Judgement,
}

/// Figures of one model.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Judgement {
    /// Nats a target token.
    pub(super) loss: Option<f64>,
    pub(super) perplexity: Option<f64>,
    pub(super) accuracy: Option<f64>,
    pub(super) macro_f1: Option<f64>,
    pub(super) valid_tags: Option<f64>,
}

/// The portfolio of the calls, and those that it is held against.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Backtest {
    pub(super) first_session: String,
    pub(super) last_session: String,
    pub(super) fills: u64,
    pub(super) portfolios: Vec<Portfolio>,
}

/// Figures of one portfolio; of random calls the means of all draws.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Portfolio {
    pub(super) name: String,
    pub(super) total_return: Option<f64>,
    pub(super) sharpe: Option<f64>,
    pub(super) max_drawdown: Option<f64>,
}

impl Results {
    /// Reads what there is.
    pub(super) fn read(run: &RunFolder) -> Self {
        let file = |name: &str| json_file(&run.path(name));
        Self {
            records: Records {
                kept: lines(&run.path("records/all.jsonl")),
                rejected: lines(&run.path("records/all.rejects.jsonl")),
            },
            rows: file("dataset/statistics.json").as_ref().and_then(Rows::of),
            tokens: file("shards/report.json").as_ref().and_then(tokens),
            price_files: price_files(&run.path("prices")),
            training: Training::read(&run.path("sft/metrics.jsonl")),
            test: file("eval/eval_results.json").as_ref().and_then(Test::of),
            backtest: file("backtest/backtest.json").as_ref().and_then(Backtest::of),
        }
    }
}

impl Rows {
    fn of(statistics: &Value) -> Option<Self> {
        let splits = statistics["splits"].as_array()?;
        let rows = |name: &str| {
            let split = splits.iter().find(|split| split["split"] == name);
            split.and_then(|split| split["rows"].as_u64()).unwrap_or(0)
        };
        Some(Self { train: rows("train"), validation: rows("validation"), test: rows("test") })
    }
}

fn tokens(report: &Value) -> Option<u64> {
    report["splits"].as_array()?.iter().map(|split| split["tokens"].as_u64()).sum()
}

impl Training {
    /// `None` without a step. A line that is no JSON is left out.
    fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut training = Self::default();
        for line in text.lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let Some(step) = line["step"].as_f64() else { continue };
            if let Some(loss) = line["loss"].as_f64() {
                training.losses.push((step, loss));
                training.steps = training.steps.max(step as u64);
            }
            if let Some(loss) = line["eval_loss"].as_f64() {
                training.validation_losses.push((step, loss));
            }
        }
        training.first_loss = training.losses.first().map(|(_, loss)| *loss);
        training.last_loss = training.losses.last().map(|(_, loss)| *loss);
        training.validation_loss = training.validation_losses.last().map(|(_, loss)| *loss);
        (training.steps > 0).then_some(training)
    }
}

impl Test {
    fn of(evaluation: &Value) -> Option<Self> {
        // The judgement stands alone, or beside the run's own notes.
        let study = evaluation.get("study").unwrap_or(evaluation);
        Some(Self {
            rows: study["rows"].as_u64()?,
            base: study.get("base").filter(|base| base.is_object()).map(Judgement::of),
            tuned: Judgement::of(study.get("tuned")?),
        })
    }
}

impl Judgement {
    fn of(model: &Value) -> Self {
        let value = |part: &str, figure: &str| model[part][figure]["value"].as_f64();
        Self {
            loss: value("language", "loss"),
            perplexity: value("language", "perplexity"),
            accuracy: value("calls", "accuracy"),
            macro_f1: value("calls", "macro_f1"),
            valid_tags: value("tags", "valid"),
        }
    }
}

impl Backtest {
    fn of(report: &Value) -> Option<Self> {
        let portfolio = |name: &str, metrics: &Value| Portfolio {
            name: name.to_owned(),
            total_return: metrics["cumulative_return"].as_f64(),
            sharpe: metrics["sharpe"].as_f64(),
            max_drawdown: metrics["max_drawdown"].as_f64(),
        };
        let mut portfolios = vec![portfolio("the model's calls", report.get("metrics")?)];
        for (name, metrics) in report["baselines"].as_object().unwrap_or(&Map::new()) {
            portfolios.push(portfolio(spoken(name), metrics));
        }
        if let Some(random) = report.get("random_calls").filter(|random| random.is_object()) {
            portfolios.push(Portfolio {
                name: "random calls, mean".to_owned(),
                total_return: random["total_return"]["mean"].as_f64(),
                sharpe: random["sharpe"]["mean"].as_f64(),
                max_drawdown: None,
            });
        }
        let text = |key: &str| report[key].as_str().unwrap_or_default().to_owned();
        Some(Self {
            first_session: text("first_session"),
            last_session: text("last_session"),
            fills: report["orders"]["fills"].as_u64().unwrap_or(0),
            portfolios,
        })
    }
}

/// A baseline as a person calls it.
fn spoken(name: &str) -> &str {
    match name {
        "buy_and_hold" => "buy and hold",
        "equal_weight_monthly" => "equal weight, monthly",
        "momentum_12_1" => "momentum 12-1",
        "always_hold" => "always HOLD",
        name => name,
    }
}

fn json_file(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

fn lines(path: &Path) -> Option<u64> {
    let bytes = fs::read(path).ok()?;
    Some(bytes.iter().filter(|&&byte| byte == b'\n').count() as u64)
}

fn price_files(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|e| e == "parquet")).count() as u64
}

/// The summary for programs: the figures, and what they are of.
pub(super) fn summary(profile: &str, description: &str, results: &Results) -> Value {
    json!({
        "profile": profile,
        "description": description,
        "results": results,
        "notice": "Research software. Nothing here is investment advice.",
    })
}
