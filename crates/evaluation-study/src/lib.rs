//! What a model's answers are worth, as language and as calls: against labels, against forward
//! returns, and against the untuned base model.
//!
//! [`study`] takes rows and gives an [`EvaluationStudy`] of plain numbers, each documented with its
//! convention. Nothing is read or written, and the same rows give the same bits, in whatever order.

mod calibration;
mod calls;
mod check_rows;
mod comparison;
mod dates;
mod error;
mod estimate;
mod information;
mod judgement;
mod language_loss;
mod outcomes;
mod probabilities;
mod row;
mod settings;
mod study;
mod texts;
mod warning;
mod warnings;
mod windows;

pub use calibration::{CalibrationJudgement, CalibrationScores, FittedTemperature};
pub use calls::{CallCounts, CallJudgement};
pub use comparison::{Comparison, Difference, Figure, LossTest};
pub use error::StudyError;
pub use estimate::Estimate;
pub use information::{InformationJudgement, MonthCoefficient};
pub use judgement::ModelJudgement;
pub use language_loss::LanguageLoss;
pub use outcomes::{OutcomeCount, TagValidity};
pub use probabilities::action_probabilities;
pub use row::{EvaluatedRow, ModelAnswer, ValidationRow};
pub use settings::{BootstrapSettings, StudySettings};
pub use study::{EvaluationStudy, study};
pub use texts::{TextJudgement, TextScores};
pub use warning::{ModelName, Warning};
pub use windows::{ActionMean, WindowJudgement, WindowReturns};
