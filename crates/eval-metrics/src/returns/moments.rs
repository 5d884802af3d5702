use crate::MetricError;

/// Mean and sample standard deviation (ddof 1) of at least two values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) count: f64,
    pub(crate) mean: f64,
    pub(crate) std: f64,
    /// The largest magnitude.
    scale: f64,
}

/// Means of powers of the distance from the mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CentralMoments {
    pub(crate) second: f64,
    pub(crate) third: f64,
    pub(crate) fourth: f64,
}

impl Spread {
    /// Two passes, the second of which also corrects the mean by what the first one rounded off.
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Result<Self, MetricError> {
        let (count, mean) = count_and_mean(values.clone());
        if count < 2.0 {
            return Err(MetricError::TooFew { needed: 2, got: count as usize });
        }
        let (mut squares, mut rest, mut scale) = (0.0, 0.0, 0.0_f64);
        for value in values {
            let distance = value - mean;
            squares += distance * distance;
            rest += distance;
            scale = scale.max(value.abs());
        }
        let variance = ((squares - rest * rest / count) / (count - 1.0)).max(0.0);
        Ok(Self { count, mean: mean + rest / count, std: variance.sqrt(), scale })
    }

    /// Whether the values differ by no more than rounding.
    ///
    /// A return is a quotient of two prices minus 1, and so carries rounding of one part in 2⁵³
    /// of 1, however small it is itself: a price that grows by exactly 1 % a day has a standard
    /// deviation of 1e-16, not of 0.
    pub(crate) fn is_flat(&self) -> bool {
        self.std <= 16.0 * f64::EPSILON * self.scale.max(1.0)
    }

    /// Itself, unless the values are all the same.
    pub(crate) fn varying(self, reason: &'static str) -> Result<Self, MetricError> {
        if self.is_flat() { Err(MetricError::Undefined { reason }) } else { Ok(self) }
    }
}

impl CentralMoments {
    /// The moments of values that vary.
    pub(crate) fn of(values: &[f64], reason: &'static str) -> Result<Self, MetricError> {
        let Spread { count, mean, .. } = Spread::of(values.iter().copied())?.varying(reason)?;
        let (mut second, mut third, mut fourth) = (0.0, 0.0, 0.0);
        for value in values {
            let distance = value - mean;
            let square = distance * distance;
            second += square;
            third += square * distance;
            fourth += square * square;
        }
        Ok(Self { second: second / count, third: third / count, fourth: fourth / count })
    }
}

/// The mean of at least one value; NaN of none.
pub(crate) fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (count, mean) = count_and_mean(values.clone());
    mean + values.map(|value| value - mean).sum::<f64>() / count
}

fn count_and_mean(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count as f64, sum / count as f64)
}
