use std::collections::BTreeMap;

use causal_lm::CausalLm;
use causal_lm::generate::{
    Answer, AnswerId, AnyError, Batch, BatchOptions, CachedModel, Constraint, Finish,
    GenerateError, Happening, Sampling,
};
use causal_lm::ops::DecoderBackend;
use cpu_kernels::decoder::KvDtype;
use thesis_core::{Action, ParsedAnswer, parse_answer};

use crate::held_cache::{HeldCache, Sequence};
use crate::{ActionChoices, AnswerReader, LmEvaluateError};

/// Tokens that a slot has room for beyond prompt and answer: an `<action>` that is added, and an action.
const SLACK: usize = 32;

/// One row: what is asked, and what should be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// The prompt, up to where the answer begins.
    pub prompt: Vec<u32>,
    /// The reference with its end token, whose loss is wanted; `None` where it is not.
    pub reference: Option<Vec<u32>>,
    /// Seed of the answer's draws, where it is sampled.
    pub seed: u64,
}

/// How rows are answered.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerOptions {
    /// Most tokens of an answer.
    pub max_new_tokens: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens that end an answer.
    pub stop_ids: Vec<u32>,
    /// How keys and values lie in the cache.
    pub kv_cache: KvDtype,
    /// Most tokens that run at once, beside one for each answer.
    pub chunk: usize,
}

/// Makes what restricts an answer; called for each row.
pub type MakeConstraint<'a> = dyn Fn() -> Result<Box<dyn Constraint>, AnyError> + 'a;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerEnd {
    /// The model ended it.
    Stop,
    /// It had as many tokens as it may have.
    Length,
    /// Nothing may follow by the grammar.
    Grammar,
}

/// What the model said to a row, and how likely it found what it should have said.
#[derive(Debug, Clone, PartialEq)]
pub struct RowAnswer {
    /// The answer's tokens, without the one that ended it.
    pub ids: Vec<u32>,
    /// Its text.
    pub text: String,
    /// What could be read of it.
    pub parsed: ParsedAnswer,
    /// Why it ended.
    pub end: AnswerEnd,
    /// Natural-log probability of the text of each action at the action's place, in the order of
    /// [`Action::ALL`]; what else the model may say there has the rest.
    pub action_log_probs: [f64; 5],
    /// Of the reference, teacher-forced.
    pub loss: Option<TargetLoss>,
}

/// The loss of a reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetLoss {
    /// `-ln p` of its tokens, summed, in nats.
    pub sum: f64,
    /// Its tokens, the end token included.
    pub tokens: u64,
}

/// Answers of a model to the rows of a group, all at once, and what it thinks of actions and references.
///
/// A prompt runs once: answer, actions and reference go on from the same keys and values, and what prompts begin with in
/// common is copied. Same group, same bits; another group may round otherwise. `on_answer` is called at each answer's end.
///
/// # Errors
/// [`LmEvaluateError`]: a prompt without tokens, ids that the model does not know, logits that are not finite, a grammar
/// that allows nothing.
pub fn answer_group<B: DecoderBackend>(
    model: &CausalLm<B>,
    rows: &[GroupRow],
    options: &AnswerOptions,
    reader: &AnswerReader<'_>,
    constraint: Option<&MakeConstraint<'_>>,
    on_answer: &mut dyn FnMut(),
) -> Result<Vec<RowAnswer>, LmEvaluateError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (answers, mut cache) = generate(model, rows, options, constraint, on_answer)?;
    let mut texts = Vec::with_capacity(rows.len());
    for (ids, _) in &answers {
        let text = reader.text(ids);
        let parsed = parse_answer(&text);
        let choices = reader.choices(&text, &parsed)?;
        texts.push((text, parsed, choices));
    }
    let whole: Vec<Vec<u32>> =
        rows.iter().zip(&answers).map(|(row, (ids, _))| [&*row.prompt, ids].concat()).collect();
    let slots = cache.slots_for(&whole.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let choices = texts.iter().map(|(.., choices)| choices);
    let action_log_probs = action_log_probs(&mut cache, rows, &slots, choices)?;
    let losses = losses(&mut cache, rows, &slots)?;
    let all = answers.into_iter().zip(texts).zip(action_log_probs).zip(losses);
    let answer = |((((ids, end), (text, parsed, _)), action_log_probs), loss)| RowAnswer {
        ids,
        text,
        parsed,
        end,
        action_log_probs,
        loss,
    };
    Ok(all.map(answer).collect())
}

type Answers<'m, B> = (Vec<(Vec<u32>, AnswerEnd)>, HeldCache<'m, B>);

