use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;

use crate::layers;
use crate::process::{cargo, run as execute, say, target_folder};
use crate::test_kernels::{self, TestKernelsArgs, software_vulkan};

/// Options of `cargo xtask ci`.
#[derive(Debug, Args)]
pub(crate) struct CiArgs {
    /// Leave the tests out, for a caller that has run them
    #[arg(long)]
    skip_tests: bool,
}

type Step = fn() -> anyhow::Result<()>;

/// Runs every check, cheapest first, and stops at the first that fails.
pub(crate) fn run(args: &CiArgs) -> anyhow::Result<()> {
    let mut steps: Vec<(&str, Step)> =
        vec![("fmt", fmt), ("layers", layers::check), ("deny", deny), ("clippy", clippy)];
    if !args.skip_tests {
        steps.push(("tests", tests));
    }
    steps.push(("pipeline", quickstart));
    steps.push(("kernels", kernels));
    steps.push(("several processes", several_processes));
    steps.push(("real model", real_model));
    steps.push(("docs", docs));
    for (name, step) in steps {
        say(format!("\n== {name}"));
        let began = Instant::now();
        step()?;
        say(format!("== {name}: {:.0} s", began.elapsed().as_secs_f64()));
    }
    say("\nall checks passed");
    Ok(())
}

fn fmt() -> anyhow::Result<()> {
    execute(&mut cargo(&["fmt", "--all", "--check"]))
}

fn deny() -> anyhow::Result<()> {
    let probe = Command::new("cargo-deny").arg("--version").stdout(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        bail!("cargo-deny is missing; install it with `cargo install --locked cargo-deny@0.20.2`");
    }
    // The advisory list lives in a git repository, which a closed machine cannot fetch.
    execute(&mut cargo(&["deny", "--all-features", "check", "licenses", "bans", "sources"]))
}

fn clippy() -> anyhow::Result<()> {
    // CUDA and Vulkan need nothing of theirs to be compiled.
    let mut features = vec![
        "train-sft/cuda",
        "evaluate-sft/cuda",
        "inspect-model/cuda",
        "lora-train/cuda",
        "lora-train/vulkan",
        "train-sft/mlflow",
    ];
    if has_mpi() {
        features.push("train-sft/mpi");
    }
    let features = features.join(",");
    let args = ["clippy", "--workspace", "--all-targets", "--locked", "--features", &features];
    execute(cargo(&args).args(["--", "-D", "warnings"]))
}

fn tests() -> anyhow::Result<()> {
    execute(&mut cargo(&["test", "--workspace", "--locked"]))
}

/// The pipeline from its beginning, with the programs that the tests were made with: what a newcomer sees must hold.
fn quickstart() -> anyhow::Result<()> {
    execute(&mut cargo(&["build", "--workspace", "--bins", "--locked"]))?;
    let target = target_folder()?;
    let out = target.join("ci-quickstart");
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    let mut pipeline = cargo(&["xtask", "pipeline"]);
    pipeline.arg("--bin-dir").arg(target.join("debug")).arg("--out").arg(&out);
    execute(&mut pipeline)?;
    let summary = std::fs::read_to_string(out.join("summary.json"))?;
    let summary: serde_json::Value = serde_json::from_str(&summary)?;
    let figure = |path: &str| {
        let found = summary.pointer(&format!("/results/test/{path}")).and_then(|v| v.as_f64());
        found.with_context(|| format!("summary.json has no results/test/{path}"))
    };
    let (tuned, base) = (figure("tuned/accuracy")?, figure("base/accuracy")?);
    if tuned < 0.8 || base > 0.4 || figure("tuned/valid_tags")? < 1.0 {
        bail!("quickstart has learned too little: {}", summary["results"]["test"]);
    }
    Ok(())
}

/// The kernels of graphics processors, on Vulkan in software.
fn kernels() -> anyhow::Result<()> {
    if software_vulkan().is_none() {
        say("left out: on Debian, install mesa-vulkan-drivers and libvulkan1");
        return Ok(());
    }
    test_kernels::run(&TestKernelsArgs::default())
}

/// The tests that start several processes under `mpirun`, and those of a tracking server.
fn several_processes() -> anyhow::Result<()> {
    if !has_mpi() {
        say(
            "left out: mpicc is missing; on Debian, install libopenmpi-dev, openmpi-bin and libclang-dev",
        );
        return Ok(());
    }
    let features = ["--workspace", "--locked", "--features", "train-sft/mlflow,train-sft/mpi"];
    // A program that the tests start.
    execute(cargo(&["build", "--example", "all_reduce"]).args(features))?;
    execute(cargo(&["test", "--test", "mpi", "--test", "mlflow"]).args(features))
}

fn has_mpi() -> bool {
    let probe = Command::new("mpicc").arg("--version").stdout(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// The tests that want a downloaded model.
fn real_model() -> anyhow::Result<()> {
    execute(&mut cargo(&["xtask", "fetch-model", "smollm2"]))?;
    // All crates together, as in the tests before: fewer would be built again with other features.
    let args = ["test", "--workspace", "--tests", "--locked", "--", "--ignored"];
    execute(&mut cargo(&args))
}

fn docs() -> anyhow::Result<()> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    execute(command.env("RUSTDOCFLAGS", "-D warnings"))
}
