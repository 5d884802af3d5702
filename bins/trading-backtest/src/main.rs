//! Daily calls and prices to an equity curve, figures and a tear sheet.

mod args;
mod backtest;
mod call_file;
mod config;
mod document;
mod event_file;
mod grid;
mod order_files;
mod outputs;
mod plots;
mod prices;
mod sheet;
mod study;
mod summary;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    stage_cli::run("trading-backtest", &args.common, |stage| backtest::run(stage, &args))
}
