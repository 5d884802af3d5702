//! What a decoder does besides products: norms, rotary positions, gates, attention, and the cache of keys and values.

mod attention;
mod cache_lines;
mod exp;
mod gate;
mod kv_cache;
mod lanes;
mod norm;
mod rope;
mod rows;
mod scratch;
mod span;
#[cfg(test)]
mod tests;

pub use attention::{AttentionShape, attention, attention_with_lse, cached_attention};
pub use gate::{Activation, gate};
pub use kv_cache::{KvDtype, KvLayer};
pub use norm::rms_norm;
pub use rope::{Rotary, rope};
pub use span::Span;
