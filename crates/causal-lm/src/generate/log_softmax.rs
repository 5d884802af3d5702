use super::exponential::exp;

/// Values that are added up in f32 before they go into an f64.
const CHUNK: usize = 1024;
/// Sums that run beside each other.
const LANES: usize = 16;

/// The logarithm of the sum of exponentials: `log_softmax(x) = x - log_sum`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normalizer {
    log_sum: f64,
}

impl Normalizer {
    /// Looks at all logits once for the greatest and once for the sum.
    ///
    /// # Errors
    /// What makes them no distribution.
    pub(super) fn of(logits: &[f32]) -> Result<Self, &'static str> {
        let max = greatest(logits);
        if max == f32::INFINITY {
            return Err("a logit is infinite");
        }
        if max == f32::NEG_INFINITY {
            let nan = logits.iter().any(|x| x.is_nan());
            return Err(if nan { "a logit is NaN" } else { "no logit is above negative infinity" });
        }
        let sum = sum_of(logits, |x| exp(x - max));
        if sum.is_nan() {
            return Err("a logit is NaN");
        }
        Ok(Self { log_sum: f64::from(max) + sum.ln() })
    }

    /// The log-probability of a token with this logit.
    pub(super) fn log_prob(&self, logit: f32) -> f32 {
        (f64::from(logit) - self.log_sum) as f32
    }
}

/// The greatest value; NaN is passed over, and of no values it is negative infinity.
pub(super) fn greatest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, value);
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger)
}

/// The sum of `term` over the values, always in the same order.
pub(super) fn sum_of(values: &[f32], term: impl Fn(f32) -> f32) -> f64 {
    let mut total = 0.0f64;
    for part in values.chunks(CHUNK) {
        let (chunks, rest) = part.as_chunks::<LANES>();
        let mut lanes = [0.0f32; LANES];
        for chunk in chunks {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                *lane += term(value);
            }
        }
        total += lanes.into_iter().map(f64::from).sum::<f64>();
        total += rest.iter().map(|&value| f64::from(term(value))).sum::<f64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_definition_has_it() {
        for len in [1, 2, 15, 16, 17, 1023, 1025, 5000] {
            let logits: Vec<f32> = (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 3.0).collect();
            let sum: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
            let normalizer = Normalizer::of(&logits).unwrap();
            assert_eq!(greatest(&logits), logits.iter().copied().fold(f32::MIN, f32::max));
            let want = f64::from(logits[0]) - sum.ln();
            assert!((f64::from(normalizer.log_prob(logits[0])) - want).abs() < 2e-6, "{len}");
        }
    }

    #[test]
    fn what_is_no_distribution() {
        let check = |at: usize, value: f32, want: &str| {
            let mut logits = vec![0.5; 40];
            logits[at] = value;
            assert_eq!(Normalizer::of(&logits).unwrap_err(), want);
        };
        for at in [0, 17, 39] {
            check(at, f32::NAN, "a logit is NaN");
            check(at, f32::INFINITY, "a logit is infinite");
        }
        let none = "no logit is above negative infinity";
        assert_eq!(Normalizer::of(&[f32::NEG_INFINITY; 3]).unwrap_err(), none);
        assert_eq!(Normalizer::of(&[]).unwrap_err(), none);
        assert_eq!(Normalizer::of(&[f32::NAN; 3]).unwrap_err(), "a logit is NaN");
        let one = Normalizer::of(&[f32::NEG_INFINITY, 2.0]).unwrap();
        assert_eq!(one.log_prob(2.0), 0.0);
        assert_eq!(one.log_prob(f32::NEG_INFINITY), f32::NEG_INFINITY);
    }
}
