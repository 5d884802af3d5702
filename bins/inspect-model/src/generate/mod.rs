mod answers;
mod speed;

use std::time::Instant;

use anyhow::{anyhow, bail};
use causal_lm::CausalLm;
use causal_lm::generate::{Answer, Batch, BatchOptions, CachedModel, Sampling, SamplingOptions};
use causal_lm::ops::DecoderBackend;
use model_cli::{OnBackend, on_backend};
use stage_cli::{Hint, Stage};
use tokenize::{Detokenizer, ModelFiles, PromptFormat, StopStrings};

use crate::args::{FormatArg, GenerateArgs};
use crate::config::InspectConfig;
use crate::grammar::{constraint as constraint_of, grammar};
use crate::model::load_model;
use crate::source::Source;
use crate::text::{files_with_adapter, prompt_format, prompt_ids, stop_ids};
use answers::{Answers, Output};
use speed::Speed;

/// Writes answers as they come.
pub(crate) fn run(stage: &Stage, args: &GenerateArgs) -> anyhow::Result<()> {
    let config: InspectConfig = stage.config(&args.flags())?;
    let sampling = checked_sampling(config.sampling)?;
    if config.samples == 0 {
        bail!("--samples must be 1 or more");
    }
    let stop_texts = StopStrings::new(config.stop.clone())?;
    let source = Source::find(stage, &args.model.model)?;
    let files = files_with_adapter(&source, args.model.adapter.as_deref())?;
    let format = prompt_format(&files, args.system.clone())?;
    for note in format.notes() {
        tracing::debug!("{note}");
    }
    let prompt = prompt_ids(args, &format)?;
    if prompt.is_empty() {
        return Err(anyhow!("the prompt has no tokens")).hint("--prompt must not be empty");
    }
    let device = config.device;
    let work =
        Generate { stage, args, config, sampling, stop_texts, source, files, format, prompt };
    on_backend(device, work)
}

struct Generate<'a> {
    stage: &'a Stage,
    args: &'a GenerateArgs,
    config: InspectConfig,
    sampling: Sampling,
    stop_texts: StopStrings,
    source: Source,
    files: ModelFiles,
    format: PromptFormat,
    prompt: Vec<u32>,
}

impl OnBackend for Generate<'_> {
    type Output = ();

    fn run<B: DecoderBackend>(self, device: &B::Device) -> anyhow::Result<()> {
        let Self { stage, args, config, source, prompt, format, .. } = &self;
        let model: CausalLm<B> = load_model(stage, source, &args.model, config, device)?;
        let length = prompt.len() + config.max_new_tokens;
        if length > model.config().max_positions {
            tracing::warn!(
                "prompt and answer may have {length} tokens; the model was made for {}",
                model.config().max_positions
            );
        }
        let answers = self.answers(model.config().vocab_size)?;
        let cached = CachedModel::new(&model, answers.len(), length, config.kv_cache.into());
        let mut batch = Batch::new(cached, BatchOptions { prefill_chunk: config.prefill_chunk })?;
        let ids = batch.add(prompt.as_slice(), answers)?;
        let output = match (args.format, args.logprobs) {
            (FormatArg::Json, _) | (_, Some(_)) => Output::Json,
            (FormatArg::Text, None) if ids.len() == 1 => Output::Stream,
            (FormatArg::Text, None) => Output::Text,
        };
        let detokenizer = Detokenizer::new(format.tokenizer())?;
        let mut answers = Answers::new(&ids, config.seed, &detokenizer, &self.stop_texts, output);
        let mut speed = Speed::default();
        while !batch.is_idle() {
            let began = Instant::now();
            let size = batch.step()?;
            speed.add(size, began.elapsed());
            while let Some(event) = batch.pop_event() {
                if let Some(stopped) = answers.take(event)? {
                    batch.cancel(stopped);
                }
            }
        }
        // An answer without tokens ends before the first step; one that was cancelled, after the last.
        while let Some(event) = batch.pop_event() {
            answers.take(event)?;
        }
        answers.print(stage, args.logprobs.is_some())?;
        tracing::info!("{speed}");
        Ok(())
    }
}

impl Generate<'_> {
    /// What is asked of the engine: the same for each sample but the seed.
    fn answers(&self, vocab_size: usize) -> anyhow::Result<Vec<Answer>> {
        let Self { args, config, sampling, files, format, .. } = self;
        let stop_ids = stop_ids(files, format);
        let grammar = args
            .grammar
            .as_ref()
            .map(|text| grammar(text, format, &stop_ids, vocab_size))
            .transpose()?;
        let answer = |index: usize| -> anyhow::Result<Answer> {
            let constraint = grammar.as_ref();
            let constraint =
                constraint.map(|grammar| constraint_of(grammar, config.max_new_tokens));
            Ok(Answer {
                max_new_tokens: config.max_new_tokens,
                sampling: *sampling,
                seed: config.seed.wrapping_add(index as u64),
                stop_ids: stop_ids.clone(),
                top_log_probs: args.logprobs.unwrap_or(0),
                constraint: constraint.transpose()?,
            })
        };
        (0..config.samples).map(answer).collect()
    }
}

/// Filters without a temperature would be set aside in silence.
fn checked_sampling(options: SamplingOptions) -> anyhow::Result<Sampling> {
    let SamplingOptions { temperature, top_k, top_p, min_p, repetition_penalty: _ } = options;
    let filtered = top_k.is_some() || top_p.is_some() || min_p.is_some();
    if temperature == 0.0 && filtered {
        return Err(anyhow!(
            "top-k, top-p and min-p choose among tokens, and temperature 0 leaves no choice"
        ))
        .hint("add --temperature 1");
    }
    Ok(Sampling::new(options)?)
}
