#![doc = include_str!("use-the-crates.md")]
