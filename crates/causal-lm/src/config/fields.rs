use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::LoadError;

/// No count in a configuration is larger: 2³¹. It keeps products of two of them within 64 bits.
const LARGEST: u64 = 1 << 31;

/// The fields of a configuration, and where they are from. A field of `null` counts as missing.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    path: PathBuf,
    object: Map<String, Value>,
}

impl Fields {
    /// Reads a JSON file that holds one object.
    pub(crate) fn read(path: &Path) -> Result<Self, LoadError> {
        let io = |source| LoadError::Io { action: "read", path: path.to_owned(), source };
        let json = |source| LoadError::Json { path: path.to_owned(), source };
        let text = fs::read_to_string(path).map_err(io)?;
        let object = serde_json::from_str(&text).map_err(json)?;
        Ok(Self::new(path, object))
    }

    /// Fields of `object`, which is a part of the file `path`, or made of it.
    pub(crate) fn new(path: &Path, object: Map<String, Value>) -> Self {
        Self { path: path.to_owned(), object }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All of them.
    pub(crate) fn object(&self) -> &Map<String, Value> {
        &self.object
    }

    /// Keys that are there and not null.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.object.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str())
    }

    /// The value, unless it is missing or null.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// Whether the key is there, if with null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.object.contains_key(key)
    }

    /// A count, zero included.
    pub(crate) fn count(&self, key: &str) -> Result<Option<usize>, LoadError> {
        self.optional(key, "a whole number", |value| {
            whole(value).and_then(|n| usize::try_from(n).ok())
        })
    }

    /// A count above zero.
    pub(crate) fn size(&self, key: &str) -> Result<usize, LoadError> {
        self.optional_size(key)?.ok_or_else(|| self.missing(key))
    }

    /// A count above zero.
    pub(crate) fn optional_size(&self, key: &str) -> Result<Option<usize>, LoadError> {
        let size = |value: &Value| whole(value).filter(|n| (1..=LARGEST).contains(n));
        self.optional(key, "a whole number from 1 to 2147483648", |value| {
            size(value).and_then(|n| usize::try_from(n).ok())
        })
    }

    /// A number that is finite and above zero.
    pub(crate) fn optional_number(&self, key: &str) -> Result<Option<f64>, LoadError> {
        let positive = |n: &f64| n.is_finite() && *n > 0.0;
        self.optional(key, "a number above zero", |value| value.as_f64().filter(positive))
    }

    /// A number that is finite and above zero.
    pub(crate) fn number(&self, key: &str) -> Result<f64, LoadError> {
        self.optional_number(key)?.ok_or_else(|| self.missing(key))
    }

    /// Numbers that are finite and above zero.
    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<f32>, LoadError> {
        let positive = |n: &f64| n.is_finite() && *n > 0.0;
        let number = |value: &Value| value.as_f64().filter(positive).map(|n| n as f32);
        let numbers = self.optional(key, "a list of numbers above zero", |value| {
            value.as_array()?.iter().map(number).collect::<Option<Vec<f32>>>()
        });
        numbers?.ok_or_else(|| self.missing(key))
    }

    /// True or false.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool, LoadError> {
        Ok(self.optional(key, "true or false", Value::as_bool)?.unwrap_or(default))
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>, LoadError> {
        self.optional(key, "a text", Value::as_str)
    }

    /// Texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&str>>, LoadError> {
        self.optional(key, "a list of texts", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    /// An object of its own.
    pub(crate) fn section(&self, key: &str) -> Result<Option<Self>, LoadError> {
        let object = self.optional(key, "an object", Value::as_object)?;
        Ok(object.map(|object| Self::new(&self.path, object.clone())))
    }

    /// That the fields contradict one another, or cannot be.
    pub(crate) fn inconsistent(&self, reason: String) -> LoadError {
        LoadError::Config { path: self.path.clone(), reason }
    }

    /// That a value is none that is understood.
    pub(crate) fn unsupported(&self, key: &str, supported: &str) -> LoadError {
        let got = self.get(key).map(shortened).unwrap_or_default();
        let (path, key) = (self.path.clone(), key.to_owned());
        LoadError::ConfigUnsupported { path, key, got, supported: supported.to_owned() }
    }

    fn missing(&self, key: &str) -> LoadError {
        LoadError::ConfigMissing { path: self.path.clone(), key: key.to_owned() }
    }

    fn optional<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, LoadError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(LoadError::ConfigValue {
                path: self.path.clone(),
                key: key.to_owned(),
                expected,
                got: shortened(value),
            }),
        }
    }
}

/// A whole number, also where it is written as `4096.0`.
fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0 && *n <= LARGEST as f64);
    value.as_u64().or_else(|| float().map(|n| n as u64))
}

/// A value for an error, not too long.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
