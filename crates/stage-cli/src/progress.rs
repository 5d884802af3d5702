use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What a progress bar counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, shown as KiB, MiB, …
    Bytes,
    /// Rows, records, steps.
    Items,
}

/// The bars of a stage; silent where standard error is no terminal.
#[derive(Debug, Clone)]
pub(crate) struct Bars(MultiProgress);

impl Bars {
    pub(crate) fn new(quiet: bool) -> Self {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        Self(MultiProgress::with_draw_target(target))
    }

    pub(crate) fn add(&self, what: &str, total: u64, unit: Unit) -> ProgressBar {
        let counts = match unit {
            Unit::Bytes => "{bytes:>10}/{total_bytes:10} {binary_bytes_per_sec:>12}",
            Unit::Items => "{human_pos:>10}/{human_len:10} {per_sec:>12}",
        };
        let template = format!("{{msg:14}} {{bar:32}} {counts} {{eta:>4}} left");
        let style = ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸ ");
        let bar = self.0.add(ProgressBar::new(total));
        bar.set_style(style);
        bar.set_message(what.to_owned());
        bar
    }

    /// Runs `print` while no bar is drawn, so that lines and bars do not mix.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}
