//! Calls against labels.
