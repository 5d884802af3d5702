//! Chores of the workspace: `cargo xtask ci`, `cargo xtask layers`, `cargo xtask throughput`.
//!
//! It depends on no crate of ours, so that it runs when they do not compile.

mod ci;
mod layers;
mod process;
mod throughput;

use std::process::ExitCode;

use clap::Parser;

/// Chores of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Run every check, cheapest first: fmt, layers, deny, clippy, tests, docs
    Ci(ci::CiArgs),
    /// Check that the arrows between our crates point down
    Layers,
    /// Time a stage on made-up bulk and print MB/s, beside a peer where there is one
    Throughput(throughput::ThroughputArgs),
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Ci(args) => ci::run(&args),
        Task::Layers => layers::check(),
        Task::Throughput(args) => throughput::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
