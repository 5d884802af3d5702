//! What a decoder does besides products: norms, rotary positions, gates, attention, and the cache of keys and values.

mod attention;
mod gate;
mod kv_cache;
mod norm;
mod rope;
mod span;

pub use attention::{AttentionShape, attention, cached_attention};
pub use gate::{Activation, gate};
pub use kv_cache::{KvDtype, KvLayer};
pub use norm::rms_norm;
pub use rope::{Rotary, rope};
pub use span::Span;
