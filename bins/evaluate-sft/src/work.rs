use std::path::Path;

use anyhow::Context;
use causal_lm::CausalLm;
use causal_lm::generate::{AnyError, Constraint, Sampling};
use causal_lm::ops::DecoderBackend;
use causal_lm::train::remove_adapters;
use eval_metrics::text::cosine_similarity;
use indicatif::ProgressBar;
use lm_evaluate::{
    AnswerOptions, AnswerReader, GroupRow, answer_group, fixed_groups, grammar_vocabulary,
    mean_hidden,
};
use model_cli::OnBackend;
use stage_cli::{Hint, Stage, Unit};
use thesis_core::{Completion, parse_answer};
use token_grammar::{Grammar, GrammarError};

use crate::answers::{Answer, AnswersFile, Cosine, Key, Line, Part};
use crate::config::{Decoding, EvalConfig};
use crate::model::{Model, ModelText, Weights, Which};
use crate::progress::Clock;
use crate::rows::Row;

/// What the models have yet to say.
pub(crate) struct Work<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) config: &'a EvalConfig,
    pub(crate) model: &'a Model,
    pub(crate) text: &'a ModelText,
    pub(crate) sampling: Sampling,
    /// Most tokens of an answer.
    pub(crate) max_new_tokens: usize,
    pub(crate) judged: &'a [Row],
    pub(crate) temperature: &'a [Row],
    /// The models that are judged.
    pub(crate) models: &'a [Which],
    pub(crate) answers: &'a mut AnswersFile,
}

impl OnBackend for Work<'_> {
    type Output = ();

    /// Lets one model after the other do what is not there yet, each loaded once and no longer than it is needed.
    fn run<B: DecoderBackend>(mut self, device: &B::Device) -> anyhow::Result<()> {
        let clock = Clock::default();
        let mut loaded: Option<CausalLm<B>> = None;
        let embeds = match self.model.base {
            Some(_) => Which::Base,
            None => Which::Tuned,
        };
        for which in [Which::Tuned, Which::Base] {
            let groups = match self.models.contains(&which) {
                true => self.missing(which),
                false => Vec::new(),
            };
            let cosines = if which == embeds { self.missing_cosines() } else { Vec::new() };
            // Cosines need answers first; those of the base are not there before it has answered.
            let embeds_later = which == embeds && (!groups.is_empty() || !cosines.is_empty());
            if groups.is_empty() && !embeds_later {
                continue;
            }
            self.answers.begin()?;
            let weights = self.model.weights(which).context("a model that is judged")?;
            let reused = loaded.take().filter(|_| self.model.base_is_without_adapter);
            let model = match (which, reused) {
                (Which::Base, Some(mut model)) => {
                    remove_adapters(&mut model);
                    model
                }
                _ => Clock::time(&clock.loading, || load_model(self.stage, weights, device))?,
            };
            Clock::time(&clock.answering, || self.answer(&model, which, &groups))?;
            if which == embeds {
                Clock::time(&clock.embedding, || self.embed(&model))?;
            }
            loaded = Some(model);
        }
        tracing::info!("{}", clock.line());
        Ok(())
    }
}

/// Rows of a part that are answered together.
struct Group {
    part: Part,
    rows: Vec<usize>,
}

