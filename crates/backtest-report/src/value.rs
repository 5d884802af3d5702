use std::fmt;

use chrono::NaiveDate;

use crate::number_text::{fixed, grouped, percent};

/// A figure with its unit, written the same way wherever it stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A fraction, shown in percent with two decimals: 0.1234 as `12.34%`.
    Percent(f64),
    /// A bare number with three decimals; one that they would show as zero has an exponent.
    Ratio(f64),
    /// An amount in USD with commas between thousands, and cents below 1,000.
    Usd(f64),
    /// Basis points with one decimal, followed by `bps`.
    Bps(f64),
    /// A number of things, with commas between thousands.
    Count(u64),
    /// A number with this many decimals and a unit after it, such as `12.5 days`.
    Number(f64, usize, String),
    /// A calendar day.
    Date(NaiveDate),
    /// Any text.
    Text(String),
    /// A figure that has no value here, shown as `n/a`.
    Missing,
}

impl fmt::Display for Value {
    /// NaN is `n/a`, and what grew without bounds `∞`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Percent(value) => number(*value, |value| percent(value, 2)),
            Self::Ratio(value) => number(*value, ratio),
            Self::Usd(value) => {
                number(*value, |v| grouped(v, if v.abs() < 1_000.0 { 2 } else { 0 }))
            }
            Self::Bps(value) => number(*value, |value| fixed(value, 1) + " bps"),
            Self::Count(count) => grouped(*count as f64, 0),
            Self::Number(value, decimals, unit) => {
                number(*value, |value| format!("{} {unit}", grouped(value, *decimals)))
            }
            Self::Date(day) => day.to_string(),
            Self::Text(text) => text.clone(),
            Self::Missing => "n/a".to_owned(),
        };
        f.write_str(text.trim_end())
    }
}

fn number(value: f64, finite: impl Fn(f64) -> String) -> String {
    match value {
        v if v.is_finite() => finite(v),
        f64::INFINITY => "∞".to_owned(),
        f64::NEG_INFINITY => "−∞".to_owned(),
        _ => "n/a".to_owned(),
    }
}

fn ratio(value: f64) -> String {
    if value == 0.0 || value.abs() >= 0.0005 {
        return grouped(value, 3);
    }
    format!("{value:.1e}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_unit() {
        let check = |value: Value, expected: &str| assert_eq!(value.to_string(), expected);
        check(Value::Percent(-0.12345), "−12.35%");
        check(Value::Ratio(1.23456), "1.235");
        check(Value::Ratio(-0.00042), "−4.2e−4");
        check(Value::Ratio(-0.0), "0.000");
        check(Value::Usd(8_102_345.67), "8,102,346");
        check(Value::Usd(-12.5), "−12.50");
        check(Value::Bps(5.25), "5.2 bps");
        check(Value::Count(12_345), "12,345");
        check(Value::Number(1234.5, 1, "days".to_owned()), "1,234.5 days");
        check(Value::Number(2.0, 0, String::new()), "2");
        check(Value::Percent(f64::NAN), "n/a");
        check(Value::Ratio(f64::INFINITY), "∞");
        check(Value::Missing, "n/a");
        check(Value::Text("a <b>".to_owned()), "a <b>");
    }
}
