use std::collections::BTreeMap;
use std::time::Instant;

use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{TokenBatch, batch_loss};
use collective::Collective;
use thesis_core::Action;

use crate::data::{MicroBatch, TokenRows};
use crate::{ActionFinder, ActionReport, EvaluationReport, TrainError};

/// Numbers that are summed over processes for each action: examples, their loss, their target tokens, examples whose
/// action was found, those of them that were right.
const OF_ACTION: usize = 5;
const ACTIONS: usize = Action::ALL.len();

/// Loss and actions of all rows, each once, `batch` rows at a time, divided among the processes.
///
/// Predictions are the likeliest token at each place, given the true ones before it. What an action's tokens are is
/// learned from the rows themselves; where a prediction begins like several actions, it counts for the true one if that
/// is among them.
///
/// # Errors
/// [`TrainError::Batch`] and [`TrainError::Peer`].
pub fn evaluate<B: DecoderBackend>(
    model: &CausalLm<B>,
    rows: &TokenRows,
    finder: Option<&ActionFinder>,
    batch: usize,
    step: u64,
    collective: &mut Collective,
) -> Result<EvaluationReport, TrainError> {
    let began = Instant::now();
    let names = finder.map(|finder| action_tokens(rows, finder)).unwrap_or_default();
    let (rank, world) = (collective.rank(), collective.world_size());
    let mut sums = Sums::default();
    let all: Vec<usize> = (0..rows.rows()).collect();
    for chunk in all.chunks(batch.max(1)).skip(rank).step_by(world) {
        let batch = rows.micro_batch(chunk);
        let tokens = TokenBatch { ids: &batch.ids, spans: &batch.spans, targets: &batch.targets };
        let found = batch_loss(model, &tokens)?;
        sums.add(&batch, &found.losses, &found.predicted, finder, &names);
    }
    let mut flat = sums.flat();
    collective
        .all_reduce_sum_f64(&mut flat)
        .map_err(|source| TrainError::Peer { source, checkpoint: None })?;
    Ok(report(&flat, step, began.elapsed().as_secs_f64()))
}

/// The tokens of each action, as some row has them.
fn action_tokens(rows: &TokenRows, finder: &ActionFinder) -> BTreeMap<Action, Vec<u32>> {
    let mut names = BTreeMap::new();
    for example in 0..rows.examples() {
        let Some(action) = rows.action(example) else { continue };
        if names.contains_key(&action) {
            continue;
        }
        let (ids, first_target) = rows.ids_of(example);
        let answer = &ids[first_target..];
        if let Some(at) = finder.find(answer, action) {
            names.insert(action, answer[at].to_vec());
        }
        if names.len() == ACTIONS {
            break;
        }
    }
    names
}

#[derive(Default)]
struct Sums {
    loss: f64,
    targets: f64,
    right: f64,
    examples: f64,
    of_action: [[f64; OF_ACTION]; ACTIONS],
    predicted: [f64; ACTIONS],
}

impl Sums {
    fn add(
        &mut self,
        batch: &MicroBatch,
        losses: &[f32],
        predicted: &[u32],
        finder: Option<&ActionFinder>,
        names: &BTreeMap<Action, Vec<u32>>,
    ) {
        for (targets, action) in batch.targets_of.iter().zip(&batch.actions) {
            let wanted: Vec<u32> =
                batch.targets[targets.clone()].iter().map(|target| target.id).collect();
            let got = &predicted[targets.clone()];
            let loss: f64 = losses[targets.clone()].iter().map(|&loss| f64::from(loss)).sum();
            self.loss += loss;
            self.targets += wanted.len() as f64;
            self.right += wanted.iter().zip(got).filter(|(a, b)| a == b).count() as f64;
            self.examples += 1.0;
            let Some(action) = *action else { continue };
            let sums = &mut self.of_action[action.index()];
            sums[0] += 1.0;
            sums[1] += loss;
            sums[2] += wanted.len() as f64;
            if let Some(at) = finder.and_then(|finder| finder.find(&wanted, action)) {
                sums[3] += 1.0;
                let right = wanted[at.clone()] == got[at.clone()];
                sums[4] += f64::from(u8::from(right));
                let called = if right { Some(action) } else { nearest(&got[at], names) };
                if let Some(called) = called {
                    self.predicted[called.index()] += 1.0;
                }
            }
        }
    }

    fn flat(&self) -> Vec<f64> {
        let mut flat = vec![self.loss, self.targets, self.right, self.examples];
        flat.extend(self.of_action.as_flattened());
        flat.extend(self.predicted);
        flat
    }
}

/// The action whose tokens begin most like these; none where not even the first is the same.
fn nearest(got: &[u32], names: &BTreeMap<Action, Vec<u32>>) -> Option<Action> {
    let common = |name: &[u32]| name.iter().zip(got).take_while(|(a, b)| a == b).count();
    let near = names.iter().map(|(action, name)| (common(name), *action));
    near.filter(|(common, _)| *common > 0).max_by_key(|(common, _)| *common).map(|near| near.1)
}

fn report(flat: &[f64], step: u64, seconds: f64) -> EvaluationReport {
    let (all, rest) = flat.split_at(4);
    let (of_action, predicted) = rest.split_at(OF_ACTION * ACTIONS);
    let mean = |sum: f64, count: f64| (count > 0.0).then(|| sum / count);
    let actions = Action::ALL.into_iter().map(|action| {
        let sums = &of_action[action.index() * OF_ACTION..][..OF_ACTION];
        ActionReport {
            action,
            examples: sums[0] as u64,
            loss: mean(sums[1], sums[2]),
            accuracy: mean(sums[4], sums[3]),
            predicted: predicted[action.index()] as u64,
        }
    });
    let sum = |index: usize| of_action.chunks_exact(OF_ACTION).map(|sums| sums[index]).sum();
    EvaluationReport {
        step,
        loss: all[0] / all[1],
        token_accuracy: all[2] / all[1],
        action_accuracy: mean(sum(4), sum(3)),
        actions: actions.collect(),
        target_tokens: all[1] as u64,
        examples: all[3] as u64,
        seconds,
    }
}
