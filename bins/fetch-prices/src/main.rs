//! Daily prices into the Parquet cache.

mod args;
mod config;
mod fetch;
mod sources;
mod table;
mod tickers;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    stage_cli::run("fetch-prices", &args.common, |stage| fetch::fetch(stage, &args))
}
