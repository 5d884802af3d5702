//! What a model is, what it takes, what it says, and how quickly.

mod args;
mod bench;
mod config;
mod estimate;
mod generate;
mod grammar;
mod hints;
mod info;
mod init;
mod logits;
mod model;
mod peak_memory;
mod quantize;
mod source;
mod text;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Args { command } = Args::parse();
    if let Some(threads) = command.common().threads {
        cpu_kernels::set_threads(usize::from(threads));
    }
    stage_cli::run("inspect-model", command.common(), |stage| {
        match &command {
            Command::Info(args) => info::run(stage, args),
            Command::Estimate(args) => estimate::run(stage, args),
            Command::Logits(args) => logits::run(stage, args),
            Command::Generate(args) => generate::run(stage, args),
            Command::Quantize(args) => quantize::run(stage, args),
            Command::Init(args) => init::run(stage, args),
            Command::Bench(args) => bench::run(stage, args),
        }?;
        Ok(ExitCode::SUCCESS)
    })
}
