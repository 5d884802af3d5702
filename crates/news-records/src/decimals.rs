/// A number with a fixed count of decimals; what rounds to zero has no sign.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
        _ => text,
    }
}

/// As [`fixed`], with a sign before positive numbers and zero too.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

/// The number that [`fixed`] writes.
pub(crate) fn rounded(value: f64, decimals: usize) -> f64 {
    fixed(value, decimals).parse().unwrap_or(value)
}

/// A price or a level: two decimals, four below 1.
pub(crate) fn level(value: f64) -> String {
    fixed(value, if value < 1.0 { 4 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_no_sign() {
        assert_eq!([fixed(-0.004, 2), fixed(-0.006, 2), fixed(2.0, 1)], ["0.00", "-0.01", "2.0"]);
        assert_eq!([signed(-0.004, 2), signed(0.4, 1), signed(-0.4, 1)], ["+0.00", "+0.4", "-0.4"]);
        assert!(rounded(-0.000_01, 4).is_sign_positive());
        assert_eq!([level(131.204), level(0.012_34)], ["131.20", "0.0123"]);
    }
}
