use serde::Serialize;
use thesis_core::Action;

use crate::MetricError;
use crate::paired::check_lengths;

/// How often each class was predicted for each true class: one row a true class, one column a
/// predicted class, as in scikit-learn. Some books have it transposed.
///
/// It has at least one example, so that every share of it is a number. Serializes as an array of
/// rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    rows: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// The most classes that a matrix may have.
    pub const MAX_CLASSES: usize = 1000;

    /// Counts pairs of class indices, each below `classes`.
    ///
    /// # Errors
    /// [`MetricError::Lengths`], [`MetricError::TooFew`] for no pair at all, and
    /// [`MetricError::OutOfRange`] for an index that is no class, or for a number of classes that
    /// is 0 or above [`Self::MAX_CLASSES`].
    pub fn new(truth: &[usize], predicted: &[usize], classes: usize) -> Result<Self, MetricError> {
        check_lengths(truth.len(), predicted.len(), 1)?;
        if classes == 0 || classes > Self::MAX_CLASSES {
            let value = classes as f64;
            return Err(MetricError::OutOfRange { name: "classes", value, range: "1 to 1000" });
        }
        let mut rows = vec![vec![0; classes]; classes];
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            for class in [truth, predicted] {
                if class >= classes {
                    return Err(MetricError::OutOfRange {
                        name: "class",
                        value: class as f64,
                        range: "0 to the number of classes, without it",
                    });
                }
            }
            rows[truth][predicted] += 1;
        }
        Ok(Self { rows })
    }

    /// Counts pairs of actions, in the order of [`Action::ALL`].
    ///
    /// # Errors
    /// [`MetricError::Lengths`], and [`MetricError::TooFew`] for no pair at all.
    pub fn of_actions(truth: &[Action], predicted: &[Action]) -> Result<Self, MetricError> {
        let indices =
            |actions: &[Action]| actions.iter().map(|action| action.index()).collect::<Vec<_>>();
        Self::new(&indices(truth), &indices(predicted), Action::ALL.len())
    }

    /// The number of classes.
    pub const fn classes(&self) -> usize {
        self.rows.len()
    }

    /// The counts, one row a true class.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// All examples; at least 1.
    pub fn total(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// Examples whose class was predicted.
    pub fn correct(&self) -> u64 {
        (0..self.classes()).map(|class| self.rows[class][class]).sum()
    }

    /// Examples of each true class.
    pub fn supports(&self) -> Vec<u64> {
        self.rows.iter().map(|row| row.iter().sum()).collect()
    }

    /// How often each class was predicted.
    pub fn predictions(&self) -> Vec<u64> {
        (0..self.classes()).map(|class| self.rows.iter().map(|row| row[class]).sum()).collect()
    }
}
