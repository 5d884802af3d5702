//! The settings that flags give; absent ones leave the others alone.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{BenchArgs, EstimateArgs, GenerateArgs, LogitsArgs, ModelArgs};

type Flags = Map<String, Value>;

impl ModelArgs {
    fn flags(&self) -> Flags {
        let Self {
            model: _,
            adapter: _,
            quantization,
            double_quantization,
            dtype,
            compute_dtype,
            device,
        } = self;
        let mut flags = Flags::new();
        set(&mut flags, "quantization", quantization);
        set(&mut flags, "double_quantization", &double_quantization.then_some(true));
        set(&mut flags, "dtype", dtype);
        set(&mut flags, "compute_dtype", compute_dtype);
        set(&mut flags, "device", device);
        flags
    }
}

impl EstimateArgs {
    pub(crate) fn flags(&self) -> Flags {
        let Self {
            model,
            lora_rank: _,
            lora_targets: _,
            batch: _,
            sequence: _,
            gradient_checkpointing: _,
            logit_rows: _,
            slots: _,
            context: _,
            kv_cache,
            format: _,
            common: _,
        } = self;
        let mut flags = model.flags();
        set(&mut flags, "kv_cache", kv_cache);
        flags
    }
}

impl LogitsArgs {
    pub(crate) fn flags(&self) -> Flags {
        let Self { model, input_ids: _, out: _, common: _ } = self;
        model.flags()
    }
}

impl GenerateArgs {
    pub(crate) fn flags(&self) -> Flags {
        let Self {
            model,
            prompt: _,
            chat: _,
            system: _,
            as_of_date: _,
            grammar: _,
            format: _,
            logprobs: _,
            max_new_tokens,
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
            seed,
            stop,
            samples,
            kv_cache,
            prefill_chunk,
            common: _,
        } = self;
        let mut sampling = Flags::new();
        set(&mut sampling, "temperature", temperature);
        set(&mut sampling, "top_k", top_k);
        set(&mut sampling, "top_p", top_p);
        set(&mut sampling, "min_p", min_p);
        set(&mut sampling, "repetition_penalty", repetition_penalty);
        let mut flags = model.flags();
        if !sampling.is_empty() {
            flags.insert("sampling".to_owned(), Value::Object(sampling));
        }
        set(&mut flags, "max_new_tokens", max_new_tokens);
        set(&mut flags, "seed", seed);
        set(&mut flags, "stop", &(!stop.is_empty()).then_some(stop));
        set(&mut flags, "samples", samples);
        set(&mut flags, "kv_cache", kv_cache);
        set(&mut flags, "prefill_chunk", prefill_chunk);
        flags
    }
}

impl BenchArgs {
    pub(crate) fn flags(&self) -> Flags {
        let Self {
            model,
            batch: _,
            prompt_len: _,
            new_tokens: _,
            repeats: _,
            warmup: _,
            kv_cache,
            seed,
            common: _,
        } = self;
        let mut flags = model.flags();
        set(&mut flags, "kv_cache", kv_cache);
        set(&mut flags, "seed", seed);
        flags
    }
}

fn set(flags: &mut Flags, key: &str, value: &Option<impl Serialize>) {
    if let Some(value) = value {
        flags.insert(key.to_owned(), json!(value));
    }
}
