use std::error::Error;
use std::fmt;

/// All that is wrong with a run before it begins, each with the key that it is about.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(String, String)>);

impl Faults {
    /// Adds a fault of a key, in words that go on from its name.
    pub(crate) fn add(&mut self, key: impl Into<String>, text: impl fmt::Display) {
        self.0.push((key.into(), text.to_string()));
    }

    /// Adds a fault unless `ok`.
    pub(crate) fn unless(&mut self, ok: bool, key: &str, text: impl fmt::Display) {
        if !ok {
            self.add(key, text);
        }
    }

    /// Adds an error with its causes, and gives the value of a success.
    pub(crate) fn take<T, E: Error>(&mut self, key: &str, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.add(key, chain(&error));
                None
            }
        }
    }

    /// No faults, or all of them as an error.
    pub(crate) fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("a setting cannot be used")?,
            count => write!(f, "{count} settings cannot be used")?,
        }
        self.0.iter().try_for_each(|(key, text)| write!(f, "\n  {key}: {text}"))
    }
}

impl Error for Faults {}

/// An error and its causes on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
