use crate::MetricError;
use crate::returns::PeriodsPerYear;
use crate::returns::checks::check_parameter;

/// An annual rate as a rate per period by division: `annual / periods`.
///
/// What users of empyrical do, whose functions take a rate per period. `annual` is a fraction
/// (0.02 for 2 %), and so is the result.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a rate that is not finite.
pub fn simple_rate_per_period(annual: f64, periods: PeriodsPerYear) -> Result<f64, MetricError> {
    check_parameter("the annual rate", annual, "finite", annual.is_finite())?;
    Ok(annual / periods.get())
}

/// An annual rate as the rate per period that compounds to it: `(1 + annual)^(1/periods) − 1`.
///
/// What quantstats does. `annual` is a fraction (0.02 for 2 %), and so is the result.
///
/// # Errors
/// [`MetricError::OutOfRange`] for a rate that is not finite or not above −1.
pub fn compound_rate_per_period(annual: f64, periods: PeriodsPerYear) -> Result<f64, MetricError> {
    let is_valid = annual.is_finite() && annual > -1.0;
    check_parameter("the annual rate", annual, "finite and above -1", is_valid)?;
    Ok((annual.ln_1p() / periods.get()).exp_m1())
}
