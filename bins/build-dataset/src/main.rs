//! Stage 2: JSONL records to data sets split by date.

mod args;
mod build;
mod config;
mod dataset;
mod hints;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    stage_cli::run("build-dataset", &args.common, |stage| build::build(stage, &args))
}
