//! What MLflow's REST interface has room for, and how it wants its values.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// Metrics of a batch.
pub(super) const METRICS: usize = 1000;
/// Parameters of a batch.
pub(super) const PARAMS: usize = 100;
/// Characters of a parameter's value.
const PARAM_VALUE: usize = 6000;
/// Characters of a key.
const KEY: usize = 250;

/// A name as MLflow allows it: letters, digits, `_`, `-`, `.`, space and `/`.
pub(super) fn key(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/');
    name.chars().take(KEY).map(|c| if allowed(c) { c } else { '_' }).collect()
}

pub(super) fn param_value(text: &str) -> String {
    text.chars().take(PARAM_VALUE).collect()
}

/// A double as the JSON form of protocol buffers has it: what JSON lacks is a string.
pub(super) fn number(value: f64) -> Value {
    if value.is_nan() {
        Value::from("NaN")
    } else if value.is_infinite() {
        Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        Value::from(value)
    }
}

pub(super) fn milliseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
