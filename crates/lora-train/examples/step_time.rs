//! Times steps of training on random tokens and prints one JSON object: tokens a second, memory, losses.
//!
//! `cargo run --release -p lora-train --example step_time -- MODEL [--seq 512] [--batch 1] [--quant nf4-dq|nf4|int8|none]
//! [--device cpu|cuda] [--compute f32|bf16] [--grad-ckpt] [--rank 16] [--alpha 32] [--dropout 0] [--warmup 1] [--steps 5]`

use std::path::PathBuf;
use std::time::Instant;

use burn_flex::{Flex, FlexDevice};
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{
    Gradients, Parameters, PassOptions, Target, TokenBatch, add_adapters, loss_and_gradients,
};
use causal_lm::{LoadOptions, Quantization, load};
use cpu_kernels::ComputeDtype;
use cpu_kernels::decoder::Span;
use lora_linear::{LoraConfig, LoraScaling};
use lora_train::Solver;
use optimizer::{AdamWConfig, StateDtype};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Args {
    model: PathBuf,
    device: String,
    seq: usize,
    batch: usize,
    quant: String,
    compute: String,
    grad_ckpt: bool,
    rank: usize,
    alpha: f64,
    dropout: f32,
    warmup: usize,
    steps: usize,
}

fn args() -> Option<Args> {
    let mut all = std::env::args().skip(1);
    let mut args = Args {
        model: all.next()?.into(),
        device: "cpu".to_owned(),
        seq: 512,
        batch: 1,
        quant: "nf4-dq".to_owned(),
        compute: "f32".to_owned(),
        grad_ckpt: false,
        rank: 16,
        alpha: 32.0,
        dropout: 0.0,
        warmup: 1,
        steps: 5,
    };
    while let Some(flag) = all.next() {
        if flag == "--grad-ckpt" {
            args.grad_ckpt = true;
            continue;
        }
        let value = all.next()?;
        match flag.as_str() {
            "--device" => args.device = value,
            "--seq" => args.seq = value.parse().ok()?,
            "--batch" => args.batch = value.parse().ok()?,
            "--quant" => args.quant = value,
            "--compute" => args.compute = value,
            "--rank" => args.rank = value.parse().ok()?,
            "--alpha" => args.alpha = value.parse().ok()?,
            "--dropout" => args.dropout = value.parse().ok()?,
            "--warmup" => args.warmup = value.parse().ok()?,
            "--steps" => args.steps = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(args)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stage_cli::keep_freed_memory();
    let Some(args) = args() else {
        return Err(
            "usage: step_time MODEL [--seq N] [--batch N] [--quant …] [--compute …] …".into()
        );
    };
    match args.device.as_str() {
        "cpu" => measure::<Flex>(&args, &FlexDevice),
        #[cfg(feature = "cuda")]
        "cuda" => measure::<cube_kernels::Cuda>(&args, &cube_kernels::cuda_device(0)?),
        other => Err(format!("--device {other} is not known, or wants `--features cuda`").into()),
    }
}

fn measure<B: DecoderBackend>(
    args: &Args,
    device: &B::Device,
) -> Result<(), Box<dyn std::error::Error>> {
    let quantization = match args.quant.as_str() {
        "none" => Quantization::None,
        "nf4" => Quantization::Nf4 { double: false },
        "nf4-dq" => Quantization::Nf4 { double: true },
        "int8" => Quantization::Int8,
        other => return Err(format!("--quant {other} is not known").into()),
    };
    let compute = match args.compute.as_str() {
        "f32" => ComputeDtype::F32,
        "bf16" => ComputeDtype::Bf16,
        other => return Err(format!("--compute {other} is not known").into()),
    };
    let options = LoadOptions { quantization, compute, ..LoadOptions::default() };
    let mut model = load::<B>(&args.model, &options, device, &|_| {})?;
    let config = LoraConfig {
        rank: args.rank,
        alpha: args.alpha,
        scaling: LoraScaling::Standard,
        dora: false,
    };
    add_adapters(&mut model, &config, &[], 0)?;
    let parameters = Parameters::of(&mut model);
    let config = AdamWConfig::default();
    let mut solver = Solver::new(&mut model, &parameters, config, StateDtype::F32, 1, None)?;
    let vocab = model.config().vocab_size as u32;
    let mut rng = Pcg64Mcg::seed_from_u64(0);
    let ids: Vec<u32> = (0..args.batch * args.seq).map(|_| rng.random_range(0..vocab)).collect();
    let spans: Vec<Span> = (0..args.batch)
        .map(|slot| Span { start: slot * args.seq, len: args.seq, position: 0, slot })
        .collect();
    let targets: Vec<Target> = (0..ids.len())
        .filter(|place| !place.is_multiple_of(args.seq))
        .map(|place| Target { row: place - 1, id: ids[place], weight: 1.0 })
        .collect();
    let batch = TokenBatch { ids: &ids, spans: &spans, targets: &targets };
    let after_load = memory("VmRSS:");
    let (mut times, mut losses) = (Vec::new(), Vec::new());
    let mut pass_times = Vec::new();
    for step in 0..args.warmup + args.steps {
        let began = Instant::now();
        let mut gradients = Gradients::new(&parameters);
        let pass = PassOptions {
            scale: 1.0 / targets.len() as f32,
            recompute: args.grad_ckpt,
            dropout: args.dropout,
            neftune_alpha: None,
            seed: step as u64,
        };
        let loss = loss_and_gradients(&model, &parameters, &batch, &pass, &mut gradients)?;
        let (gradient, loss) = (solver.gather(gradients)?, loss.read()?);
        let passed = began.elapsed().as_secs_f64();
        solver.step(&mut model, &parameters, gradient, Some(1.0), 2e-4)?;
        losses.push(loss.weighted_sum / targets.len() as f64);
        if step >= args.warmup {
            times.push(began.elapsed().as_secs_f64());
            pass_times.push(passed);
        }
    }
    let tokens = ids.len() as f64;
    let best = times.iter().copied().fold(f64::INFINITY, f64::min);
    let report = json!({
        "device": args.device,
        "seq": args.seq,
        "batch": args.batch,
        "quant": args.quant,
        "compute": args.compute,
        "grad_ckpt": args.grad_ckpt,
        "rank": args.rank,
        "dropout": args.dropout,
        "trainable_params": parameters.len(),
        "gemm_kernel": cpu_kernels::gemm_kernel(compute),
        "steps_measured": times.len(),
        "tok_s_median": tokens / median(&mut times),
        "tok_s_best": tokens / best,
        "pass_s_median": median(&mut pass_times),
        "step_s_median": median(&mut times),
        "loss_first": losses.first(),
        "loss_last": losses.last(),
        "rss_after_load_mib": after_load,
        "peak_rss_mib": memory("VmHWM:"),
        "device_mib": B::device_memory(device).map(|bytes| bytes >> 20),
    });
    #[expect(clippy::print_stdout, reason = "the result of the program")]
    {
        println!("{report}");
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A line of `/proc/self/status`, in MiB.
fn memory(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? / 1024)
}
