use serde::{Deserialize, Serialize};

use crate::EngineError;

/// What an order may not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Shares come in multiples of this: 1 for whole shares. Closing a position sells odd lots too.
    pub lot: Option<f64>,
    /// Largest share of a security's average daily volume that one order may take.
    pub adv_fraction: Option<f64>,
    /// Bars before the day of the fill over which volume is averaged.
    pub adv_window: usize,
    /// Largest absolute weight of one position, as a share of equity.
    pub max_position: Option<f64>,
    /// Largest sum of absolute position values, as a share of equity.
    pub max_gross: Option<f64>,
    /// Cash may fall to −(leverage − 1) × equity; 1 for none borrowed.
    pub leverage: f64,
    /// Below this share of equity in gross exposure, holdings are cut at the next open.
    pub maintenance_margin: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lot: None,
            adv_fraction: None,
            adv_window: 20,
            max_position: None,
            max_gross: None,
            leverage: 1.0,
            maintenance_margin: 0.25,
        }
    }
}

impl Limits {
    /// A target weight within the largest position.
    #[inline]
    pub(crate) fn position(&self, weight: f64) -> f64 {
        self.max_position.map_or(weight, |most| weight.clamp(-most, most))
    }

    /// Whole lots of a quantity, towards zero. A quantity that misses a lot by rounding alone
    /// counts as that lot.
    #[inline]
    pub(crate) fn lots(&self, quantity: f64) -> f64 {
        self.lot.map_or(quantity, |lot| {
            ((quantity.abs() / lot + 1e-9).floor() * lot).copysign(quantity)
        })
    }

    /// Whole lots that are not more than a quantity.
    #[inline]
    pub(crate) fn lots_within(&self, quantity: f64) -> f64 {
        self.lot.map_or(quantity, |lot| (quantity / lot).floor() * lot)
    }

    pub(crate) fn validate(&self) -> Result<(), EngineError> {
        let Self { lot, adv_fraction, adv_window, max_position, max_gross, leverage, .. } = *self;
        let above_zero = |value: f64| value.is_finite() && value > 0.0;
        let positive = [
            ("limits.lot", lot),
            ("limits.adv_fraction", adv_fraction),
            ("limits.max_position", max_position),
            ("limits.max_gross", max_gross),
            ("limits.adv_window", Some(adv_window as f64)),
        ];
        for (key, value) in positive {
            if let Some(value) = value.filter(|value| !above_zero(*value)) {
                return Err(EngineError::Setting { key, value, expected: "a number above 0" });
            }
        }
        if !(leverage.is_finite() && leverage >= 1.0) {
            let (key, expected) = ("limits.leverage", "a number of at least 1");
            return Err(EngineError::Setting { key, value: leverage, expected });
        }
        let value = self.maintenance_margin;
        if !(0.0..1.0).contains(&value) || value * leverage > 1.0 {
            let expected = "at least 0, below 1, and not more than 1 / leverage";
            return Err(EngineError::Setting { key: "limits.maintenance_margin", value, expected });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lots_go_towards_zero() {
        let limits = Limits { lot: Some(0.1), ..Limits::default() };
        for (quantity, want) in [(0.35, 0.3), (-0.35, -0.3), (0.3, 0.3), (0.09, 0.0)] {
            assert!((limits.lots(quantity) - want).abs() < 1e-12, "{quantity}");
        }
        assert_eq!(Limits::default().lots(0.35), 0.35);
        assert_eq!(Limits { lot: Some(100.0), ..Limits::default() }.lots_within(299.999), 200.0);
    }

    #[test]
    fn positions_are_capped_on_both_sides() {
        let limits = Limits { max_position: Some(0.1), ..Limits::default() };
        assert_eq!([0.5, -0.5, 0.05].map(|w| limits.position(w)), [0.1, -0.1, 0.05]);
    }

    #[test]
    fn impossible_limits_are_refused() {
        let default = Limits::default();
        for limits in [
            Limits { lot: Some(0.0), ..default },
            Limits { adv_window: 0, ..default },
            Limits { max_gross: Some(f64::NAN), ..default },
            Limits { leverage: 0.5, ..default },
            Limits { maintenance_margin: 1.0, ..default },
            Limits { leverage: 5.0, ..default },
        ] {
            assert!(limits.validate().is_err(), "{limits:?}");
        }
        assert_eq!(default.validate(), Ok(()));
    }
}
