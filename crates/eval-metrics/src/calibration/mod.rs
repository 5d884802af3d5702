//! How far probabilities can be taken at their word.

mod average_precision;
mod brier_score;
mod calibration_error;
mod log_loss;
mod probabilities;
mod reliability_table;
mod roc_auc;
mod temperature;
mod top_class;

pub use average_precision::average_precision;
pub use brier_score::{brier_score, brier_score_multiclass};
pub use calibration_error::{expected_calibration_error, maximum_calibration_error};
pub use log_loss::{log_loss, log_loss_multiclass};
pub use reliability_table::{Bins, ReliabilityBin, reliability_table};
pub use roc_auc::roc_auc;
pub use temperature::{
    LEAST_TEMPERATURE, MOST_TEMPERATURE, TemperatureBound, TemperatureFit, temperature,
    tempered_probabilities,
};
pub use top_class::top_class_confidences;
