use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Named figures known at the as-of close, in the order of their source; `None` where the source
/// has `nan`, `N/A` or nothing.
///
/// A thesis has a dozen short names, and there are millions of theses: the names share one text.
#[derive(Clone, PartialEq, Default)]
pub struct Indicators {
    /// All names, one after the other.
    names: String,
    /// Where each name ends in `names`, and its figure.
    figures: Vec<(usize, Option<f64>)>,
    /// The names, once there are too many to look through.
    index: Option<HashSet<Box<str>>>,
}

impl Indicators {
    /// So many names are looked through one by one.
    const FEW: usize = 32;

    /// None yet, with room for `count`.
    pub fn with_capacity(count: usize) -> Self {
        let names = String::with_capacity(count * 16);
        Self { names, figures: Vec::with_capacity(count), index: None }
    }

    /// Adds a figure unless the name is there already; `false` when it is. What is not finite
    /// becomes `None`, since JSON has no word for it.
    pub fn insert(&mut self, name: &str, value: Option<f64>) -> bool {
        let is_new = match &mut self.index {
            Some(index) => index.insert(name.into()),
            None => self.get(name).is_none(),
        };
        if is_new {
            self.names.push_str(name);
            self.figures.push((self.names.len(), value.filter(|v| v.is_finite())));
            if self.figures.len() == Self::FEW {
                self.index = Some(self.iter().map(|(name, _)| name.into()).collect());
            }
        }
        is_new
    }

    /// The figure of that name; `None` where it is absent, `Some(None)` where it has no value.
    pub fn get(&self, name: &str) -> Option<Option<f64>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All figures in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        let mut begin = 0;
        self.figures.iter().map(move |(end, value)| {
            let name = &self.names[begin..*end];
            begin = *end;
            (name, *value)
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.figures.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }
}

impl fmt::Debug for Indicators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Indicators {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Indicators {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Figures;

        impl<'de> Visitor<'de> for Figures {
            type Value = Indicators;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names to numbers or null")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Indicators, A::Error> {
                let mut indicators = Indicators::default();
                while let Some((name, value)) = map.next_entry::<String, Option<f64>>()? {
                    if !indicators.insert(&name, value) {
                        let fault = format_args!("indicator `{name}` stands there twice");
                        return Err(serde::de::Error::custom(fault));
                    }
                }
                Ok(indicators)
            }
        }

        deserializer.deserialize_map(Figures)
    }
}

/// What a figure's text says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParsedNumber {
    /// A finite number.
    Value(f64),
    /// One of the spellings of "no value".
    Missing,
    /// Neither; a person should look.
    Unreadable,
}

/// Reads a figure as desks write it: quotes around it, thousands commas, a trailing `%` (which
/// divides by 100), and `nan`, `N/A`, `null`, `none`, `-`, `inf` or nothing for a missing one.
///
/// ```
/// use thesis_core::{ParsedNumber, parse_number};
/// assert_eq!(parse_number("\"1,234.5\""), ParsedNumber::Value(1234.5));
/// assert_eq!(parse_number("N/A"), ParsedNumber::Missing);
/// ```
pub fn parse_number(text: &str) -> ParsedNumber {
    // Most figures are plain; the standard library reads them, and is strict about the rest.
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-');
    if text.bytes().all(plain)
        && let Ok(value) = text.parse::<f64>()
    {
        return ParsedNumber::Value(value);
    }
    let bare = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '“' | '”' | '‘' | '’')
    });
    if is_missing(bare) {
        return ParsedNumber::Missing;
    }
    // A true minus sign is how typesetters and spreadsheets write one.
    let ascii = bare.replace('−', "-");
    let value = match ascii.strip_suffix('%') {
        // The exponent moves the decimal point exactly; a division would round a second time.
        Some(percent) => plain_number(&format!("{}e-2", percent.trim_end())),
        None => plain_number(&ascii),
    };
    match value {
        Some(v) if v.is_finite() => ParsedNumber::Value(v),
        Some(_) => ParsedNumber::Missing,
        None => ParsedNumber::Unreadable,
    }
}

fn is_missing(text: &str) -> bool {
    text.is_empty()
        || [
            "nan", "n/a", "na", "#n/a", "null", "none", "nil", "-", "--", "—", "inf", "-inf",
            "+inf",
        ]
        .iter()
        .any(|spelling| text.eq_ignore_ascii_case(spelling))
}

fn plain_number(text: &str) -> Option<f64> {
    if !text.contains(',') {
        // `f64::from_str` also reads words such as "infinity"; a figure is made of digits.
        return text.parse().ok().filter(|_| text.bytes().any(|b| b.is_ascii_digit()));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = unsigned.split(['.', 'e']).next()?;
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let well_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    well_grouped.then(|| text.replace(',', "").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::ParsedNumber::{Missing, Unreadable, Value};
    use super::*;

    #[test]
    fn figures_as_desks_write_them() {
        let check =
            |text: &str, want: ParsedNumber| assert_eq!(parse_number(text), want, "{text:?}");
        check("129.41", Value(129.41));
        check(" \"-0.0194\" ", Value(-0.0194));
        check("'3'", Value(3.0));
        check("+1e-3", Value(0.001));
        check("1,234,567.8", Value(1_234_567.8));
        check("-1,000", Value(-1000.0));
        check("−2.5", Value(-2.5));
        check("5.2%", Value(0.052));
        check("-1,250 %", Value(-12.5));
        for text in ["nan", "NaN", "N/A", "", "  ", "\"\"", "null", "None", "-", "inf", "1e999"] {
            check(text, Missing);
        }
        for text in ["abc", "1,23", "12,3456", "1.2.3", "infinity and beyond", "0x10", "1 2"] {
            check(text, Unreadable);
        }
    }

    #[test]
    fn order_is_kept_and_the_first_of_a_name_wins() {
        let mut indicators = Indicators::default();
        assert!(indicators.insert("b", Some(1.0)));
        assert!(indicators.insert("a", Some(f64::NAN)));
        assert!(!indicators.insert("b", Some(2.0)));
        let json = r#"{"b":1.0,"a":null}"#;
        assert_eq!(serde_json::to_string(&indicators).unwrap(), json);
        assert_eq!(serde_json::from_str::<Indicators>(json).unwrap(), indicators);
        assert!(serde_json::from_str::<Indicators>(r#"{"a":1,"a":2}"#).is_err());
    }

    #[test]
    fn many_names_are_told_apart_too() {
        let mut indicators = Indicators::default();
        for round in 0..2 {
            for i in 0..1_000 {
                assert_eq!(indicators.insert(&i.to_string(), Some(f64::from(i))), round == 0);
            }
        }
        assert_eq!((indicators.len(), indicators.get("999")), (1_000, Some(Some(999.0))));
    }
}
