use serde::{Deserialize, Serialize};

use crate::StudyError;

/// How rows are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySettings {
    /// Sessions from a call to the end of each of its forward returns, ascending.
    pub forward_windows: Vec<u32>,
    /// Bins of equal width in reliability tables and calibration errors.
    pub bins: usize,
    /// Returns up to this far from 0, as a fraction, have no direction; 0 leaves that to returns of
    /// exactly 0.
    pub flat_band: f64,
    /// A model with at least this share of its calls on one action has collapsed, 0 to 1.
    pub collapsed_share: f64,
    /// How intervals are made.
    pub bootstrap: BootstrapSettings,
}

/// How intervals are made of dates drawn again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapSettings {
    /// The same seed gives the same intervals, bit for bit.
    pub seed: u64,
    /// How many times all dates are drawn again.
    pub replicates: usize,
    /// The share of samples whose interval should hold the true value.
    pub confidence: f64,
}

impl Default for StudySettings {
    /// Windows of 1, 5, 10 and 30 sessions, 10 bins, no flat band, collapsed from 95 %.
    fn default() -> Self {
        Self {
            forward_windows: vec![1, 5, 10, 30],
            bins: 10,
            flat_band: 0.0,
            collapsed_share: 0.95,
            bootstrap: BootstrapSettings::default(),
        }
    }
}

impl Default for BootstrapSettings {
    /// 2,000 replicates, 95 %, seed 0.
    fn default() -> Self {
        Self { seed: 0, replicates: 2_000, confidence: 0.95 }
    }
}

impl StudySettings {
    /// Refuses settings outside of their ranges.
    ///
    /// # Errors
    /// [`StudyError::Setting`], which names the first.
    pub fn check(&self) -> Result<(), StudyError> {
        let Self { forward_windows, bins, flat_band, collapsed_share, bootstrap } = self;
        let BootstrapSettings { seed: _, replicates, confidence } = *bootstrap;
        let refuse = |name, range| Err(StudyError::Setting { name, range });
        if !forward_windows.is_sorted_by(|a, b| a < b) || forward_windows.contains(&0) {
            return refuse("forward_windows", "whole numbers of sessions from 1, ascending");
        }
        if !(1..=1_000).contains(bins) {
            return refuse("bins", "1 to 1,000");
        }
        if !(0.0..1.0).contains(flat_band) {
            return refuse("flat_band", "0 to below 1");
        }
        if !(*collapsed_share > 0.0 && *collapsed_share <= 1.0) {
            return refuse("collapsed_share", "above 0, to 1");
        }
        if !(2..=1_000_000).contains(&replicates) {
            return refuse("bootstrap.replicates", "2 to 1,000,000");
        }
        if !(confidence > 0.0 && confidence < 1.0) {
            return refuse("bootstrap.confidence", "between 0 and 1");
        }
        Ok(())
    }
}
