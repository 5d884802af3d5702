//! Stage 4: supervised fine-tuning of a base model on token shards.

mod args;
mod check;
mod config;
mod effort;
mod fit;
mod machine_memory;
mod memory;
mod summary;
mod train;
mod train_sft;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stage_cli::keep_freed_memory();
    let args = Args::parse();
    stage_cli::run("train-sft", &args.common, |stage| train_sft::train_sft(stage, &args))
}
