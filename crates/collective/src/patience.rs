use std::time::Duration;

/// How long a rank waits for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A peer that has not been heard of for so long is lost. At least 1 s; heartbeats are sent 16 times in it, at most 1 s apart.
    pub silence: Duration,
    /// A peer that lives, but does not come to an operation for so long, is stuck. The slowest thing that one rank does
    /// while the others wait has to fit: a step, a checkpoint on a slow disk.
    pub stall: Duration,
}

impl Default for Patience {
    /// 45 s, so that a lost peer ends the run within a minute, and half an hour.
    fn default() -> Self {
        Self { silence: Duration::from_secs(45), stall: Duration::from_secs(30 * 60) }
    }
}

#[cfg(feature = "mpi")]
impl Patience {
    pub(crate) fn silence(&self) -> Duration {
        self.silence.max(Duration::from_secs(1))
    }

    pub(crate) fn between_beats(&self) -> Duration {
        (self.silence() / 16).min(Duration::from_secs(1))
    }
}
