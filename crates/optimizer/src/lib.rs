//! AdamW over flat f32 parameters, learning-rate schedules, clipping by global norm.
