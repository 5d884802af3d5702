//! Stage 3: data sets to token shards.

mod args;
mod config;
mod hints;
mod report;
mod table;
mod tokenize_dataset;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    stage_cli::run("tokenize-shards", &args.common, |stage| {
        tokenize_dataset::tokenize_dataset(stage, &args)
    })
}
