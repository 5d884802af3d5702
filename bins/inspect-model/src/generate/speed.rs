use std::fmt;
use std::time::Duration;

use causal_lm::generate::StepSize;

/// How quickly steps ran.
#[derive(Debug, Default)]
pub(super) struct Speed {
    prefilled: usize,
    reused: usize,
    prefill: Duration,
    decoded: usize,
    decode: Duration,
}

impl Speed {
    /// Adds a step; one that has tokens of a prompt counts as prefill.
    pub(super) fn add(&mut self, size: StepSize, took: Duration) {
        let StepSize { prefilled, reused, decoded } = size;
        self.prefilled += prefilled;
        self.reused += reused;
        if prefilled > 0 {
            self.prefill += took;
        } else {
            self.decoded += decoded;
            self.decode += took;
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefilled, reused, prefill, decoded, decode } = *self;
        write!(f, "prefill {prefilled} tokens{}", rate(prefilled, prefill))?;
        if reused > 0 {
            write!(f, " and {reused} from the cache")?;
        }
        write!(f, "; decode {decoded} tokens{}", rate(decoded, decode))
    }
}

fn rate(tokens: usize, took: Duration) -> String {
    match took.is_zero() {
        true => String::new(),
        false => format!(" ({:.1} tokens/s)", tokens as f64 / took.as_secs_f64()),
    }
}
