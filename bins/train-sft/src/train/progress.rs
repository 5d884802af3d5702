use indicatif::{ProgressBar, ProgressStyle};
use lora_train::StepReport;
use stage_cli::{Stage, Unit};

use super::process_memory::{mebibytes, process_memory};

/// How a run goes, on the console: a bar with the figures of the last step.
pub(super) struct Progress {
    bar: ProgressBar,
    /// Steps between lines.
    every: u64,
}

impl Progress {
    pub(super) fn new(stage: &Stage, steps: u64, done: u64, every: u64) -> Self {
        let bar = stage.progress("train", steps, Unit::Items);
        let style =
            ProgressStyle::with_template("{bar:16} {human_pos}/{human_len} {msg} {eta} left");
        if let Ok(style) = style {
            bar.set_style(style.progress_chars("━╸ "));
        }
        // What an earlier run did takes this one no time.
        bar.set_position(done);
        bar.reset_eta();
        bar.set_message("");
        Self { bar, every }
    }

    pub(super) fn step(&self, report: &StepReport) {
        let StepReport { step, loss, grad_norm, learning_rate, .. } = report;
        // The device's own memory is the one that runs out.
        let memory = report.device_memory.map(mebibytes).or_else(|| Some(process_memory()?.0));
        let memory = memory.map(|mib| format!(" {mib:.0} MiB")).unwrap_or_default();
        let figures = format!(
            "loss {loss:.4} norm {grad_norm:.3} rate {learning_rate:.2e} {:.0} tok/s{memory}",
            tokens_per_second(report)
        );
        if step.is_multiple_of(self.every) {
            tracing::info!("step {step}: {figures}");
        }
        self.bar.set_message(figures);
        self.bar.set_position(*step);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

pub(super) fn tokens_per_second(report: &StepReport) -> f64 {
    if report.seconds > 0.0 { report.tokens as f64 / report.seconds } else { 0.0 }
}
