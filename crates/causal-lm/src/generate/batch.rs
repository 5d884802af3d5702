use std::collections::VecDeque;
use std::sync::Arc;

use cpu_kernels::decoder::Span;
use rayon::prelude::*;

use super::row::Row;
use super::slots::{Place, Slots};
use super::{
    Answer, AnswerId, AnyError, Event, Finish, GenerateError, Happening, StepModel, Token,
};

/// How a batch is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// Most tokens of prompts that one step runs, all prompts together: answers beside them wait no longer than that.
    pub prefill_chunk: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { prefill_chunk: 512 }
    }
}

/// What a step ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepSize {
    /// Tokens of prompts, and tokens that were forced.
    pub prefilled: usize,
    /// Tokens of prompts that were in the cache already.
    pub reused: usize,
    /// Tokens that continued an answer, one a row.
    pub decoded: usize,
}

/// Answers on their way: each step runs one flat batch of whatever is due, and rows enter and leave between steps.
///
/// ```no_run
/// # use causal_lm::generate::{Answer, Batch, BatchOptions, GenerateError, Happening, StepModel};
/// # fn example(model: impl StepModel) -> Result<(), GenerateError> {
/// let mut batch = Batch::new(model, BatchOptions::default())?;
/// batch.add([1, 2, 3], [Answer::greedy(64, &[2])])?;
/// while let Some(event) = batch.next()? {
///     if let Happening::Token(token) = event.happening {
///         // `batch.cancel(event.answer)` ends it here.
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Batch<M> {
    model: M,
    options: BatchOptions,
    slots: Slots,
    waiting: VecDeque<Row>,
    events: VecDeque<Event>,
    next_id: u64,
    buffers: Buffers,
}

/// Memory that is used again from step to step.
#[derive(Default)]
struct Buffers {
    ids: Vec<u32>,
    spans: Vec<Span>,
    /// Indices into `ids` of the last tokens of rows that are due.
    wanted: Vec<usize>,
    logits: Vec<f32>,
    happen: Vec<Happening>,
}

