//! Any bytes as a GGUF file: no panic, no allocation on the word of a count, and tensors that lie in the file.
//!
//! `cargo +nightly fuzz run gguf -- -rss_limit_mb=512 -malloc_limit_mb=64` with the seeds in `fixtures/fuzz/gguf`, which the
//! ordinary tests replay.
#![no_main]

#[path = "../../crates/checkpoint-files/tests/checks/mod.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::check_gguf(bytes);
});
