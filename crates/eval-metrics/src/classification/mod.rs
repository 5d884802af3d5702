//! Calls against labels.

mod accuracy;
mod balanced_accuracy;
mod classification_report;
mod cohen_kappa;
mod confusion_matrix;
mod matthews_correlation;

pub use accuracy::accuracy;
pub use balanced_accuracy::balanced_accuracy;
pub use classification_report::{
    AverageScores, ClassScores, ClassificationReport, classification_report,
};
pub use cohen_kappa::{KappaWeights, cohen_kappa};
pub use confusion_matrix::ConfusionMatrix;
pub use matthews_correlation::matthews_correlation;
