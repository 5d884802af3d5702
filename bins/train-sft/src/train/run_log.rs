use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use experiment_log::{ExperimentLog, JsonLines, LogError, RunStatus, Sink, TensorBoard};
use lora_train::{
    ActionReport, End, EvaluationReport, Event, Observer, Outcome, StepReport, TrainError,
};
use serde_json::{Map, Value, json};
use stage_cli::Stage;

use super::process_memory::{mebibytes, process_memory};
use super::progress::{Progress, tokens_per_second};
use super::samples::Samples;
use crate::config::SftConfig;

/// Figures and events of a run: on the console, in `metrics.jsonl`, and where else the settings send them.
///
/// All processes have one; that of the first one writes.
pub(super) struct RunLog<'a>(Option<Writing<'a>>);

struct Writing<'a> {
    stage: &'a Stage,
    progress: Progress,
    log: ExperimentLog,
    metrics: PathBuf,
    samples: Option<Samples>,
    steps: u64,
    done: u64,
    began: Instant,
    /// A file that could not be written ends the run; a server that fails does not.
    failure: Option<LogError>,
    stop: Arc<AtomicBool>,
}

impl<'a> RunLog<'a> {
    pub(super) fn silent() -> Self {
        Self(None)
    }

    /// Begins the logs of a run of `steps`, or goes on with those of one that was saved after `done`.
    pub(super) fn begin(
        stage: &'a Stage,
        config: &SftConfig,
        steps: u64,
        done: u64,
        samples: Option<Samples>,
        stop: Arc<AtomicBool>,
    ) -> anyhow::Result<Self> {
        let metrics = config.out.join("metrics.jsonl");
        let mut sinks = vec![Sink::JsonLines(JsonLines::resume(&metrics, done)?)];
        if config.logging.tensorboard {
            let folder = config.out.join("tensorboard");
            let now = SystemTime::now();
            sinks.push(Sink::TensorBoard(TensorBoard::resume(&folder, done, now)?));
        }
        #[cfg(feature = "mlflow")]
        sinks.extend(mlflow(config));
        let mut log = ExperimentLog::new(sinks);
        if done == 0 {
            let settings = hyperparameters(config);
            let settings: Vec<_> =
                settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            local(log.log_hyperparameters(&settings))?;
        }
        let progress = Progress::new(stage, steps, done, config.logging.log_steps);
        let (began, failure) = (Instant::now(), None);
        Ok(Self(Some(Writing {
            stage,
            progress,
            log,
            metrics,
            samples,
            steps,
            done,
            began,
            failure,
            stop,
        })))
    }

    /// Ends the logs, and gives the run's outcome, unless the logs could not be written.
    pub(super) fn end(
        &mut self,
        outcome: Result<Outcome, TrainError>,
    ) -> Result<Result<Outcome, TrainError>, LogError> {
        let Some(writing) = &mut self.0 else { return Ok(outcome) };
        writing.progress.finish();
        let status = match &outcome {
            Ok(Outcome { end: End::Stopped, .. }) => RunStatus::Killed,
            Ok(_) => RunStatus::Finished,
            Err(_) => RunStatus::Failed,
        };
        let finished = local(writing.log.finish(status));
        match (writing.failure.take(), outcome) {
            (_, Err(error)) => Ok(Err(error)),
            (Some(failure), Ok(_)) => Err(failure),
            (None, Ok(outcome)) => finished.map(|()| Ok(outcome)),
        }
    }
}

impl<B: DecoderBackend> Observer<B> for RunLog<'_> {
    fn event(&mut self, event: &Event) {
        let Some(writing) = &mut self.0 else { return };
        match event {
            Event::Step(report) => writing.step(report),
            Event::Skipped { step, loss, grad_norm } => {
                tracing::warn!(
                    "step {step} left out: loss {loss}, gradient norm {grad_norm}; nothing was changed"
                );
                writing
                    .row(*step, json!({ "skipped": true, "loss": loss, "grad_norm": grad_norm }));
            }
            Event::Evaluation(report) => writing.evaluation(report),
            Event::Collapsed { step, action, examples } => tracing::warn!(
                "step {step}: every one of {examples} predicted actions is {action}; the model may have learned the \
                 commonest action alone (class_weights or balanced_sampling help)"
            ),
            Event::Saved { step, path } => tracing::info!("step {step}: saved {}", path.display()),
            Event::Removed(paths) => {
                paths.iter().for_each(|path| tracing::debug!("removed {}", path.display()));
            }
            _ => {}
        }
    }

    fn metrics_bytes(&mut self) -> u64 {
        let metrics = self.0.as_ref().and_then(|writing| fs::metadata(&writing.metrics).ok());
        metrics.map_or(0, |metadata| metadata.len())
    }

    fn sample(
        &mut self,
        step: u64,
        model: &CausalLm<B>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(writing) = &mut self.0 else { return Ok(()) };
        let Some(samples) = &writing.samples else { return Ok(()) };
        for (index, (uid, text)) in samples.answers(model)?.into_iter().enumerate() {
            writing.stage.print(format_args!("--- step {step}, {uid} ---\n{text}\n"));
            let logged = writing.log.log_text(step, &format!("sample_{}", index + 1), &text);
            writing.take(logged);
        }
        Ok(())
    }
}

