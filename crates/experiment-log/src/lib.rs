//! Where the scalars, texts and settings of a run go: one [`ExperimentLog`] over several sinks.
//!
//! - [`JsonLines`]: one JSON object a line, for programs and for resumed runs.
//! - [`TensorBoard`]: an event file that TensorBoard shows while the run goes on.
//! - `Mlflow` (feature `mlflow`): a tracking server, over its REST interface.
//!
//! Every call brings its data as far as the operating system, so that a killed process loses
//! nothing; only what goes to a server is gathered for some seconds. A sink that fails does not
//! keep the others from what they are told.

mod error;
mod experiment_log;
mod json_lines;
#[cfg(feature = "mlflow")]
mod mlflow;
mod tensorboard;

pub use error::LogError;
pub use experiment_log::{ExperimentLog, RunStatus, Sink};
pub use json_lines::JsonLines;
#[cfg(feature = "mlflow")]
pub use mlflow::{Credentials, Mlflow, MlflowSettings};
pub use tensorboard::TensorBoard;
