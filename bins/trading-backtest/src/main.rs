//! Daily calls and prices to an equity curve, figures and a tear sheet.

mod args;
mod backtest;
mod baselines;
mod call_file;
mod config;
mod event_file;
mod grid;
mod order_files;
mod outputs;
mod plots;
mod prices;
mod sensitivity;
mod sheet;
mod statistics;
mod walk_forward;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    stage_cli::run("trading-backtest", &args.common, |stage| backtest::run(stage, &args))
}
