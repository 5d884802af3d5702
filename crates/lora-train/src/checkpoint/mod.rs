//! Folders named `checkpoint-STEP` that are complete or absent.
