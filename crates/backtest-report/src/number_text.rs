//! Numbers as people read them: `1.25M`, `-3.4%` with a true minus sign.

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Usd,
    /// A fraction, shown as a percentage.
    Percent,
    Ratio,
    Count,
}

impl Unit {
    /// Half of the range to show around a value that never changes.
    pub(crate) fn flat_half_range(self, value: f64) -> f64 {
        match self {
            Self::Usd => (value.abs() * 0.05).max(1.0),
            Self::Percent => (value.abs() * 0.05).max(0.01),
            Self::Ratio | Self::Count => (value.abs() * 0.05).max(1.0),
        }
    }

    /// The label of `value` on an axis with ticks every `step`, whose greatest amount is `largest`.
    pub(crate) fn tick(self, value: f64, step: f64, largest: f64) -> String {
        match self {
            Self::Usd => {
                // 993k and 994k, not 0.993M and 0.994M.
                let (divisor, suffix) = magnitude(largest.min(step * 100.0));
                let number = fixed(value / divisor, decimals(step / divisor));
                if value == 0.0 { "0".to_owned() } else { number + suffix }
            }
            Self::Percent => fixed(value * 100.0, decimals(step * 100.0)) + "%",
            Self::Ratio | Self::Count => fixed(value, decimals(step)),
        }
    }
}

/// `value` with three or four leading digits: `2.41M`, `98.3k`, `512`.
pub(crate) fn compact(value: f64) -> String {
    let (divisor, suffix) = magnitude(value.abs());
    let scaled = value / divisor;
    let places = match scaled.abs() {
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    fixed(scaled, places) + suffix
}

/// A number of things, with the plural that an `s` makes: `1 call`, `1,204 calls`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count as f64, 0), if count == 1 { "" } else { "s" })
}

/// `value` as a percentage with this many decimals; below four digits before the point.
pub(crate) fn percent(value: f64, places: usize) -> String {
    fixed(value * 100.0, places) + "%"
}

/// `value` with this many decimals, a true minus sign, and no negative zero. Amounts from 1e15 on
/// are written with an exponent.
pub(crate) fn fixed(value: f64, places: usize) -> String {
    let text =
        if value.abs() < 1e15 { format!("{value:.places$}") } else { format!("{value:.2e}") };
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|b| matches!(b, b'0' | b'.')) => digits.to_owned(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// `fixed` with commas between thousands: `1,234,567.8`.
pub(crate) fn grouped(value: f64, places: usize) -> String {
    let text = fixed(value, places);
    if text.contains('e') {
        return text;
    }
    let whole_end = text.find('.').unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole_end);
    let digits = whole.trim_start_matches('−');
    let mut out = whole[..whole.len() - digits.len()].to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

fn magnitude(amount: f64) -> (f64, &'static str) {
    match amount {
        a if a >= 1e15 => (1.0, ""),
        a if a >= 1e12 => (1e12, "T"),
        a if a >= 1e9 => (1e9, "B"),
        a if a >= 1e6 => (1e6, "M"),
        a if a >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    }
}

/// Decimals that tell neighbours `step` apart.
fn decimals(step: f64) -> usize {
    // A step such as 0.2 may come as 0.19999999999999998.
    let places = -(step * 1.000_001).log10().floor();
    if places.is_finite() { places.clamp(0.0, 12.0) as usize } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_neighbours_apart() {
        let check = |unit: Unit, value: f64, step: f64, largest: f64, expected: &str| {
            assert_eq!(unit.tick(value, step, largest), expected);
        };
        check(Unit::Usd, 0.0, 5e5, 2e6, "0");
        check(Unit::Usd, 5e5, 5e5, 2e6, "0.5M");
        check(Unit::Usd, 2e6, 5e5, 2e6, "2.0M");
        check(Unit::Usd, -2.5e5, 5e4, 3e5, "−250k");
        check(Unit::Usd, 1_001_000.0, 1_000.0, 1_001_000.0, "1001k");
        check(Unit::Usd, 999.5, 0.5, 999.5, "999.5");
        check(Unit::Usd, 2e16, 1e16, 2e16, "2.00e16");
        check(Unit::Percent, -0.3, 0.1, 0.3, "−30%");
        check(Unit::Percent, 0.025, 0.005, 0.1, "2.5%");
        check(Unit::Ratio, -0.0, 0.5, 1.0, "0.0");
        check(Unit::Count, 40.0, 20.0, 100.0, "40");
    }

    #[test]
    fn amounts_are_short_and_negative_zero_is_zero() {
        let check = |value: f64, expected: &str| assert_eq!(compact(value), expected);
        check(2_413_000.0, "2.41M");
        check(98_312.0, "98.3k");
        check(512.0, "512");
        check(-1_500.0, "−1.50k");
        check(0.0, "0.00");
        check(1.2e15, "1.20e15");
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(percent(-0.1234, 1), "−12.3%");
        assert_eq!(grouped(-1_234_567.891, 2), "−1,234,567.89");
        assert_eq!(grouped(999.0, 0), "999");
        assert_eq!(grouped(1_000.0, 0), "1,000");
    }
}