fn generate<'m, B: DecoderBackend>(
    model: &'m CausalLm<B>,
    rows: &[GroupRow],
    options: &AnswerOptions,
    constraint: Option<&MakeConstraint<'_>>,
    on_answer: &mut dyn FnMut(),
) -> Result<Answers<'m, B>, LmEvaluateError> {
    let group = |source| LmEvaluateError::Group { rows: rows.len(), source };
    let capacity = |row: &GroupRow| {
        let after = row.reference.as_ref().map_or(0, Vec::len).max(options.max_new_tokens + SLACK);
        row.prompt.len() + after
    };
    let capacity = rows.iter().map(capacity).max().unwrap_or(0);
    let cached = CachedModel::new(model, rows.len(), capacity, options.kv_cache);
    let mut batch =
        Batch::new(cached, BatchOptions { prefill_chunk: options.chunk }).map_err(group)?;
    let mut row_of: BTreeMap<AnswerId, usize> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let failed = |source| LmEvaluateError::Answer { row: index, source };
        let constraint = constraint.map(|make| make()).transpose();
        let constraint = constraint
            .map_err(|source| failed(GenerateError::Constraint { position: 0, source }))?;
        let answer = Answer {
            max_new_tokens: options.max_new_tokens,
            sampling: options.sampling,
            seed: row.seed,
            stop_ids: options.stop_ids.clone(),
            top_log_probs: 0,
            constraint,
        };
        let ids = batch.add(row.prompt.as_slice(), [answer]).map_err(failed)?;
        row_of.extend(ids.into_iter().map(|id| (id, index)));
        if index == 0 {
            // The others copy what their prompts have in common with the first one, once it is in the cache.
            for _ in 0..row.prompt.len().div_ceil(options.chunk.max(1)) {
                batch.step().map_err(group)?;
            }
        }
    }
    let mut answers = vec![(Vec::new(), AnswerEnd::Length); rows.len()];
    while let Some(event) = batch.next().map_err(group)? {
        let Some(&row) = row_of.get(&event.answer) else { continue };
        match event.happening {
            Happening::Token(token) => answers[row].0.push(token.id),
            Happening::Failed(source) => return Err(LmEvaluateError::Answer { row, source }),
            Happening::Finished(finish) => {
                answers[row].1 = match finish {
                    Finish::StopToken(_) => AnswerEnd::Stop,
                    Finish::Constraint => AnswerEnd::Grammar,
                    Finish::Length | Finish::Cancelled => AnswerEnd::Length,
                };
                on_answer();
            }
        }
    }
    let (cached, held) = batch.into_parts();
    Ok((answers, HeldCache::new(model, cached.into_cache(), held, options.chunk)))
}

/// The five actions' log-probabilities behind each row's answer: the first tokens all at once, then what else the texts
/// have, one action after the other.
fn action_log_probs<'c, B: DecoderBackend>(
    cache: &mut HeldCache<'_, B>,
    rows: &[GroupRow],
    slots: &[usize],
    choices: impl Iterator<Item = &'c ActionChoices>,
) -> Result<Vec<[f64; 5]>, LmEvaluateError> {
    let choices: Vec<&ActionChoices> = choices.collect();
    let sequence = |row: usize, action: usize, from: usize| {
        let ActionChoices { prefix, continuations } = choices[row];
        let ids = [&*rows[row].prompt, prefix, &continuations[action]].concat();
        let from = rows[row].prompt.len() + prefix.len() + from;
        Sequence { slot: slots[row], ids, from }
    };
    let first = |row: usize| {
        let mut sequence = sequence(row, 0, 0);
        sequence.ids.truncate(sequence.from + 1);
        sequence
    };
    let firsts: Vec<Sequence> = (0..rows.len()).map(first).collect();
    let wanted: Vec<[u32; 5]> = choices
        .iter()
        .map(|choices| std::array::from_fn(|action| choices.continuations[action][0]))
        .collect();
    let mut sums = cache.log_probs_of_last(&firsts, &wanted)?;
    for action in Action::ALL.map(Action::index) {
        let longer: Vec<usize> =
            (0..rows.len()).filter(|row| choices[*row].continuations[action].len() > 1).collect();
        let sequences: Vec<Sequence> = longer.iter().map(|row| sequence(*row, action, 1)).collect();
        for (row, log_probs) in longer.into_iter().zip(cache.log_probs(&sequences)?) {
            sums[row][action] += log_probs.into_iter().map(f64::from).sum::<f64>();
        }
    }
    Ok(sums)
}

fn losses<B: DecoderBackend>(
    cache: &mut HeldCache<'_, B>,
    rows: &[GroupRow],
    slots: &[usize],
) -> Result<Vec<Option<TargetLoss>>, LmEvaluateError> {
    let sequence = |(row, slot): (&GroupRow, &usize)| {
        let reference = row.reference.as_ref()?;
        let ids = [&*row.prompt, reference].concat();
        Some(Sequence { slot: *slot, ids, from: row.prompt.len() })
    };
    let sequences: Vec<Option<Sequence>> = rows.iter().zip(slots).map(sequence).collect();
    let wanted: Vec<Sequence> = sequences.iter().flatten().cloned().collect();
    let mut found = cache.log_probs(&wanted)?.into_iter();
    let loss = |sequence: Option<Sequence>| {
        let log_probs = sequence.and_then(|_| found.next())?;
        let sum = log_probs.iter().map(|value| -f64::from(*value)).sum();
        Some(TargetLoss { sum, tokens: log_probs.len() as u64 })
    };
    Ok(sequences.into_iter().map(loss).collect())
}
