//! Tensors in files: safetensors, also in shards, and GGUF, read by memory map and verified before use.
