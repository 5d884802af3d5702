/// From values to places on an axis: 0 at its low end, 1 at its high end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    Linear {
        lo: f64,
        hi: f64,
    },
    /// Both ends are above zero.
    Log {
        lo: f64,
        hi: f64,
    },
}

impl Scale {
    /// Where `value` lies; NaN for what cannot be drawn, such as zero on a logarithmic axis.
    pub(crate) fn place(self, value: f64) -> f64 {
        if !crate::series::is_drawable(value) {
            return f64::NAN;
        }
        let place = match self {
            Self::Linear { lo, hi } => (value - lo) / (hi - lo),
            Self::Log { lo, hi } => (value / lo).ln() / (hi / lo).ln(),
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { f64::NAN }
    }
}
