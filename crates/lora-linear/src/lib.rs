//! A linear projection: a frozen base (dense, NF4, INT8) plus an optional LoRA adapter, on Burn.
