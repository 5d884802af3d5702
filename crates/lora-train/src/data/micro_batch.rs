use std::ops::Range;

use causal_lm::train::Target;
use cpu_kernels::decoder::Span;
use thesis_core::Action;

use super::TokenRows;
use super::token_rows::TARGET;

/// Rows as a flat batch without padding.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MicroBatch {
    /// Token ids of all examples, one after another.
    pub ids: Vec<u32>,
    /// Where each example is; positions begin at 0, and the slot is the example's index in the batch.
    pub spans: Vec<Span>,
    /// What is to be predicted, ascending by row.
    pub targets: Vec<Target>,
    /// Which of the targets are of each example.
    pub targets_of: Vec<Range<usize>>,
    /// The action of each example, where it is known.
    pub actions: Vec<Option<Action>>,
}

impl MicroBatch {
    /// Examples in the batch.
    pub fn examples(&self) -> usize {
        self.spans.len()
    }

    /// The sum of the weights of its targets.
    pub fn target_weight(&self) -> f64 {
        self.targets.iter().map(|target| f64::from(target.weight)).sum()
    }
}

impl TokenRows {
    /// The batch of some rows, in their order. Rows are below [`TokenRows::rows`].
    pub fn micro_batch(&self, rows: &[usize]) -> MicroBatch {
        let mut batch = MicroBatch::default();
        for example in rows.iter().flat_map(|&row| self.examples_of(row)) {
            let stored = &self.examples[example];
            let (start, len) = (batch.ids.len(), stored.tokens.len());
            let first_target = batch.targets.len();
            for (offset, &token) in stored.tokens.iter().enumerate() {
                let id = token & !TARGET;
                batch.ids.push(id);
                if token & TARGET != 0 {
                    let row = start + offset - 1;
                    batch.targets.push(Target { row, id, weight: stored.weight });
                }
            }
            batch.spans.push(Span { start, len, position: 0, slot: batch.spans.len() });
            batch.targets_of.push(first_target..batch.targets.len());
            batch.actions.push(stored.action);
        }
        batch
    }
}
