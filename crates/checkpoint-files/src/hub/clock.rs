use std::fmt::Debug;
use std::thread;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

/// The time, and the passing of it; tests have their own.
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;

    /// Lets this thread wait.
    fn sleep(&self, time: Duration);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        SystemTime::now().into()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}
