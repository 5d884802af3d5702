use std::f64::consts::PI;

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

/// A coefficient of correlation and how likely one as far from 0 is by chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// −1 to 1.
    pub coefficient: f64,
    /// Two-sided, 0 to 1, for independent pairs. Two pairs say nothing and have 1.
    pub p_value: f64,
}

/// The two-sided p-value of a product-moment coefficient of `pairs` independent pairs: of
/// t = r · √((n − 2) / (1 − r²)) under Student's t with n − 2 degrees of freedom.
///
/// It is the regularized incomplete beta function I(1 − r²; (n − 2) / 2, ½), by the continued
/// fraction of DLMF 8.17.22. Library functions take 1 − r² only, which has lost the digits of a
/// small r, and the difference of two logarithms of Γ, which loses those of a large n.
pub(super) fn student_p_value(coefficient: f64, pairs: usize) -> f64 {
    if pairs < 3 {
        return 1.0;
    }
    let a = (pairs - 2) as f64 / 2.0;
    let explained = (coefficient * coefficient).min(1.0);
    let unexplained = ((1.0 - coefficient.abs()) * (1.0 + coefficient.abs())).max(0.0);
    if unexplained == 0.0 {
        return 0.0;
    }
    if explained == 0.0 {
        return 1.0;
    }
    let log_unexplained = if explained < 0.5 { (-explained).ln_1p() } else { unexplained.ln() };
    let front =
        (ln_gamma_step(a) - 0.5 * PI.ln() + a * log_unexplained + 0.5 * explained.ln()).exp();
    let p_value = if unexplained < (a + 1.0) / (a + 2.5) {
        front * continued_fraction(a, 0.5, unexplained) / a
    } else {
        1.0 - front * continued_fraction(0.5, a, explained) / 0.5
    };
    p_value.clamp(0.0, 1.0)
}

/// ln Γ(a + ½) − ln Γ(a).
fn ln_gamma_step(a: f64) -> f64 {
    if a < 30.0 {
        return ln_gamma(a + 0.5) - ln_gamma(a);
    }
    let square = a * a;
    let series = (-1.0 / 8.0
        + (1.0 / 192.0 + (-1.0 / 640.0 + 17.0 / 14_336.0 / square) / square) / square)
        / a;
    0.5 * a.ln() + series
}

/// The fraction of the incomplete beta function, by Lentz's method.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guard = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..100_000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / guard(1.0 + numerator * d);
            c = guard(1.0 + numerator / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}
