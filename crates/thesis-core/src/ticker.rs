use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::CoreError;

/// An exchange's symbol for a security: upper case, 1 to 16 characters of `A-Z 0-9 . - ^ =`.
///
/// A class written with a slash, as in `BRK/B`, becomes `BRK.B`, so that a ticker is always a safe
/// file name and never holds the `|` that separates the parts of a record's `uid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticker(Box<str>);

impl Ticker {
    /// Longest ticker, in characters.
    pub const MAX_LEN: usize = 16;

    /// Reads a ticker, trimming spaces and raising case.
    ///
    /// # Errors
    /// [`CoreError::Ticker`] when the text is empty, longer than [`Self::MAX_LEN`], begins with
    /// anything but a letter, a digit or `^`, or has another character than those listed above.
    pub fn new(text: &str) -> Result<Self, CoreError> {
        let mut symbol = text.trim().to_ascii_uppercase();
        if symbol.contains('/') {
            symbol = symbol.replace('/', ".");
        }
        let refuse = |reason| Err(CoreError::Ticker { text: text.trim().to_owned(), reason });
        match symbol.as_bytes() {
            [] => refuse("it is empty"),
            bytes if bytes.len() > Self::MAX_LEN => refuse("it has more than 16 characters"),
            [first, ..] if !first.is_ascii_alphanumeric() && *first != b'^' => {
                refuse("it begins with neither a letter nor a digit")
            }
            bytes
                if bytes.iter().any(|b| {
                    !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'-' | b'^' | b'=')
                }) =>
            {
                refuse("it has a character other than letters, digits and . - ^ = /")
            }
            _ => Ok(Self(symbol.into_boxed_str())),
        }
    }

    /// The symbol.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Ticker {
    type Err = CoreError;

    fn from_str(text: &str) -> Result<Self, CoreError> {
        Self::new(text)
    }
}

impl TryFrom<String> for Ticker {
    type Error = CoreError;

    fn try_from(text: String) -> Result<Self, CoreError> {
        Self::new(&text)
    }
}

impl From<Ticker> for String {
    fn from(ticker: Ticker) -> Self {
        ticker.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_real_exchanges() {
        for (text, want) in [
            (" tsla ", "TSLA"),
            ("BRK.B", "BRK.B"),
            ("brk/b", "BRK.B"),
            ("BF-B", "BF-B"),
            ("^GSPC", "^GSPC"),
            ("EURUSD=X", "EURUSD=X"),
            ("0700.HK", "0700.HK"),
        ] {
            assert_eq!(Ticker::new(text).unwrap().as_str(), want);
        }
    }

    #[test]
    fn refused_with_a_reason() {
        for text in
            ["", "  ", "A|B", "A B", "../ETC", ".HIDDEN", "ABCDEFGHIJKLMNOPQ", "Ünicode", "a\0"]
        {
            assert!(matches!(Ticker::new(text), Err(CoreError::Ticker { .. })), "{text:?}");
        }
        assert!(serde_json::from_str::<Ticker>("\"a b\"").is_err());
    }
}
