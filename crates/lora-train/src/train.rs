use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use causal_lm::CausalLm;
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{Gradients, Parameters, PassOptions, TokenBatch, loss_and_gradients};
use collective::{Collective, CollectiveError};
use run_manifest::Run;
use tracing::warn;

use crate::checkpoint::{self, Found, TrainingState};
use crate::data::{Plan, TokenRows};
use crate::snapshot::{self, Snapshot};
use crate::solver::Solver;
use crate::{
    ActionFinder, EarlyStoppingOptions, EvaluationReport, Event, StepReport, TrainError,
    TrainOptions, TrainedPart, WatchedMetric, evaluate, seeds,
};

/// A model, its data, and where its checkpoints go.
pub struct Training<'a, B: DecoderBackend> {
    /// The model, with adapters or trained weights.
    pub model: &'a mut CausalLm<B>,
    /// What is trained, for the files.
    pub part: &'a TrainedPart,
    /// What it learns.
    pub rows: &'a TokenRows,
    /// What it is evaluated on.
    pub validation: Option<&'a TokenRows>,
    /// How.
    pub options: &'a TrainOptions,
    /// Finds actions in answers.
    pub finder: Option<&'a ActionFinder>,
    /// The processes of the run.
    pub collective: &'a mut Collective,
    /// Where checkpoints go.
    pub folder: &'a Path,
    /// Begins the manifest of a checkpoint.
    pub manifest: &'a dyn Fn() -> Run,
    /// Digests of what must not change between a checkpoint and the run that goes on from it.
    pub digests: Digests,
    /// The checkpoint to go on from.
    pub resume: Option<Found>,
    /// Set from outside to save and end after the present step.
    pub stop: &'a AtomicBool,
}

/// Digests of what must not change between a checkpoint and the run that goes on from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests {
    /// Of the settings that decide what is computed.
    pub config: String,
    /// Of the data.
    pub data: Option<String>,
    /// Of the base model.
    pub model: Option<String>,
}

/// What happens during a run, told to whoever runs it.
pub trait Observer<B: DecoderBackend> {
    /// Takes note of an event. Every process is told; one of them writes.
    fn event(&mut self, event: &Event);

    /// Bytes of the log of metrics that are on disk: they go into a checkpoint.
    fn metrics_bytes(&mut self) -> u64 {
        0
    }

    /// Writes sample answers of the model as it is after `step`.
    ///
    /// # Errors
    /// What ends the run.
    fn sample(
        &mut self,
        _step: u64,
        _model: &CausalLm<B>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Why.
    pub end: End,
    /// Where the run stands.
    pub state: TrainingState,
    /// The last evaluation.
    pub evaluation: Option<EvaluationReport>,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All steps are done.
    Finished,
    /// The watched metric stopped improving; the model is as it was at the best evaluation.
    Early,
    /// It was asked to; the last checkpoint is of its last step.
    Stopped,
}

/// Trains until all steps are done, and leaves the model as the last step made it.
///
/// The loss of a step is the sum over its micro-batches and processes divided by the weight of its targets, so that neither
/// accumulation nor the number of processes changes it. A step whose loss or gradient is not finite changes nothing.
///
/// # Errors
/// [`TrainError`]; checkpoints that were written stay.
pub fn train<B: DecoderBackend>(
    training: Training<'_, B>,
    observer: &mut dyn Observer<B>,
) -> Result<Outcome, TrainError> {
    Trainer::new(training)?.run(observer)
}

struct Trainer<'a, B: DecoderBackend> {
    training: Training<'a, B>,
    parameters: Parameters,
    solver: Solver<B>,
    plan: Plan,
    state: TrainingState,
    last_checkpoint: Option<std::path::PathBuf>,
    evaluation: Option<EvaluationReport>,
}

/// Sums of a step over its micro-batches and processes.
#[derive(Default)]
struct StepSums {
    loss: f64,
    tokens: f64,
    targets: f64,
    examples: f64,
    /// Processes that were asked to stop.
    stops: f64,
}

impl<'a, B: DecoderBackend> Trainer<'a, B> {
    fn new(training: Training<'a, B>) -> Result<Self, TrainError> {
        let options = training.options;
        let parameters = Parameters::of(training.model);
        if parameters.is_empty() {
            return Err(TrainError::NothingToTrain);
        }
        let plan = Plan::new(training.rows, options.plan)?;
        let world = training.collective.world_size() as u64;
        let (moments, state) = match &training.resume {
            None => {
                let Digests { config, data, model } = training.digests.clone();
                let state = TrainingState {
                    world_size: world,
                    seed: options.seed,
                    config_digest: config,
                    data_digest: data,
                    model_digest: model,
                    ..TrainingState::default()
                };
                (None, state)
            }
            Some(found) => {
                snapshot::check_same_run(found, world, &training.digests)?;
                let Snapshot { values, optimizer } = snapshot::read(found, &parameters)?;
                parameters.set_values(training.model, &values);
                (Some(optimizer), found.state.clone())
            }
        };
        let (config, dtype) = (options.optimizer, options.optimizer_state);
        let solver = Solver::new(training.model, &parameters, config, dtype, world, moments)?;
        Ok(Self {
            last_checkpoint: training.resume.as_ref().map(|found| found.path.clone()),
            evaluation: None,
            training,
            parameters,
            solver,
            plan,
            state,
        })
    }

