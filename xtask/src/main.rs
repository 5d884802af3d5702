//! Chores of the workspace: `cargo xtask ci`, `cargo xtask layers`, `cargo xtask throughput`,
//! `cargo xtask fetch-model`, `cargo xtask pipeline`.
//!
//! It depends on no crate of ours, so that it runs when they do not compile.

mod ci;
mod dry_cuda;
mod fetch_model;
mod layers;
mod make_base_model;
mod make_market;
mod pipeline;
mod process;
mod test_kernels;
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
    /// Write a made-up market and theses on it
    MakeMarket(make_market::MakeMarketArgs),
    /// Pretrain the tiny model of the profile `quickstart`
    MakeBaseModel(make_base_model::MakeBaseModelArgs),
    /// Test the kernels of graphics processors, on Vulkan in software where there is none
    TestKernels(test_kernels::TestKernelsArgs),
    /// Count what training steps ask of a CUDA device, without one
    DryCuda(dry_cuda::DryCudaArgs),
    /// Bring a small real model into `models/`, for the tests that need one
    FetchModel(fetch_model::FetchModelArgs),
    /// Run all stages, from theses to the report; what has not changed is not done again
    Pipeline(pipeline::PipelineArgs),
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Ci(args) => ci::run(&args),
        Task::Layers => layers::check(),
        Task::Throughput(args) => throughput::run(&args),
        Task::MakeMarket(args) => make_market::run(&args),
        Task::MakeBaseModel(args) => make_base_model::run(&args),
        Task::TestKernels(args) => test_kernels::run(&args),
        Task::DryCuda(args) => dry_cuda::run(&args),
        Task::FetchModel(args) => fetch_model::run(&args),
        Task::Pipeline(args) => return pipeline::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
