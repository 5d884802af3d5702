use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A number of bytes, spelled with a unit: `12GiB`, `900 MiB`, `1.5GB`, or plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

const UNITS: [(&str, u64); 9] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("b", 1),
];

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let unit = UNITS.iter().find_map(|(unit, bytes)| Some((lower.strip_suffix(unit)?, *bytes)));
        let (number, unit) = unit.unwrap_or((&lower, 1));
        let number: f64 = number.trim().parse().unwrap_or(f64::NAN);
        let bytes = number * unit as f64;
        if !(bytes >= 0.0 && bytes < u64::MAX as f64) {
            return Err(format!("`{text}` is no number of bytes; write 12GiB or 900MiB"));
        }
        Ok(Self(bytes as u64))
    }
}

impl fmt::Display for ByteSize {
    /// In the largest binary unit that leaves at least 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = UNITS[..4].iter().rev().find(|(_, bytes)| self.0 >= *bytes);
        let Some((unit, bytes)) = unit else { return write!(f, "{} B", self.0) };
        let unit = match *unit {
            "tib" => "TiB",
            "gib" => "GiB",
            "mib" => "MiB",
            _ => "KiB",
        };
        write!(f, "{:.2} {unit}", self.0 as f64 / *bytes as f64)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, such as 12GiB")
            }

            fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                u64::try_from(bytes).map(ByteSize).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let check =
            |text: &str, bytes: u64| assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        check("12GiB", 12 << 30);
        check(" 900 mib ", 900 << 20);
        check("1.5GB", 1_500_000_000);
        check("42", 42);
        check("7b", 7);
        for text in ["", "GiB", "-1GiB", "many", "nan", "inf", "1e30 TiB", "12 GiB/s"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
        let shown = [0, 1023, 1 << 10, 3 << 29, 5 << 40].map(|bytes| ByteSize(bytes).to_string());
        assert_eq!(shown, ["0 B", "1023 B", "1.00 KiB", "1.50 GiB", "5.00 TiB"]);
    }
}
