use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul, Neg, Sub};

use serde::{Deserialize, Serialize};

use crate::CoreError;

/// Defines a newtype over `f64` whose constructor refuses what is not finite, and what `$check`
/// refuses.
macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $unit:literal, $check:expr, $reason:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            /// Takes a finite amount in this unit's range.
            ///
            /// # Errors
            /// [`CoreError::Unit`] for an amount that is not finite or out of range.
            pub fn new(value: f64) -> Result<Self, CoreError> {
                let in_range: fn(f64) -> bool = $check;
                if value.is_finite() && in_range(value) {
                    Ok(Self(value))
                } else {
                    Err(CoreError::Unit { unit: $unit, value, reason: $reason })
                }
            }

            /// The bare number.
            pub const fn value(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = CoreError;

            fn try_from(value: f64) -> Result<Self, CoreError> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(unit: $name) -> Self {
                unit.0
            }
        }
    };
}

unit!(
    /// US dollars; negative is owed.
    Usd, "amount of US dollars", |_| true, "it is not finite"
);
unit!(
    /// Basis points: 1 is one hundredth of a percent. A rate of cost, so never negative.
    Bps, "number of basis points", |v| v >= 0.0, "it is negative or not finite"
);
unit!(
    /// A share of equity: 1 is all of it, a negative one is sold short.
    Weight, "portfolio weight", |_| true, "it is not finite"
);

impl Bps {
    /// The rate as a fraction: 25 bps are 0.0025.
    pub const fn fraction(self) -> f64 {
        self.0 / 10_000.0
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Usd {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Usd {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Mul<Bps> for Usd {
    type Output = Self;

    fn mul(self, rate: Bps) -> Self {
        Self(self.0 * rate.fraction())
    }
}

impl Mul<Weight> for Usd {
    type Output = Self;

    fn mul(self, weight: Weight) -> Self {
        Self(self.0 * weight.0)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} USD", self.0)
    }
}

impl fmt::Display for Bps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bps", self.0)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} %", self.0 * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_combine_by_unit() {
        let notional = Usd::new(20_000.0).unwrap();
        assert_eq!(notional * Bps::new(25.0).unwrap(), Usd::new(50.0).unwrap());
        assert_eq!(notional * Weight::new(-0.5).unwrap(), Usd::new(-10_000.0).unwrap());
        assert_eq!([notional, -notional, notional].into_iter().sum::<Usd>(), notional);
        assert_eq!((notional - notional).to_string(), "0.00 USD");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        assert!(Usd::new(f64::NAN).is_err());
        assert!(Weight::new(f64::INFINITY).is_err());
        assert!(Bps::new(-1.0).is_err());
        assert!(serde_json::from_str::<Bps>("-1.0").is_err());
    }
}
