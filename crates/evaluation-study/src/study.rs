use serde::Serialize;

use crate::{EvaluatedRow, StudyError, StudySettings, ValidationRow};

/// All that is said about a set of answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationStudy {
    /// Rows that were judged.
    pub rows: u64,
    /// How.
    pub settings: StudySettings,
}

/// Judges answers. `validation` are rows of another split, on which one temperature a model is
/// fitted; without them there is none.
///
/// # Errors
/// [`StudyError::NoRows`], settings outside of their ranges, rows that do not fit together, and
/// numbers that are none.
pub fn study(
    rows: &[EvaluatedRow],
    validation: Option<&[ValidationRow]>,
    settings: &StudySettings,
) -> Result<EvaluationStudy, StudyError> {
    settings.check()?;
    if rows.is_empty() {
        return Err(StudyError::NoRows);
    }
    let _ = validation;
    Ok(EvaluationStudy { rows: rows.len() as u64, settings: settings.clone() })
}
