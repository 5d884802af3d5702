use std::fmt;
use std::time::SystemTime;

use serde_json::{Map, Value};

#[cfg(feature = "mlflow")]
use crate::Mlflow;
use crate::{JsonLines, LogError, TensorBoard};

/// A place that a log writes to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Sink {
    /// A file of JSON lines.
    JsonLines(JsonLines),
    /// An event file.
    TensorBoard(TensorBoard),
    /// A tracking server.
    #[cfg(feature = "mlflow")]
    Mlflow(Box<Mlflow>),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// As planned.
    Finished,
    /// With an error.
    Failed,
    /// By a signal.
    Killed,
}

/// The log of one run: whatever it is told goes to each of its sinks.
///
/// A method asks every sink, also after one has failed, and returns the first fault of a file, else
/// that of a server. [`LogError::is_remote`] tells them apart: a server that fails must not stop a
/// run, so the caller warns and goes on.
pub struct ExperimentLog {
    sinks: Vec<Sink>,
    clock: Box<dyn Fn() -> SystemTime + Send>,
}

impl ExperimentLog {
    /// A log over these sinks; over none it does nothing.
    pub fn new(sinks: Vec<Sink>) -> Self {
        Self::with_clock(sinks, SystemTime::now)
    }

    /// A log whose times are those of `clock`.
    pub fn with_clock(sinks: Vec<Sink>, clock: impl Fn() -> SystemTime + Send + 'static) -> Self {
        Self { sinks, clock: Box::new(clock) }
    }

    /// Writes what the run was told: TensorBoard shows it as a table, MLflow as parameters.
    ///
    /// JSON lines do not have it: a run's settings are in its manifest.
    ///
    /// # Errors
    /// As said of [`ExperimentLog`].
    pub fn log_hyperparameters(&mut self, values: &[(&str, &str)]) -> Result<(), LogError> {
        self.each(|sink, now| match sink {
            Sink::JsonLines(_) => Ok(()),
            Sink::TensorBoard(sink) => sink.log_hyperparameters(now, values),
            #[cfg(feature = "mlflow")]
            Sink::Mlflow(sink) => sink.log_params(now, values),
        })
    }

    /// Writes the scalars of a step: one line, one event, one metric each.
    ///
    /// # Errors
    /// As said of [`ExperimentLog`]; [`LogError::ReservedName`] for a scalar named `step`, which
    /// nothing is written of.
    pub fn log(&mut self, step: u64, scalars: &[(&str, f64)]) -> Result<(), LogError> {
        let row = scalars.iter().map(|&(name, value)| (name.to_owned(), Value::from(value)));
        self.log_both(step, row.collect(), scalars)
    }

    /// Writes a row of the caller's own making. JSON lines have it as it is, after `step`; the other
    /// sinks have the numbers among its values.
    ///
    /// # Errors
    /// As [`log`](Self::log).
    pub fn log_row(&mut self, step: u64, row: Map<String, Value>) -> Result<(), LogError> {
        let numbers: Vec<(String, f64)> =
            row.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect();
        let scalars: Vec<(&str, f64)> =
            numbers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.log_both(step, row, &scalars)
    }

    /// Writes a text, say a generated sample, under a tag. MLflow's tracking interface has no texts
    /// that belong to a step, so that sink leaves them out.
    ///
    /// # Errors
    /// As [`log`](Self::log).
    pub fn log_text(&mut self, step: u64, tag: &str, text: &str) -> Result<(), LogError> {
        let row = with_step(step, Map::from_iter([(tag.to_owned(), Value::from(text))]))?;
        self.each(|sink, now| match sink {
            Sink::JsonLines(sink) => sink.append(&row),
            Sink::TensorBoard(sink) => sink.log_text(now, step, tag, text),
            #[cfg(feature = "mlflow")]
            Sink::Mlflow(_) => Ok(()),
        })
    }

    /// Brings everything to disk, sends what still waits, and tells servers how the run ended.
    ///
    /// # Errors
    /// As said of [`ExperimentLog`].
    pub fn finish(&mut self, status: RunStatus) -> Result<(), LogError> {
        #[cfg(not(feature = "mlflow"))]
        let _ = status;
        self.each(|sink, _now| match sink {
            Sink::JsonLines(sink) => sink.sync(),
            Sink::TensorBoard(sink) => sink.sync(),
            #[cfg(feature = "mlflow")]
            Sink::Mlflow(sink) => sink.finish(_now, status),
        })
    }

    fn log_both(
        &mut self,
        step: u64,
        row: Map<String, Value>,
        scalars: &[(&str, f64)],
    ) -> Result<(), LogError> {
        let row = with_step(step, row)?;
        self.each(|sink, now| match sink {
            Sink::JsonLines(sink) => sink.append(&row),
            Sink::TensorBoard(sink) => sink.log(now, step, scalars),
            #[cfg(feature = "mlflow")]
            Sink::Mlflow(sink) => sink.log(now, step, scalars),
        })
    }

    fn each(
        &mut self,
        mut act: impl FnMut(&mut Sink, SystemTime) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let now = (self.clock)();
        let mut worst = None;
        for sink in &mut self.sinks {
            if let Err(error) = act(sink, now)
                && worst.as_ref().is_none_or(|worst: &LogError| worst.is_remote())
            {
                worst = Some(error);
            }
        }
        worst.map_or(Ok(()), Err)
    }
}

impl fmt::Debug for ExperimentLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExperimentLog").field("sinks", &self.sinks).finish_non_exhaustive()
    }
}

impl From<JsonLines> for Sink {
    fn from(sink: JsonLines) -> Self {
        Self::JsonLines(sink)
    }
}

impl From<TensorBoard> for Sink {
    fn from(sink: TensorBoard) -> Self {
        Self::TensorBoard(sink)
    }
}

#[cfg(feature = "mlflow")]
impl From<Mlflow> for Sink {
    fn from(sink: Mlflow) -> Self {
        Self::Mlflow(Box::new(sink))
    }
}

fn with_step(step: u64, row: Map<String, Value>) -> Result<Map<String, Value>, LogError> {
    if row.contains_key("step") {
        return Err(LogError::ReservedName);
    }
    Ok([("step".to_owned(), Value::from(step))].into_iter().chain(row).collect())
}
