use thesis_core::Action;

use super::epoch_order::{balanced, shuffled};
use super::{DataError, TokenRows};

/// How steps are made of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOptions {
    /// What the order follows from.
    pub seed: u64,
    /// Another order each epoch; without it, that of the files.
    pub shuffle: bool,
    /// Rows are drawn with replacement, so that every action is as likely; an epoch keeps its length.
    pub balanced: bool,
    /// Rows of a micro-batch.
    pub micro_batch: usize,
    /// Micro-batches of a process in a step.
    pub accumulation: usize,
    /// Processes.
    pub world: usize,
}

/// Which rows a step takes.
///
/// The order of an epoch's rows follows from seed and epoch alone. A step takes the next
/// `accumulation · world · micro_batch` of them, the last one of an epoch what is left; so the rows of a step are the
/// same however that product is made up. Steps count from 0 and never begin anew: a step's number is all that a run
/// needs to go on.
#[derive(Debug, Clone)]
pub struct Plan {
    options: PlanOptions,
    rows: usize,
    /// The rows of each class that is there; empty where sampling is not balanced.
    classes: Vec<Vec<u32>>,
    /// The epoch whose order is at hand, and the order.
    order: Option<(u64, Vec<u32>)>,
}

impl Plan {
    /// A plan over all rows.
    ///
    /// # Errors
    /// [`DataError::Zero`]; with balanced sampling [`DataError::NoAction`] and [`DataError::PackedSampling`].
    pub fn new(rows: &TokenRows, options: PlanOptions) -> Result<Self, DataError> {
        let PlanOptions { micro_batch, accumulation, world, .. } = options;
        for (what, number) in
            [("micro_batch", micro_batch), ("accumulation", accumulation), ("world", world)]
        {
            if number == 0 {
                return Err(DataError::Zero { what });
            }
        }
        let classes = if options.balanced { classes(rows)? } else { Vec::new() };
        Ok(Self { options, rows: rows.rows(), classes, order: None })
    }

    /// Rows of a step that is not the last of its epoch.
    pub fn step_size(&self) -> usize {
        let PlanOptions { micro_batch, accumulation, world, .. } = self.options;
        micro_batch.saturating_mul(accumulation).saturating_mul(world)
    }

    /// Steps until every row was seen once.
    pub fn steps_per_epoch(&self) -> u64 {
        self.rows.div_ceil(self.step_size()) as u64
    }

    /// Steps of a run: of so many epochs, a part of one rounded up, but no more than `max_steps`.
    ///
    /// Without epochs there are `max_steps`, through as many epochs as that takes; with neither there are none.
    pub fn total_steps(&self, epochs: Option<f64>, max_steps: Option<u64>) -> u64 {
        let of_epochs = epochs.map(|epochs| (epochs * self.steps_per_epoch() as f64).ceil() as u64);
        match (of_epochs, max_steps) {
            (Some(of_epochs), Some(max_steps)) => of_epochs.min(max_steps),
            (Some(steps), None) | (None, Some(steps)) => steps,
            (None, None) => 0,
        }
    }

    /// How many epochs are over before a step.
    pub fn epochs_before(&self, step: u64) -> f64 {
        let of_epoch = self.steps_per_epoch();
        let seen = (step % of_epoch) as f64 * self.step_size() as f64;
        (step / of_epoch) as f64 + seen / self.rows as f64
    }

    /// The rows of a step, those of all processes, in the epoch's order.
    pub fn step_rows(&mut self, step: u64) -> Vec<usize> {
        let of_epoch = self.steps_per_epoch();
        let (epoch, step) = (step / of_epoch, (step % of_epoch) as usize);
        let size = self.step_size();
        let start = step.saturating_mul(size).min(self.rows);
        let end = start.saturating_add(size).min(self.rows);
        if !self.options.shuffle && !self.options.balanced {
            return (start..end).collect();
        }
        self.order_of(epoch)[start..end].iter().map(|&row| row as usize).collect()
    }

    /// The micro-batches of a process in a step, by their rows; fewer or none at the end of an epoch.
    ///
    /// They are dealt in turn, so that what is left at the end of an epoch is spread over all processes.
    pub fn micro_batches(&mut self, step: u64, rank: usize) -> Vec<Vec<usize>> {
        let PlanOptions { micro_batch, world, .. } = self.options;
        let rows = self.step_rows(step);
        rows.chunks(micro_batch).skip(rank).step_by(world).map(<[usize]>::to_vec).collect()
    }

    /// The sum of the weights of all targets of a step, those of all processes: what its losses are divided by.
    pub fn step_target_weight(&mut self, rows: &TokenRows, step: u64) -> f64 {
        rows.target_weight(&self.step_rows(step))
    }

    fn order_of(&mut self, epoch: u64) -> &[u32] {
        let PlanOptions { seed, balanced: by_class, .. } = self.options;
        let at_hand = self.order.take().filter(|(of, _)| *of == epoch);
        let (rows, classes) = (self.rows, &self.classes);
        let (_, order) = self.order.insert(at_hand.unwrap_or_else(|| match by_class {
            true => (epoch, balanced(classes, seed, epoch)),
            false => (epoch, shuffled(rows, seed, epoch)),
        }));
        order
    }
}

/// The rows of each action that is there.
fn classes(rows: &TokenRows) -> Result<Vec<Vec<u32>>, DataError> {
    if let Some(example) = rows.first_without_action() {
        return Err(rows.no_action(example, "balanced sampling"));
    }
    if rows.rows() != rows.examples() {
        let (path, split) = (rows.path().to_owned(), rows.split().to_owned());
        return Err(DataError::PackedSampling { path, split });
    }
    let mut classes = vec![Vec::new(); Action::ALL.len()];
    for example in 0..rows.examples() {
        if let Some(action) = rows.action(example) {
            classes[action.index()].push(example as u32);
        }
    }
    classes.retain(|class| !class.is_empty());
    Ok(classes)
}