    fn run(mut self, observer: &mut dyn Observer<B>) -> Result<Outcome, TrainError> {
        let options = self.training.options;
        let due = |every: Option<u64>, step: u64| {
            step == options.steps || every.is_some_and(|every| step.is_multiple_of(every.max(1)))
        };
        while self.state.step < options.steps {
            if self.stopped_early() {
                return self.end_early();
            }
            let stop = self.step(observer)?;
            let step = self.state.step;
            if due(options.eval_steps, step) {
                self.evaluate(observer)?;
            }
            if options.sample_steps.is_some_and(|every| step.is_multiple_of(every.max(1))) {
                observer.sample(step, self.training.model).map_err(TrainError::Sample)?;
            }
            let improved = options.early_stopping.is_some()
                && self.state.early_stopping.best_step == Some(step);
            if stop || improved || due(options.save_steps, step) {
                self.save(observer)?;
            }
            if stop && step < options.steps {
                return Ok(self.outcome(End::Stopped));
            }
        }
        match options.early_stopping {
            Some(_) => self.end_early(),
            None => Ok(self.outcome(End::Finished)),
        }
    }

    /// One step; whether a process was asked to stop.
    fn step(&mut self, observer: &mut dyn Observer<B>) -> Result<bool, TrainError> {
        let began = Instant::now();
        let Training { model, rows, options, collective, stop, .. } = &mut self.training;
        let (step, world) = (self.state.step, collective.world_size() as u64);
        let weight = self.plan.step_target_weight(rows, step);
        if weight <= 0.0 {
            return Err(TrainError::NoTargets { step: step + 1 });
        }
        let mut sums = StepSums::default();
        let mut gradients = Gradients::new(&self.parameters);
        let mut losses = Vec::new();
        for (index, chosen) in
            self.plan.micro_batches(step, collective.rank()).into_iter().enumerate()
        {
            let place = index as u64 * world + collective.rank() as u64;
            let batch = rows.micro_batch(&chosen);
            let pass = PassOptions {
                scale: (1.0 / weight) as f32,
                recompute: options.gradient_checkpointing,
                dropout: options.dropout,
                neftune_alpha: options.neftune_alpha,
                seed: seeds::derive(options.seed, "pass", &[step, place]),
            };
            let tokens =
                TokenBatch { ids: &batch.ids, spans: &batch.spans, targets: &batch.targets };
            losses.push(loss_and_gradients(
                model,
                &self.parameters,
                &tokens,
                &pass,
                &mut gradients,
            )?);
            sums.tokens += batch.ids.len() as f64;
            sums.targets += batch.targets.len() as f64;
            sums.examples += batch.examples() as f64;
        }
        // The device is waited for here, and nowhere else in a step.
        let mut gradient = self.solver.gather(gradients).map_err(|source| TrainError::Device {
            source,
            checkpoint: self.last_checkpoint.clone(),
        })?;
        for loss in losses {
            sums.loss += loss.read()?.weighted_sum;
        }
        sums.stops = f64::from(u8::from(stop.load(Ordering::Relaxed)));
        let mut flat = [sums.loss, sums.tokens, sums.targets, sums.examples, sums.stops];
        let gradient_reduced = match gradient.on_host() {
            Some(values) => collective.all_reduce_sum(values),
            None => Ok(()),
        };
        let reduced = gradient_reduced.and_then(|()| collective.all_reduce_sum_f64(&mut flat));
        reduced.map_err(|source| peer_lost(source, &self.last_checkpoint))?;
        let [loss, tokens, targets, examples, stops] = flat;
        let (loss, learning_rate) = (loss / weight, options.schedule.learning_rate(step));
        let grad_norm = gradient.norm();
        self.state.step += 1;
        self.state.epoch = self.state.step / self.plan.steps_per_epoch();
        self.state.samples += examples as u64;
        self.state.target_tokens += targets as u64;
        if loss.is_finite() && grad_norm.is_finite() {
            let greatest = options.max_grad_norm;
            self.solver.step(model, &self.parameters, gradient, greatest, learning_rate)?;
            self.state.skipped_in_a_row = 0;
            observer.event(&Event::Step(StepReport {
                step: self.state.step,
                epoch: self.plan.epochs_before(self.state.step),
                loss,
                grad_norm,
                learning_rate,
                tokens: tokens as u64,
                target_tokens: targets as u64,
                seconds: began.elapsed().as_secs_f64(),
                device_memory: B::device_memory(model.device()),
            }));
        } else {
            self.state.skipped_steps += 1;
            self.state.skipped_in_a_row += 1;
            let (step, in_a_row) = (self.state.step, self.state.skipped_in_a_row);
            observer.event(&Event::Skipped { step, loss, grad_norm });
            if in_a_row >= options.max_bad_steps {
                let checkpoint = self.last_checkpoint.clone();
                return Err(TrainError::NotFinite { step, in_a_row, loss, grad_norm, checkpoint });
            }
        }
        Ok(stops > 0.0)
    }