impl<M: StepModel> Batch<M> {
    /// An empty batch over a model with its cache.
    ///
    /// # Errors
    /// [`GenerateError::EmptyBatch`] for a chunk of 0 tokens, and for a cache without slots.
    pub fn new(model: M, options: BatchOptions) -> Result<Self, GenerateError> {
        let sizes = [("prefill_chunk", options.prefill_chunk), ("slots", model.slots())];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(GenerateError::EmptyBatch { name });
        }
        Ok(Self {
            slots: Slots::new(model.slots()),
            model,
            options,
            waiting: VecDeque::new(),
            events: VecDeque::new(),
            next_id: 0,
            buffers: Buffers::default(),
        })
    }

    /// Asks for answers to a prompt, which goes through the model once for all of them; they enter as slots are free,
    /// in the order of their ids.
    ///
    /// # Errors
    /// [`GenerateError::EmptyPrompt`], [`GenerateError::UnknownId`] and [`GenerateError::TooLong`]; then none is added.
    pub fn add(
        &mut self,
        prompt: impl Into<Arc<[u32]>>,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Result<Vec<AnswerId>, GenerateError> {
        let prompt = prompt.into();
        if prompt.is_empty() {
            return Err(GenerateError::EmptyPrompt);
        }
        let vocabulary = self.model.vocabulary();
        if let Some(position) = prompt.iter().position(|&id| id as usize >= vocabulary) {
            return Err(GenerateError::UnknownId { id: prompt[position], position, vocabulary });
        }
        let answers: Vec<Answer> = answers.into_iter().collect();
        let capacity = self.model.capacity();
        for &Answer { max_new_tokens, .. } in &answers {
            // The last token of an answer does not go through the model any more.
            let needed = prompt.len().checked_add(max_new_tokens.saturating_sub(1));
            if needed.is_none_or(|needed| needed > capacity) {
                let prompt = prompt.len();
                return Err(GenerateError::TooLong { prompt, max_new_tokens, capacity });
            }
        }
        let rows = answers.into_iter().map(|answer| {
            let id = AnswerId(self.next_id);
            self.next_id += 1;
            let mut row = Row::new(id, prompt.clone(), answer);
            row.begin(&mut self.buffers.happen);
            if !report(id, &mut self.buffers.happen, &mut self.events) {
                self.waiting.push_back(row);
            }
            id
        });
        Ok(rows.collect())
    }

    /// The next event; runs the model where none is waiting. `None` when every answer has ended.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would lend the batch for as long as it lives"
    )]
    pub fn next(&mut self) -> Result<Option<Event>, GenerateError> {
        while self.events.is_empty() && !self.is_idle() {
            self.step()?;
        }
        Ok(self.events.pop_front())
    }

    /// An event that is waiting; the model is not run.
    pub fn pop_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether every answer has ended; events may still be waiting.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.slots.rows().next().is_none()
    }

    /// Ends an answer; one that has ended already stays as it is. Its events up to now still come, and the last of them
    /// is [`Finish::Cancelled`].
    pub fn cancel(&mut self, answer: AnswerId) {
        let running = self.slots.rows().find(|(_, row)| row.id == answer).map(|(slot, _)| slot);
        let waiting = self.waiting.iter().position(|row| row.id == answer);
        if let Some(slot) = running {
            self.slots.free(slot);
        } else if let Some(at) = waiting {
            self.waiting.remove(at);
        } else {
            return;
        }
        let happening = Happening::Finished(Finish::Cancelled);
        self.events.push_back(Event { answer, happening });
    }

    /// The model and its cache.
    pub fn into_model(self) -> M {
        self.model
    }

    /// The model and its cache, with the tokens that each slot of it holds: what was said may be gone on with, without
    /// running it again.
    pub fn into_parts(self) -> (M, Vec<Vec<u32>>) {
        (self.model, self.slots.into_held())
    }

    /// Lets rows enter, runs one flat batch, and chooses a token for each row that is due.
    ///
    /// # Errors
    /// [`GenerateError::Model`] and [`GenerateError::LogitsShape`]: every answer on its way has ended without an event.
    /// What concerns a single answer is an event, [`Happening::Failed`].
    pub fn step(&mut self) -> Result<StepSize, GenerateError> {
        let reused = match self.enter() {
            Ok(reused) => reused,
            Err(source) => return Err(self.give_up(GenerateError::Model { tokens: 0, source })),
        };
        let mut size = StepSize { reused, ..StepSize::default() };
        let advanced = self.lay_out(&mut size);
        if self.buffers.ids.is_empty() {
            return Ok(size);
        }
        let picked = match self.run(&advanced) {
            Ok(picked) => picked,
            Err(error) => return Err(self.give_up(error)),
        };
        let Buffers { wanted, logits, happen, .. } = &mut self.buffers;
        let mut due = Vec::with_capacity(wanted.len());
        for ((slot, row), tokens) in self.slots.rows_mut().zip(advanced) {
            row.cached += tokens;
            if row.pending() == 0 {
                due.push((slot, row));
            }
        }
        let mut logits = logits.chunks_exact_mut(self.model.vocabulary().max(1));
        let chosen: Vec<Result<Token, GenerateError>> = match (picked, &mut *due) {
            (Some(picked), rows) => {
                rows.iter().zip(picked).map(|((_, row), picked)| row.chosen(picked)).collect()
            }
            (None, [(_, row)]) => {
                logits.next().map(|logits| row.choose(logits)).into_iter().collect()
            }
            (None, rows) => {
                let logits: Vec<&mut [f32]> = logits.collect();
                rows.par_iter_mut()
                    .zip(logits)
                    .map(|((_, row), logits)| row.choose(logits))
                    .collect()
            }
        };
        let mut ended = Vec::new();
        for ((slot, row), chosen) in due.into_iter().zip(chosen) {
            row.take(chosen, happen);
            if report(row.id, happen, &mut self.events) {
                ended.push(slot);
            }
        }
        ended.into_iter().for_each(|slot| self.slots.free(slot));
        Ok(size)
    }

    /// Runs the flat batch, `advanced` tokens of each row. The logits of what is wanted are in the buffers then; or the likeliest tokens
    /// and their log-probabilities come back, where no row that is due asks for more and the model chooses them.
    fn run(&mut self, advanced: &[usize]) -> Result<Option<Vec<(u32, f32)>>, GenerateError> {
        let (vocabulary, tokens) = (self.model.vocabulary(), self.buffers.ids.len());
        let Buffers { ids, spans, wanted, logits, .. } = &mut self.buffers;
        let mut rows = self.slots.rows().zip(advanced);
        let plain = rows.all(|((_, row), tokens)| row.pending() > *tokens || row.is_plain());
        let failed = |source| GenerateError::Model { tokens, source };
        if plain
            && let Some(picked) = self.model.step_likeliest(ids, spans, wanted).map_err(failed)?
        {
            logits.clear();
            return match picked.len() == wanted.len() {
                true => Ok(Some(picked)),
                false => Err(shape(wanted, vocabulary, picked.len() * vocabulary)),
            };
        }
        self.model.step(ids, spans, wanted, logits).map_err(failed)?;
        match logits.len() == wanted.len() * vocabulary {
            true => Ok(None),
            false => Err(shape(wanted, vocabulary, logits.len())),
        }
    }

    /// Forgets all rows: nobody knows what the cache holds after an error.
    fn give_up(&mut self, error: GenerateError) -> GenerateError {
        self.slots = Slots::new(self.model.slots());
        self.waiting.clear();
        error
    }

    /// Gives free slots to waiting rows; returns how many tokens of theirs were in the cache.
    fn enter(&mut self) -> Result<usize, AnyError> {
        let (mut at, mut reused) = (0, 0);
        while at < self.waiting.len() && !self.slots.is_full() {
            if self.slots.is_prefilling(&self.waiting[at].prompt) {
                at += 1;
                continue;
            }
            let Some(Place { slot, from, shared }) = self.slots.place(&self.waiting[at].ids) else {
                break;
            };
            let Some(mut row) = self.waiting.remove(at) else { break };
            if from != slot && shared > 0 {
                self.model.copy_slot(from, slot, shared)?;
            }
            row.cached = shared;
            reused += shared;
            self.slots.put(slot, row);
        }
        Ok(reused)
    }

    /// Writes the flat batch into the buffers; returns how many tokens of each row are in it.
    fn lay_out(&mut self, size: &mut StepSize) -> Vec<usize> {
        let Buffers { ids, spans, wanted, .. } = &mut self.buffers;
        ids.clear();
        spans.clear();
        wanted.clear();
        let mut lengths = vec![0; self.slots.rows().count()];
        let mut order: Vec<(usize, AnswerId)> =
            self.slots.rows().map(|(_, row)| row.id).enumerate().collect();
        order.sort_unstable_by_key(|(_, id)| *id);
        let mut room = self.options.prefill_chunk;
        let pending: Vec<usize> = self.slots.rows().map(|(_, row)| row.pending()).collect();
        for (index, _) in order {
            lengths[index] = match pending[index] {
                1 => 1,
                many => many.min(room),
            };
            if pending[index] > 1 {
                room -= lengths[index];
            }
        }
        for ((slot, row), &len) in self.slots.rows().zip(&lengths) {
            if len == 0 {
                continue;
            }
            let start = ids.len();
            ids.extend_from_slice(&row.ids[row.cached..row.cached + len]);
            spans.push(Span { start, len, position: row.cached, slot });
            if row.cached + len == row.ids.len() {
                wanted.push(ids.len() - 1);
            }
            match row.is_prefilled() && len == 1 {
                true => size.decoded += 1,
                false => size.prefilled += len,
            }
        }
        lengths
    }
}

fn shape(wanted: &[usize], vocabulary: usize, got: usize) -> GenerateError {
    GenerateError::LogitsShape { rows: wanted.len(), vocabulary, got }
}

/// Moves what happened to an answer to the events; whether it has ended.
fn report(answer: AnswerId, happen: &mut Vec<Happening>, events: &mut VecDeque<Event>) -> bool {
    let ended = happen.iter().any(|happening| !matches!(happening, Happening::Token(_)));
    events.extend(happen.drain(..).map(|happening| Event { answer, happening }));
    ended
}
