//! A fine-tuned model, records and prices to judged answers.

mod answers;
mod args;
mod config;
mod document;
mod evaluate;
mod forward;
mod judged_rows;
mod model;
mod outputs;
mod page;
mod page_facts;
mod plots;
mod progress;
mod rows;
mod rows_csv;
mod spread;
mod summary;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(threads) = args.common.threads {
        cpu_kernels::set_threads(usize::from(threads));
    }
    stage_cli::run("evaluate-sft", &args.common, |stage| evaluate::run(stage, &args))
}
