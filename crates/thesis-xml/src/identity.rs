use chrono::Datelike;
use thesis_core::Thesis;
use xxhash_rust::xxh3::xxh3_128;

/// A 128-bit digest (XXH3) of what a thesis says: equal for two theses of the same ticker, date and
/// content, however they were spelled, and whoever wrote them down.
pub fn content_digest(thesis: &Thesis) -> u128 {
    let Thesis { ticker, as_of_date, indicators, reasoning, support, action, .. } = thesis;
    let mut bytes = Vec::with_capacity(1024);
    for text in [ticker.as_str(), action.as_str(), reasoning, support] {
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(&as_of_date.day().num_days_from_ce().to_le_bytes());
    for (name, value) in indicators.iter() {
        bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(&value.map_or(u64::MAX, f64::to_bits).to_le_bytes());
    }
    xxh3_128(&bytes)
}