    fn evaluate(&mut self, observer: &mut dyn Observer<B>) -> Result<(), TrainError> {
        let Training { model, validation, options, collective, finder, .. } = &mut self.training;
        let Some(rows) = validation else { return Ok(()) };
        let (step, batch) = (self.state.step, options.plan.micro_batch);
        let report =
            evaluate(model, rows, *finder, batch, step, collective).map_err(
                |error| match error {
                    TrainError::Peer { source, .. } => peer_lost(source, &self.last_checkpoint),
                    other => other,
                },
            )?;
        observer.event(&Event::Evaluation(report.clone()));
        let (called, there): (Vec<_>, Vec<_>) = (
            report.actions.iter().filter(|action| action.predicted > 0).collect(),
            report.actions.iter().filter(|action| action.examples > 0).collect(),
        );
        if let ([only], true) = (called.as_slice(), there.len() > 1) {
            let (action, examples) = (only.action, only.predicted);
            observer.event(&Event::Collapsed { step, action, examples });
        }
        if let Some(early) = &options.early_stopping {
            note(&mut self.state, early, &report);
        }
        self.evaluation = Some(report);
        Ok(())
    }

    fn save(&mut self, observer: &mut dyn Observer<B>) -> Result<(), TrainError> {
        let step = self.state.step;
        let Training { model, collective, folder, manifest, part, options, .. } =
            &mut self.training;
        if collective.rank() == 0 {
            self.state.metrics_bytes = observer.metrics_bytes();
            let parameters = &self.parameters;
            let (values, moments) = (self.solver.values(model, parameters), self.solver.state());
            let path = checkpoint::write(folder, manifest(), &self.state, |to| {
                snapshot::write(to, part, parameters, &values, &moments)
            })?;
            observer.event(&Event::Saved { step, path: path.clone() });
            self.last_checkpoint = Some(path);
            let best: Vec<u64> = self.state.early_stopping.best_step.into_iter().collect();
            // A checkpoint too many is no reason to end a run.
            match checkpoint::prune(folder, options.keep_last, &best) {
                Ok(removed) if removed.is_empty() => {}
                Ok(removed) => observer.event(&Event::Removed(removed)),
                Err(error) => warn!("old checkpoints stay: {error}"),
            }
        } else {
            self.last_checkpoint = Some(folder.join(format!("checkpoint-{step}")));
        }
        collective.barrier().map_err(|source| peer_lost(source, &self.last_checkpoint))
    }

    fn stopped_early(&self) -> bool {
        self.training.options.early_stopping.is_some_and(|early| {
            self.state.early_stopping.without_improvement >= early.patience.max(1)
        })
    }

    /// Gives the model the values of its best evaluation.
    fn end_early(self) -> Result<Outcome, TrainError> {
        let end =
            if self.state.step < self.training.options.steps { End::Early } else { End::Finished };
        let best = self.state.early_stopping.best_step.filter(|best| *best != self.state.step);
        if let Some(best) = best {
            let path = self.training.folder.join(format!("checkpoint-{best}"));
            let state = checkpoint::verify(&path)?;
            let Snapshot { values, .. } = snapshot::read(&Found { path, state }, &self.parameters)?;
            self.parameters.set_values(self.training.model, &values);
        }
        Ok(self.outcome(end))
    }

    fn outcome(self, end: End) -> Outcome {
        Outcome { end, state: self.state, evaluation: self.evaluation }
    }
}

fn peer_lost(source: CollectiveError, checkpoint: &Option<std::path::PathBuf>) -> TrainError {
    TrainError::Peer { source, checkpoint: checkpoint.clone() }
}

/// Holds an evaluation against the best one before it.
fn note(state: &mut TrainingState, options: &EarlyStoppingOptions, report: &EvaluationReport) {
    // Lower is better.
    let value = match options.metric {
        WatchedMetric::Loss => report.loss,
        WatchedMetric::ActionAccuracy => match report.action_accuracy {
            Some(accuracy) => -accuracy,
            None => return,
        },
    };
    let early = &mut state.early_stopping;
    if early.best.is_none_or(|best| value < best - options.min_delta) {
        early.best = Some(value);
        early.best_step = Some(report.step);
        early.without_improvement = 0;
    } else {
        early.without_improvement += 1;
    }
}