impl Writing<'_> {
    fn step(&mut self, report: &StepReport) {
        self.progress.step(report);
        let elapsed = self.began.elapsed().as_secs_f64();
        let (here, left) = (report.step - self.done, self.steps - report.step);
        self.row(
            report.step,
            json!({
                "epoch": report.epoch,
                "loss": report.loss,
                "grad_norm": report.grad_norm,
                "learning_rate": report.learning_rate,
                "tokens": report.tokens,
                "target_tokens": report.target_tokens,
                "seconds": report.seconds,
                "tokens_per_second": tokens_per_second(report),
                "memory_mib": process_memory().map(|(now, _)| now),
                "device_memory_mib": report.device_memory.map(mebibytes),
                "seconds_left": elapsed / here.max(1) as f64 * left as f64,
            }),
        );
    }

    fn evaluation(&mut self, report: &EvaluationReport) {
        let accuracy = report.action_accuracy;
        tracing::info!(
            "step {}: evaluation loss {:.4}, {:.1} % of tokens{} over {} examples",
            report.step,
            report.loss,
            100.0 * report.token_accuracy,
            accuracy.map(|a| format!(", {:.1} % of actions", 100.0 * a)).unwrap_or_default(),
            report.examples
        );
        let mut row = json!({
            "eval_loss": report.loss,
            "eval_token_accuracy": report.token_accuracy,
            "eval_action_accuracy": accuracy,
            "eval_examples": report.examples,
            "eval_target_tokens": report.target_tokens,
            "eval_seconds": report.seconds,
        });
        for ActionReport { action, examples, loss, accuracy, predicted } in &report.actions {
            row[format!("eval_loss_{action}")] = json!(loss);
            row[format!("eval_accuracy_{action}")] = json!(accuracy);
            row[format!("eval_examples_{action}")] = json!(examples);
            row[format!("eval_predicted_{action}")] = json!(predicted);
        }
        self.row(report.step, row);
    }

    fn row(&mut self, step: u64, row: Value) {
        let row = match row {
            Value::Object(row) => row,
            _ => Map::new(),
        };
        let logged = self.log.log_row(step, row);
        self.take(logged);
    }

    fn take(&mut self, logged: Result<(), LogError>) {
        if let Err(error) = local(logged) {
            // The trainer saves, and ends.
            self.stop.store(true, Ordering::Relaxed);
            self.failure.get_or_insert(error);
        }
    }
}

/// A server that fails is worth a warning, and no reason to end a run.
fn local(logged: Result<(), LogError>) -> Result<(), LogError> {
    match logged {
        Err(error) if error.is_remote() => {
            tracing::warn!("{error}");
            Ok(())
        }
        other => other,
    }
}

/// All settings, by dotted keys.
fn hyperparameters(config: &SftConfig) -> Vec<(String, String)> {
    fn add(key: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => {
                let dotted = |inner: &str| match key {
                    "" => inner.to_owned(),
                    _ => format!("{key}.{inner}"),
                };
                map.iter().for_each(|(inner, value)| add(&dotted(inner), value, pairs));
            }
            Value::String(text) => pairs.push((key.to_owned(), text.clone())),
            other => pairs.push((key.to_owned(), other.to_string())),
        }
    }
    let mut pairs = Vec::new();
    add("", &serde_json::to_value(config).unwrap_or_default(), &mut pairs);
    pairs
}

/// A server that cannot be reached is worth a warning.
#[cfg(feature = "mlflow")]
fn mlflow(config: &SftConfig) -> Option<Sink> {
    use experiment_log::{Mlflow, MlflowSettings};

    let settings = config.logging.mlflow.as_ref()?;
    let credentials = MlflowSettings::from_variables("", |name| std::env::var(name).ok());
    let mut server = MlflowSettings::new(&settings.uri, &settings.experiment);
    if let Some(known) = credentials {
        server.credentials = known.credentials;
    }
    server.run_name = config.out.file_name().map(|name| name.to_string_lossy().into_owned());
    match Mlflow::start(server, SystemTime::now()) {
        Ok(sink) => Some(Sink::Mlflow(Box::new(sink))),
        Err(error) => {
            tracing::warn!("MLflow gets nothing of this run: {error}");
            None
        }
    }
}
