use anyhow::anyhow;
use causal_lm::CausalLm;
use causal_lm::generate::{
    Answer, Batch, BatchOptions, CachedModel, Happening, Sampling, SamplingOptions,
};
use causal_lm::ops::DecoderBackend;
use cpu_kernels::decoder::KvDtype;
use lora_train::data::TokenRows;
use tokenize::{Detokenizer, SpecialTokens};

use super::text::Text;
use crate::config::SftConfig;

/// Tokens of prompts in a step of generation.
const PREFILL: usize = 512;

/// Prompts of the evaluation split that the model answers from time to time, always the same ones.
pub(super) struct Samples {
    prompts: Vec<(String, Vec<u32>)>,
    max_tokens: usize,
    stop_ids: Vec<u32>,
    detokenizer: Detokenizer,
}

impl Samples {
    /// The first prompts; `None` where none are asked for, or there is no tokenizer or evaluation split.
    pub(super) fn new(
        config: &SftConfig,
        text: Option<&Text>,
        validation: Option<&TokenRows>,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(_), Some(text), Some(rows)) = (config.sample_every, text, validation) else {
            return Ok(None);
        };
        let prompt = |example| {
            let (mut ids, prompt) = rows.ids_of(example);
            ids.truncate(prompt);
            (rows.uid(example).to_owned(), ids)
        };
        let prompts = (0..rows.examples()).map(prompt).filter(|(_, ids)| !ids.is_empty());
        let prompts = prompts.take(config.sample_prompts).collect();
        let detokenizer = Detokenizer::new(text.format().tokenizer())?;
        let max_tokens = config.sample_max_tokens;
        Ok(Some(Self { prompts, max_tokens, stop_ids: text.stop_ids(), detokenizer }))
    }

    /// The model's likeliest answers, with the uids of their examples.
    pub(super) fn answers<B: DecoderBackend>(
        &self,
        model: &CausalLm<B>,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let longest = self.prompts.iter().map(|(_, ids)| ids.len()).max().unwrap_or(0);
        let capacity = longest + self.max_tokens;
        let cached = CachedModel::new(model, self.prompts.len(), capacity, KvDtype::F32);
        let mut batch = Batch::new(cached, BatchOptions { prefill_chunk: PREFILL })?;
        let mut texts = Vec::new();
        for (uid, prompt) in &self.prompts {
            let ids = batch.add(prompt.as_slice(), vec![self.answer()?])?;
            let stream = self.detokenizer.stream(SpecialTokens::Keep);
            texts
                .extend(ids.into_iter().map(|id| (id, uid.clone(), stream.clone(), String::new())));
        }
        loop {
            while let Some(event) = batch.pop_event() {
                let found = texts.iter_mut().find(|(id, ..)| *id == event.answer);
                let (_, _, stream, text) =
                    found.ok_or_else(|| anyhow!("an event of an answer that nobody asked for"))?;
                match event.happening {
                    Happening::Token(token) => text.push_str(stream.push(token.id)),
                    Happening::Finished(_) => text.push_str(stream.finish()),
                    Happening::Failed(error) => return Err(error.into()),
                }
            }
            if batch.is_idle() {
                break;
            }
            batch.step()?;
        }
        Ok(texts.into_iter().map(|(_, uid, _, text)| (uid, text)).collect())
    }

    fn answer(&self) -> anyhow::Result<Answer> {
        Ok(Answer {
            max_new_tokens: self.max_tokens,
            sampling: Sampling::new(SamplingOptions::default())?,
            seed: 0,
            stop_ids: self.stop_ids.clone(),
            top_log_probs: 0,
            constraint: None,
        })
    }
}
