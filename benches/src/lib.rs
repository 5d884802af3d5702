//! Benchmarks of the workspace; run with `cargo bench`.
