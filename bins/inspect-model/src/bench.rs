use std::time::{Duration, Instant};

use anyhow::bail;
use causal_lm::generate::{Answer, Batch, BatchOptions, CachedModel, GenerateError, Happening};
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, estimate};
use model_cli::{
    CacheKind, ComputeKind, Device, OnBackend, QuantizationKind, WeightDtype, on_backend,
};
use serde::Serialize;
use stage_cli::Stage;

use crate::args::BenchArgs;
use crate::config::InspectConfig;
use crate::model::load_model;
use crate::peak_memory::peak_memory_mib;
use crate::source::Source;

/// Measures prefill and decode, and prints a line of JSON.
pub(crate) fn run(stage: &Stage, args: &BenchArgs) -> anyhow::Result<()> {
    let sizes = [args.batch, args.prompt_len, args.new_tokens, args.repeats];
    if sizes.contains(&0) {
        bail!("--batch, --prompt-len, --new-tokens and --repeats must be 1 or more");
    }
    let config: InspectConfig = stage.config(&args.flags())?;
    let source = Source::find(stage, &args.model.model)?;
    let line = on_backend(config.device, Bench { stage, args, config: &config, source })?;
    stage.print(serde_json::to_string(&line)?);
    Ok(())
}

/// What was measured. Rates are tokens a second over the whole batch, medians of the repeats.
#[derive(Debug, Serialize)]
struct Line {
    model: String,
    family: &'static str,
    parameters: u64,
    device: Device,
    quantization: QuantizationKind,
    double_quantization: bool,
    dtype: WeightDtype,
    compute_dtype: ComputeKind,
    kv_cache: CacheKind,
    batch: usize,
    prompt_len: usize,
    new_tokens: usize,
    threads: usize,
    /// What multiplies many rows on the processor.
    gemm_kernel: &'static str,
    repeats: usize,
    load_seconds: f64,
    prefill_tokens_per_second: f64,
    decode_tokens_per_second: Option<f64>,
    peak_memory_mib: Option<f64>,
}

struct Bench<'a> {
    stage: &'a Stage,
    args: &'a BenchArgs,
    config: &'a InspectConfig,
    source: Source,
}

impl OnBackend for Bench<'_> {
    type Output = Line;

    fn run<B: DecoderBackend>(self, device: &B::Device) -> anyhow::Result<Line> {
        let Self { stage, args, config, source } = self;
        let began = Instant::now();
        let model: CausalLm<B> = load_model(stage, &source, &args.model, config, device)?;
        let load_seconds = began.elapsed().as_secs_f64();
        let capacity = args.prompt_len + args.new_tokens;
        let mut cached = CachedModel::new(&model, args.batch, capacity, config.kv_cache.into());
        let (mut prefill, mut decode) = (Vec::new(), Vec::new());
        for run in 0..args.warmup + args.repeats {
            // No prompt begins like one of an earlier run, so that nothing of it is in the cache.
            let prompts = prompts(args, config.seed, run, model.config().vocab_size);
            let (timing, back) = timed(cached, &prompts, args.new_tokens)?;
            cached = back;
            if run >= args.warmup {
                prefill.push((args.batch * args.prompt_len) as f64 / timing.prefill.as_secs_f64());
                decode.push(timing.decoded as f64 / timing.decode.as_secs_f64());
            }
        }
        let sizes = estimate::tensor_sizes(model.config());
        Ok(Line {
            model: source.to_string(),
            family: model.config().family,
            parameters: sizes.iter().map(estimate::TensorSize::parameters).sum(),
            device: config.device,
            quantization: config.quantization,
            double_quantization: config.double_quantization,
            dtype: config.dtype,
            compute_dtype: config.compute_dtype,
            kv_cache: config.kv_cache,
            batch: args.batch,
            prompt_len: args.prompt_len,
            new_tokens: args.new_tokens,
            threads: rayon::current_num_threads(),
            gemm_kernel: cpu_kernels::gemm_kernel(config.compute_dtype.into()),
            repeats: args.repeats,
            load_seconds,
            prefill_tokens_per_second: median(prefill),
            decode_tokens_per_second: (args.new_tokens > 1).then(|| median(decode)),
            peak_memory_mib: peak_memory_mib(),
        })
    }
}

#[derive(Debug, Default)]
struct Timing {
    prefill: Duration,
    decode: Duration,
    decoded: usize,
}

/// One run: all prompts in one step, so that every row decodes beside all others from first to last token.
fn timed<'m, B: DecoderBackend>(
    cached: CachedModel<'m, B>,
    prompts: &[Vec<u32>],
    new_tokens: usize,
) -> Result<(Timing, CachedModel<'m, B>), GenerateError> {
    let prefill_chunk = prompts.iter().map(Vec::len).sum();
    let mut batch = Batch::new(cached, BatchOptions { prefill_chunk })?;
    for prompt in prompts {
        batch.add(prompt.as_slice(), [Answer::greedy(new_tokens, &[])])?;
    }
    let mut timing = Timing::default();
    while !batch.is_idle() {
        let began = Instant::now();
        let size = batch.step()?;
        match size.prefilled {
            0 => {
                timing.decode += began.elapsed();
                timing.decoded += size.decoded;
            }
            _ => timing.prefill += began.elapsed(),
        }
        while let Some(event) = batch.pop_event() {
            if let Happening::Failed(error) = event.happening {
                return Err(error);
            }
        }
    }
    Ok((timing, batch.into_model()))
}

/// Random ids by the seed: SplitMix64.
fn prompts(args: &BenchArgs, seed: u64, run: usize, vocab_size: usize) -> Vec<Vec<u32>> {
    let mut state = seed ^ (run as u64) << 32;
    let mut id = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % vocab_size as u64) as u32
    };
    (0..args.batch).map(|_| (0..args.prompt_len).map(|_| id()).collect()).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
    }
}
