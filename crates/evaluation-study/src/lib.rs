//! What a model's answers are worth, as language and as calls: against labels, against forward
//! returns, and against the untuned base model.
//!
//! [`study`] takes rows and gives an [`EvaluationStudy`] of plain numbers, each documented with its
//! convention. Nothing is read or written, and the same rows give the same bits, in whatever order.

mod error;
mod row;
mod settings;
mod study;

pub use error::StudyError;
pub use row::{EvaluatedRow, ModelAnswer, ValidationRow};
pub use settings::{BootstrapSettings, StudySettings};
pub use study::{EvaluationStudy, study};
