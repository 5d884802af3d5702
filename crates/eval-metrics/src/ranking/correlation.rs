use serde::{Deserialize, Serialize};

use crate::significance::distributions::student_t_beyond;

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
pub(super) fn student_p_value(coefficient: f64, pairs: usize) -> f64 {
    if pairs < 3 {
        return 1.0;
    }
    let degrees_of_freedom = (pairs - 2) as f64;
    let unexplained = (1.0 - coefficient) * (1.0 + coefficient);
    let t = coefficient * (degrees_of_freedom / unexplained).sqrt();
    student_t_beyond(t, degrees_of_freedom).clamp(0.0, 1.0)
}