impl Work<'_> {
    fn rows(&self, part: Part) -> &[Row] {
        match part {
            Part::Judged => self.judged,
            Part::Temperature => self.temperature,
        }
    }

    fn groups(&self, part: Part) -> Vec<Group> {
        let lengths: Vec<usize> =
            self.rows(part).iter().map(|row| row.example.prompt.len()).collect();
        let groups = fixed_groups(&lengths, self.config.batch);
        groups.into_iter().map(|rows| Group { part, rows }).collect()
    }

    /// Groups of which a row has not been answered.
    fn missing(&self, which: Which) -> Vec<Group> {
        let all = [Part::Judged, Part::Temperature].map(|part| self.groups(part));
        let has = |part, row: &usize| self.answers.has(Key::Answer(which, part, *row));
        let mut missing: Vec<Group> = all.into_iter().flatten().collect();
        missing.retain(|Group { part, rows }| !rows.iter().all(|row| has(*part, row)));
        missing
    }

    fn missing_cosines(&self) -> Vec<Group> {
        let mut missing = self.groups(Part::Judged);
        missing.retain(|Group { rows, .. }| {
            let has = |row: &usize| {
                self.models.iter().all(|which| self.answers.has(Key::Cosine(*which, *row)))
            };
            !rows.iter().all(has)
        });
        missing
    }

    fn answer<B: DecoderBackend>(
        &mut self,
        model: &CausalLm<B>,
        which: Which,
        groups: &[Group],
    ) -> anyhow::Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let reader = AnswerReader::new(&self.text.format)?;
        let options = AnswerOptions {
            max_new_tokens: self.max_new_tokens,
            sampling: self.sampling,
            stop_ids: self.text.stop_ids(),
            kv_cache: self.config.kv_cache.into(),
            chunk: self.config.prefill_chunk,
        };
        let grammar = match self.config.decoding {
            Decoding::Free => None,
            Decoding::Structured => {
                let vocab_size = model.config().vocab_size;
                let vocabulary =
                    grammar_vocabulary(&self.text.format, &options.stop_ids, vocab_size)?;
                Some(Grammar::thesis(&vocabulary)?)
            }
        };
        if let Some(grammar) = &grammar {
            matcher(grammar, options.max_new_tokens)?;
        }
        let bar = self.bar(which, groups);
        for Group { part, rows } in groups {
            let of_group: Vec<&Row> = rows.iter().map(|row| &self.rows(*part)[*row]).collect();
            let asked: Vec<GroupRow> = rows
                .iter()
                .zip(&of_group)
                .map(|(row, Row { example, .. })| GroupRow {
                    prompt: example.prompt.clone(),
                    reference: (*part == Part::Judged).then(|| example.target.clone()),
                    seed: self.config.seed.wrapping_add(*row as u64),
                })
                .collect();
            let budget = self.max_new_tokens;
            let make = grammar.as_ref().map(|grammar| {
                move || -> Result<Box<dyn Constraint>, AnyError> {
                    Ok(Box::new(grammar.matcher(budget)?))
                }
            });
            let make = make.as_ref().map(|make| make as &lm_evaluate::MakeConstraint<'_>);
            let answered = answer_group(model, &asked, &options, &reader, make, &mut || bar.inc(1));
            let answered = answered.with_context(|| {
                let uids: Vec<&str> = of_group.iter().map(|row| row.record.uid.as_str()).collect();
                format!("rows {}", uids.join(", "))
            })?;
            let lines = rows.iter().zip(&of_group).zip(answered).map(|((row, asked), answer)| {
                Line::Answer(Answer::new(which, *part, *row, &asked.record.uid, answer))
            });
            let lines = lines.collect();
            self.answers.add(lines)?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn bar(&self, which: Which, groups: &[Group]) -> ProgressBar {
        let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
        self.stage.progress(&format!("{} model", which.as_str()), rows as u64, Unit::Items)
    }

    /// The cosine of each answer's reasoning with the reference's, group by group.
    fn embed<B: DecoderBackend>(&mut self, model: &CausalLm<B>) -> anyhow::Result<()> {
        let groups = self.missing_cosines();
        let bar = self.stage.progress("embeddings", groups.len() as u64, Unit::Items);
        for Group { rows, .. } in groups {
            let reference = |row: &usize| {
                let output = &self.judged[*row].record.output;
                Completion::parse(output).map(|completion| completion.reasoning).ok()
            };
            let references = self.means(model, rows.iter().map(reference).collect())?;
            let mut lines = Vec::new();
            for which in self.models {
                let reasoning = |row: &usize| {
                    let Some(Line::Answer(answer)) =
                        self.answers.get(Key::Answer(*which, Part::Judged, *row))
                    else {
                        return None;
                    };
                    parse_answer(&answer.text).reasoning
                };
                let answered = self.means(model, rows.iter().map(reasoning).collect())?;
                for ((row, reference), answered) in rows.iter().zip(&references).zip(answered) {
                    let cosine = match (reference, answered) {
                        (Some(reference), Some(answered)) => {
                            cosine_similarity(reference, &answered).ok()
                        }
                        _ => None,
                    };
                    let uid = self.judged[*row].record.uid.clone();
                    lines.push(Line::Cosine(Cosine { model: *which, row: *row, uid, cosine }));
                }
            }
            self.answers.add(lines)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn means<B: DecoderBackend>(
        &self,
        model: &CausalLm<B>,
        texts: Vec<Option<String>>,
    ) -> anyhow::Result<Vec<Option<Vec<f32>>>> {
        let ids = |text: Option<String>| match text {
            Some(text) => Ok(self.text.format.text_ids(text.trim())?),
            None => Ok(Vec::new()),
        };
        let ids: Vec<Vec<u32>> = texts.into_iter().map(ids).collect::<anyhow::Result<_>>()?;
        Ok(mean_hidden(model, &ids, self.config.prefill_chunk)?)
    }
}

/// That an answer can follow the grammar at all.
fn matcher(grammar: &Grammar, budget: usize) -> anyhow::Result<()> {
    let matcher = grammar.matcher(budget).map(drop);
    if let Err(GrammarError::Budget { needed, .. }) = &matcher {
        let hint = format!("--max-new-tokens {needed} or more");
        return matcher.hint(hint);
    }
    Ok(matcher?)
}

fn load_model<B: DecoderBackend>(
    stage: &Stage,
    weights: &Weights,
    device: &B::Device,
) -> anyhow::Result<CausalLm<B>> {
    let Weights { path, options } = weights;
    let loaded = model_cli::load_model(stage, path, options, device);
    let what = |path: &Path| format!("cannot load {}", path.display());
    loaded.with_context(|| what(options.adapter.as_deref().unwrap_or(path)))
}
