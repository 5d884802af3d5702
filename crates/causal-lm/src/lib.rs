//! Decoder language models: architectures, checkpoint loading, KV cache, generation.

pub mod ops;
