//! Supervised fine-tuning: steps, checkpoints, resume, adapter export.
