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

/// The share of Student's t distribution that is further from 0 than `t`: a two-sided p-value.
///
/// It is the regularized incomplete beta function at `d/(d + t²)` with parameters `d/2` and 1/2.
/// Near 0 its complement is computed, at `t²/(d + t²)`, so that nothing cancels. Source: Abramowitz
/// and Stegun (1964), 26.7.1 and 26.5.2; DLMF 8.17.22.
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
    if outside < (a + 1.0) / (a + 2.5) {
        front * beta_fraction(a, 0.5, outside) / a
    } else {
        1.0 - front * beta_fraction(0.5, a, inside) / 0.5
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

/// The continued fraction of the incomplete beta function, by Lentz's method; it converges fast
/// for `x < (a + 1)/(a + b + 2)`.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut upper = 1.0;
    let mut lower = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = lower;
    for index in 1..100_000 {
        let m = f64::from(index);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            lower = 1.0 / away_from_zero(1.0 + term * lower);
            upper = away_from_zero(1.0 + term / upper);
            change = lower * upper;
            fraction *= change;
        }
        if (change - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, want: f64) {
        assert!((found / want - 1.0).abs() < 1e-13, "{found:e}, not {want:e}");
    }
}
