use std::fmt::Display;

use serde::Serialize;

use super::{
    ConfusionMatrix, KappaWeights, accuracy, balanced_accuracy, cohen_kappa, matthews_correlation,
};
use crate::MetricError;
use crate::paired::check_lengths;

/// Everything that is commonly said about a confusion matrix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassificationReport {
    /// One entry a class, in the order of the indices.
    pub classes: Vec<ClassScores>,
    /// Plain means over all classes, absent ones included as 0.
    pub macro_average: AverageScores,
    /// Means weighted by support.
    pub weighted_average: AverageScores,
    /// The share of examples whose class was predicted.
    pub accuracy: f64,
    /// The mean recall of the classes that are not absent.
    pub balanced_accuracy: f64,
    /// The Matthews correlation; `None` where it is undefined.
    pub matthews_correlation: Option<f64>,
    /// Cohen's kappa; `None` where it is undefined.
    pub cohen_kappa: Option<f64>,
    /// Cohen's kappa with quadratic weights; `None` where it is undefined.
    pub quadratic_kappa: Option<f64>,
    /// All examples.
    pub support: u64,
    /// Labels of the classes without an example: their recall of 0 says nothing.
    pub absent: Vec<String>,
    /// Labels of the classes that were never predicted: their precision of 0 says nothing.
    pub never_predicted: Vec<String>,
    /// The counts behind it all.
    pub confusion: ConfusionMatrix,
}

/// How well one class was found; each score 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScores {
    /// The class.
    pub label: String,
    /// The share of its predictions that were right; 0 where it was never predicted.
    pub precision: f64,
    /// The share of its examples that were found; 0 where it has none.
    pub recall: f64,
    /// The harmonic mean of both; 0 where the class neither occurs nor is predicted.
    pub f1: f64,
    /// Its examples.
    pub support: u64,
    /// Its predictions.
    pub predicted: u64,
}

/// Scores of all classes together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AverageScores {
    /// The mean precision.
    pub precision: f64,
    /// The mean recall.
    pub recall: f64,
    /// The mean of the F1 scores, not the F1 of the means.
    pub f1: f64,
}

/// Scores of each class and of all together, one label a class (for actions `&Action::ALL`).
///
/// A division by zero gives 0, as scikit-learn's `zero_division=0`, and goes into the macro
/// averages as 0; [`ClassificationReport::absent`] and [`ClassificationReport::never_predicted`]
/// name the classes where that happened.
///
/// # Errors
/// [`MetricError::Lengths`] where there are not as many labels as classes.
pub fn classification_report<L: Display>(
    matrix: &ConfusionMatrix,
    labels: &[L],
) -> Result<ClassificationReport, MetricError> {
    check_lengths(matrix.classes(), labels.len(), 1)?;
    let classes = class_scores(matrix, labels);
    let labels_where = |holds: fn(&ClassScores) -> bool| {
        classes.iter().filter(|class| holds(class)).map(|class| class.label.clone()).collect()
    };
    Ok(ClassificationReport {
        macro_average: average(&classes, |_| 1.0),
        weighted_average: average(&classes, |class| class.support as f64),
        accuracy: accuracy(matrix),
        balanced_accuracy: balanced_accuracy(matrix),
        matthews_correlation: matthews_correlation(matrix).ok(),
        cohen_kappa: cohen_kappa(matrix, KappaWeights::Unweighted).ok(),
        quadratic_kappa: cohen_kappa(matrix, KappaWeights::Quadratic).ok(),
        support: matrix.total(),
        absent: labels_where(|class| class.support == 0),
        never_predicted: labels_where(|class| class.predicted == 0),
        confusion: matrix.clone(),
        classes,
    })
}

fn class_scores<L: Display>(matrix: &ConfusionMatrix, labels: &[L]) -> Vec<ClassScores> {
    let counts = matrix.supports().into_iter().zip(matrix.predictions());
    let scores = |(class, ((support, predicted), label)): (usize, ((u64, u64), &L))| {
        let right = matrix.rows()[class][class];
        ClassScores {
            label: label.to_string(),
            precision: share(right, predicted),
            recall: share(right, support),
            f1: share(2 * right, support + predicted),
            support,
            predicted,
        }
    };
    counts.zip(labels).enumerate().map(scores).collect()
}

fn average(classes: &[ClassScores], weight: fn(&ClassScores) -> f64) -> AverageScores {
    let weights: f64 = classes.iter().map(weight).sum();
    let mean = |score: fn(&ClassScores) -> f64| {
        classes.iter().map(|class| weight(class) * score(class)).sum::<f64>() / weights
    };
    AverageScores {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        f1: mean(|class| class.f1),
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
