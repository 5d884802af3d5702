use crate::MetricError;
use crate::returns::checks::{check_parameter, check_values};

/// Count, mean and sum of squared distances from it, of values that are put together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunningSpread {
    count: f64,
    pub(crate) mean: f64,
    squares: f64,
}

impl RunningSpread {
    /// One value more. Source: Welford (1962).
    fn with(self, value: f64) -> Self {
        let count = self.count + 1.0;
        let distance = value - self.mean;
        let mean = self.mean + distance / count;
        Self { count, mean, squares: self.squares + distance * (value - mean) }
    }

    /// Both together. Source: Chan, Golub and LeVeque (1983).
    fn merge(self, other: Self) -> Self {
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let distance = other.mean - self.mean;
        let share = other.count / count;
        let squares = self.squares + other.squares + distance * distance * self.count * share;
        Self { count, mean: self.mean + distance * share, squares }
    }

    /// Sample standard deviation (ddof 1).
    pub(crate) fn std(&self) -> f64 {
        (self.squares / (self.count - 1.0)).sqrt()
    }
}

/// The spread of each window of `window` values in turn: `n − window + 1` of them.
///
/// O(n), and nothing is ever taken away again, so that an outlier leaves no rounding behind when
/// the window has passed it: the series is cut into blocks as long as the window, and a window is
/// the end of one block and the beginning of the next.
pub(crate) fn sliding_spread(
    values: &[f64],
    window: usize,
) -> Result<Vec<RunningSpread>, MetricError> {
    check_parameter("the window", window as f64, "2 and above", window >= 2)?;
    check_values(values, window)?;
    let mut found = Vec::with_capacity(values.len() - window + 1);
    let mut ends = vec![RunningSpread::default(); window];
    let mut blocks = values.chunks(window).peekable();
    while let Some(block) = blocks.next() {
        if block.len() < window {
            break;
        }
        let mut end = RunningSpread::default();
        for (slot, &value) in ends.iter_mut().zip(block).rev() {
            end = end.with(value);
            *slot = end;
        }
        found.push(ends[0]);
        let mut beginning = RunningSpread::default();
        // The window that is the whole next block comes with that block.
        let next = blocks.peek().copied().unwrap_or_default();
        for (end, &value) in ends[1..].iter().zip(next) {
            beginning = beginning.with(value);
            found.push(end.merge(beginning));
        }
    }
    Ok(found)
}
