//! Distribution functions that tests need, accurate to 1e-13 relative also far out in the tails.
//!
//! statrs 0.19's normal distribution function is off by up to 1e-10 near −0.7, and its Student's t
//! by 1e-8 near 0 and for many degrees of freedom, so those two are here.

use std::f64::consts::{PI, SQRT_2};

use statrs::distribution::{ContinuousCDF, Normal};

/// The share of the standard normal distribution below `z`.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The point below which the share `share` of the standard normal distribution lies; infinite for
/// 0 and 1.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share.clamp(0.0, 1.0))
}

/// The share of the χ² distribution with one degree of freedom that is above `statistic`.
pub(crate) fn chi_squared_beyond_1(statistic: f64) -> f64 {
    libm::erfc((statistic / 2.0).sqrt())
}

/// The share of Student's t distribution that is further from 0 than `t`: a two-sided p-value.
///
/// It is the regularized incomplete beta function at `d/(d + t²)` with parameters `d/2` and 1/2.
/// Near 0 its complement is computed, at `t²/(d + t²)`, so that nothing cancels. Source: Abramowitz
/// and Stegun (1964), 26.7.1 and 26.5.2.
pub(crate) fn student_t_beyond(t: f64, degrees_of_freedom: f64) -> f64 {
    let (a, square) = (degrees_of_freedom / 2.0, t * t);
    if square.is_infinite() {
        return 0.0;
    }
    let outside = degrees_of_freedom / (degrees_of_freedom + square);
    let inside = square / (degrees_of_freedom + square);
    // outside^a·inside^(1/2)/B(a, 1/2), without the loss of ln Γ at large arguments
    let power = (-a * (square / degrees_of_freedom).ln_1p()).exp();
    let front = power * inside.sqrt() * gamma_ratio(a) / PI.sqrt();
    if square > 1.0 {
        front / beta_fraction(a, 0.5, outside, inside)
    } else {
        1.0 - front / beta_fraction(0.5, a, inside, outside)
    }
}

/// The share of Student's t distribution below `t`.
pub(crate) fn student_t_cdf(t: f64, degrees_of_freedom: f64) -> f64 {
    let beyond = student_t_beyond(t, degrees_of_freedom) / 2.0;
    if t > 0.0 { 1.0 - beyond } else { beyond }
}

/// `Γ(a + 1/2)/Γ(a)` by its asymptotic series, reached by recurrence for small `a`.
///
/// Source: Tricomi and Erdélyi (1951); the coefficients are those of DLMF 5.11.13.
fn gamma_ratio(a: f64) -> f64 {
    let (mut a, mut factor) = (a, 1.0);
    while a < 32.0 {
        factor *= a / (a + 0.5);
        a += 1.0;
    }
    let inverse = 1.0 / a;
    let coefficients = [
        1.0,
        -1.0 / 8.0,
        1.0 / 128.0,
        5.0 / 1024.0,
        -21.0 / 32_768.0,
        -399.0 / 262_144.0,
        869.0 / 4_194_304.0,
        39_325.0 / 33_554_432.0,
    ];
    let series =
        coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * inverse + coefficient);
    factor * a.sqrt() * series
}

/// The continued fraction by which `x^a·y^b/B(a, b)` is to be divided for the regularized
/// incomplete beta function at `x = 1 − y`; it converges fast for `x < a/(a + b)`.
///
/// Other than the usual one it keeps its digits for x next to 1, since it has y as well. Source:
/// DiDonato and Morris (1992), equation 9 (TOMS 708); evaluated by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    // a − (a + b)x, by that of x and y which is exact
    let offset = if x < y { a - (a + b) * x } else { (a + b) * y - b };
    let mut fraction = a * (offset + 1.0) / (a + 1.0);
    let (mut upper, mut lower) = (fraction, 0.0);
    for index in 1..10_000 {
        let n = f64::from(index);
        let odd = a + 2.0 * n - 1.0;
        let above = (a + n - 1.0) * (a + b + n - 1.0) * n * (b - n) * x * x / (odd * odd);
        let beside = n
            + n * (b - n) * x / odd
            + (a + n) * (offset + 1.0 + n * (1.0 + y)) / (a + 2.0 * n + 1.0);
        lower = 1.0 / (beside + above * lower);
        upper = beside + above / upper;
        fraction *= upper * lower;
        if (upper * lower - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Values of SciPy 1.17.1 (normal) and mpmath 1.3.0 (Student), which
    /// fixtures/metrics/returns/make.py wrote.
    fn reference(name: &str) -> Vec<Vec<f64>> {
        let text = include_str!("../../../../fixtures/metrics/returns/reference.json");
        let all: Value = serde_json::from_str(text).expect("reference.json");
        serde_json::from_value(all["distributions"][name].clone()).expect("rows of numbers")
    }

    fn close(found: f64, want: f64, at: &[f64]) {
        let error = (found - want).abs();
        assert!(error <= 2e-13 * want.abs(), "at {at:?}: {found:e}, not {want:e}");
    }

    #[test]
    fn as_other_programs_have_them() {
        for row in reference("normal_cdf") {
            close(normal_cdf(row[0]), row[1], &row);
        }
        for row in reference("normal_quantile") {
            close(normal_quantile(row[0]), row[1], &row);
        }
        for row in reference("student_t_beyond") {
            close(student_t_beyond(row[0], row[1]), row[2], &row);
        }
    }

    #[test]
    fn at_the_ends() {
        assert_eq!((normal_cdf(f64::INFINITY), normal_cdf(f64::NEG_INFINITY)), (1.0, 0.0));
        assert_eq!(
            (normal_quantile(0.0), normal_quantile(1.0)),
            (f64::NEG_INFINITY, f64::INFINITY)
        );
        assert_eq!((student_t_beyond(0.0, 7.0), student_t_beyond(1e200, 7.0)), (1.0, 0.0));
        assert_eq!((student_t_cdf(0.0, 7.0), student_t_cdf(f64::INFINITY, 7.0)), (0.5, 1.0));
        // One degree of freedom is the Cauchy distribution.
        close(student_t_cdf(1.0, 1.0), 0.75, &[1.0]);
    }
}
