//! `cargo xtask dry-cuda`: training steps on a CUDA driver that does nothing.
//!
//! Every kernel that a step needs is compiled by NVRTC, as for a real device, and what would go to the device is counted: launches,
//! copies, waits, memory. What kernels compute is not looked at; that is `cargo xtask test-kernels`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

use crate::process::{capture, cargo, root, run as execute, say, target_folder};

/// The driver, in C: Linux has no other way to stand in for a shared library.
const DRIVER: &str = include_str!("dry_cuda/driver.c");

/// NVRTC and the headers that kernels include, as pip has them.
const PACKAGES: [&str; 4] = [
    "nvidia-cuda-nvrtc==13.0.*",
    "nvidia-cuda-runtime==13.0.*",
    "nvidia-cuda-crt==13.0.*",
    "nvidia-cuda-cccl==13.0.*",
];

/// Times that a step waits for the device, however many tensors it trains: more would be waits in the middle of it.
const WAITS: u64 = 6;

/// Options of `cargo xtask dry-cuda`.
#[derive(Debug, Args)]
pub(crate) struct DryCudaArgs {
    /// A transformers folder
    #[arg(long, default_value = "fixtures/models/llama")]
    model: PathBuf,
    /// Tokens of a row
    #[arg(long, default_value_t = 64)]
    seq: usize,
    /// Rows
    #[arg(long, default_value_t = 2)]
    batch: usize,
    /// Keep the blocks' graphs instead of computing them again
    #[arg(long)]
    no_grad_ckpt: bool,
    /// Precision of products, f32 or bf16
    #[arg(long, default_value = "bf16")]
    compute: String,
    /// Compute capability that kernels are compiled for
    #[arg(long, default_value_t = 90)]
    arch: u32,
    /// Memory of the device in GiB
    #[arg(long, default_value_t = 139)]
    memory: u64,
    /// The Python whose pip downloads NVRTC, where `CUDA_PATH` names no folder that has it
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

/// What the driver counted.
#[derive(Debug, Default)]
struct Counts {
    numbers: BTreeMap<String, u64>,
    /// Launches by name.
    kernels: BTreeMap<String, u64>,
}

/// Runs steps of training and a few of generation on the driver, and prints what a step of training asks for.
pub(crate) fn run(args: &DryCudaArgs) -> anyhow::Result<()> {
    let folder = target_folder()?.join("dry-cuda");
    fs::create_dir_all(&folder)?;
    let source = folder.join("driver.c");
    fs::write(&source, DRIVER)?;
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-o"]);
    cc.arg(folder.join("libcuda.so.1")).arg(&source);
    execute(cc.arg("-lpthread"))?;
    let cuda = toolkit(&folder, &args.python)?;

    let features = "lora-train/cuda,inspect-model/cuda";
    let mut build = cargo(&["build", "--locked", "-p", "lora-train", "-p", "inspect-model"]);
    execute(build.args([
        "--example",
        "step_time",
        "--bin",
        "inspect-model",
        "--features",
        features,
    ]))?;
    let programs = target_folder()?.join("debug");
    let driver = Driver { folder, cuda, arch: args.arch, memory: args.memory };
    // What differs between one step and three is two steps.
    let mut counts = Vec::new();
    for steps in ["1", "3"] {
        let mut command = Command::new(programs.join("examples/step_time"));
        command.arg(root().join(&args.model)).args(["--device", "cuda", "--warmup", "0"]);
        command.args(["--quant", "nf4-dq", "--compute", &args.compute, "--steps", steps]);
        command.args(["--seq", &args.seq.to_string(), "--batch", &args.batch.to_string()]);
        if !args.no_grad_ckpt {
            command.arg("--grad-ckpt");
        }
        counts.push(driver.run(&mut command)?);
    }
    for quantization in ["nf4", "int8"] {
        let mut launches = Vec::new();
        for tokens in ["4", "6"] {
            let mut command = Command::new(programs.join("inspect-model"));
            command.args(["bench", "--model"]).arg(root().join(&args.model));
            command.args(["--device", "cuda", "--quantization", quantization, "--batch", "2"]);
            command.args(["--compute-dtype", &args.compute, "--kv-cache", "bf16"]);
            command.args(["--prompt-len", "16", "--new-tokens", tokens, "--repeats", "1"]);
            launches.push(driver.run(&mut command)?.number("launches"));
        }
        // A run to warm up, and one that is timed: what differs is four tokens.
        let a_token = launches[1].saturating_sub(launches[0]) / 4;
        say(format!("launches a token, {quantization}: {a_token}"));
    }
    let (Some(three), Some(one)) = (counts.pop(), counts.pop()) else {
        bail!("two runs have two counts");
    };
    say(format!("kernels compiled: {}", one.number("modules")));
    let of_step = |name: &str| (three.number(name).saturating_sub(one.number(name))) / 2;
    for name in ["launches", "synchronizations", "copies_in", "bytes_in", "copies_out", "bytes_out"]
    {
        say(format!("{name} a step: {}", of_step(name)));
    }
    say(format!("peak memory: {} MiB", three.number("peak_bytes") >> 20));
    let mut kernels: Vec<(u64, &str)> = three
        .kernels
        .iter()
        .map(|(name, count)| {
            ((count - one.kernels.get(name).copied().unwrap_or(0).min(*count)) / 2, name.as_str())
        })
        .filter(|(count, _)| *count > 0)
        .collect();
    kernels.sort_by(|a, b| b.cmp(a));
    for (count, name) in kernels {
        say(format!("{count:8}  {name}"));
    }
    let waits = of_step("synchronizations");
    if waits > WAITS {
        bail!("a step waits for the device {waits} times, and may {WAITS} times");
    }
    Ok(())
}

/// The driver, and what a program needs to meet it.
struct Driver {
    /// Where it lies.
    folder: PathBuf,
    cuda: PathBuf,
    arch: u32,
    memory: u64,
}

impl Driver {
    /// Runs a program to its end; what the driver counted.
    fn run(&self, command: &mut Command) -> anyhow::Result<Counts> {
        let report = self.folder.join("counts.txt");
        let libraries = std::env::join_paths([&self.folder, &self.cuda.join("lib")])?;
        command
            .env("LD_LIBRARY_PATH", libraries)
            .env("CUDA_PATH", &self.cuda)
            .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
            .env("XDG_CACHE_HOME", &self.folder)
            .env("DRIVER_REPORT", &report)
            .env("DRIVER_ARCH", self.arch.to_string())
            .env("DRIVER_MEMORY", (self.memory << 30).to_string());
        say(capture(command)?.trim());
        let text = fs::read_to_string(&report).context("the driver left no counts")?;
        let mut counts = Counts::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(name), Some(count)) = (words.next(), words.next()) else { continue };
            let count: u64 = count.parse()?;
            match words.next() {
                Some(kernel) => *counts.kernels.entry(kernel.to_owned()).or_default() += count,
                None => _ = counts.numbers.insert(name.to_owned(), count),
            }
        }
        Ok(counts)
    }
}

impl Counts {
    fn number(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or(0)
    }
}

/// A folder with `include` and `lib` of CUDA: `CUDA_PATH`, or what pip downloads.
fn toolkit(folder: &Path, python: &Path) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("CUDA_PATH") {
        return Ok(path.into());
    }
    let target = folder.join("python");
    let cuda = target.join("nvidia/cu13");
    if !cuda.join("include/cuda_fp16.h").is_file() {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target"]);
        execute(pip.arg(&target).args(PACKAGES))?;
    }
    Ok(cuda)
}
