//! Portfolio simulation from daily calls.
