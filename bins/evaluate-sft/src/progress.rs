use std::cell::Cell;
use std::time::{Duration, Instant};

/// Where time went, by what was done.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    pub(crate) loading: Cell<Duration>,
    pub(crate) answering: Cell<Duration>,
    pub(crate) embedding: Cell<Duration>,
}

impl Clock {
    /// Does the work, and adds how long it took.
    pub(crate) fn time<T>(part: &Cell<Duration>, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        part.set(part.get() + began.elapsed());
        done
    }

    /// A line for the log.
    pub(crate) fn line(&self) -> String {
        let seconds = |part: &Cell<Duration>| part.get().as_secs_f64();
        format!(
            "loading {:.1} s, answers with actions and losses {:.1} s, embeddings {:.1} s",
            seconds(&self.loading),
            seconds(&self.answering),
            seconds(&self.embedding)
        )
    }
}
