use serde::{Deserialize, Serialize};

use super::GenerateError;

/// How a token is chosen, unchecked; [`Sampling::new`] checks it. The default is greedy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplingOptions {
    /// What logits are divided by; 0 takes the most likely token and looks at none of the filters.
    pub temperature: f32,
    /// Only the `k` most likely tokens, and those as likely as the last of them.
    pub top_k: Option<usize>,
    /// Only the fewest most likely tokens that have at least this probability together.
    pub top_p: Option<f32>,
    /// Only tokens that have at least this share of the greatest probability.
    pub min_p: Option<f32>,
    /// Logits of tokens that prompt or answer have already are divided by it where positive, else multiplied.
    pub repetition_penalty: Option<f32>,
}

/// How a token is chosen: definitions and order are those of transformers' logits processors, so penalty, constraint,
/// temperature, top-k, top-p, min-p.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sampling(SamplingOptions);

impl Sampling {
    /// The most likely token each time.
    pub const fn greedy() -> Self {
        Self(SamplingOptions {
            temperature: 0.0,
            top_k: None,
            top_p: None,
            min_p: None,
            repetition_penalty: None,
        })
    }

    /// Checks the options.
    ///
    /// # Errors
    /// [`GenerateError::Setting`] for a temperature below 0, `top_k` of 0, `top_p` and `min_p` outside of 0 to 1, a
    /// penalty that is not above 0, and anything that is no finite number.
    pub fn new(options: SamplingOptions) -> Result<Self, GenerateError> {
        let SamplingOptions { temperature, top_k, top_p, min_p, repetition_penalty } = options;
        let share = |value: f32| (0.0..=1.0).contains(&value);
        check("temperature", Some(temperature), "a number not below 0", |value| {
            value.is_finite() && value >= 0.0
        })?;
        check("top_k", top_k.map(|k| k as f32), "1 or more", |value| value >= 1.0)?;
        check("top_p", top_p, "above 0, and 1 at most", |value| share(value) && value > 0.0)?;
        check("min_p", min_p, "from 0 to 1", share)?;
        check("repetition_penalty", repetition_penalty, "a number above 0", |value| {
            value.is_finite() && value > 0.0
        })?;
        Ok(Self(options))
    }

    /// The options that were checked.
    pub fn options(&self) -> SamplingOptions {
        self.0
    }

    pub(super) fn is_greedy(&self) -> bool {
        self.0.temperature == 0.0
    }
}

fn check(
    name: &'static str,
    value: Option<f32>,
    expected: &'static str,
    fits: impl Fn(f32) -> bool,
) -> Result<(), GenerateError> {
    match value {
        Some(value) if !fits(value) => {
            Err(GenerateError::Setting { name, value: f64::from(value), expected })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let check = |options: SamplingOptions, want: Result<(), &str>| {
            let got = Sampling::new(options).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(got, want.map_err(str::to_owned), "{options:?}");
        };
        let with = |temperature, top_k, top_p, min_p, repetition_penalty| SamplingOptions {
            temperature,
            top_k,
            top_p,
            min_p,
            repetition_penalty,
        };
        check(SamplingOptions::default(), Ok(()));
        check(with(0.7, Some(50), Some(1.0), Some(0.0), Some(1.1)), Ok(()));
        check(
            with(-1.0, None, None, None, None),
            Err("temperature is -1, but must be a number not below 0"),
        );
        check(
            with(f32::NAN, None, None, None, None),
            Err("temperature is NaN, but must be a number not below 0"),
        );
        check(with(1.0, Some(0), None, None, None), Err("top_k is 0, but must be 1 or more"));
        check(
            with(1.0, None, Some(0.0), None, None),
            Err("top_p is 0, but must be above 0, and 1 at most"),
        );
        check(with(1.0, None, None, Some(2.0), None), Err("min_p is 2, but must be from 0 to 1"));
        check(
            with(1.0, None, None, None, Some(0.0)),
            Err("repetition_penalty is 0, but must be a number above 0"),
        );
    }
}
