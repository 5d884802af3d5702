//! Daily prices into the Parquet cache.

fn main() {}
