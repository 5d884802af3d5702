//! Any bytes as a safetensors file: no panic, no allocation on the word of a count, and whatever is accepted, the
//! `safetensors` crate accepts with the same tensors.
//!
//! `cargo +nightly fuzz run safetensors -- -rss_limit_mb=512 -malloc_limit_mb=64` with the seeds in `fixtures/fuzz/safetensors`,
//! which the ordinary tests replay.
#![no_main]

#[path = "../../crates/checkpoint-files/tests/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::check_safetensors(bytes);
});
