use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use crate::CheckpointError;
use crate::error::shortened;

/// What a file says about itself, key by key, in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Metadata {
    path: PathBuf,
    values: IndexMap<String, MetadataValue>,
}

/// A value; safetensors knows strings only.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MetadataValue {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    String(String),
    Array(MetadataArray),
    U64(u64),
    I64(i64),
    F64(f64),
}

/// Values of one type.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MetadataArray {
    U8(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    Bool(Vec<bool>),
    String(Vec<String>),
    Array(Vec<MetadataArray>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F64(Vec<f64>),
}

/// What [`Metadata::value`] can give: `bool`, `u32`, `u64`, `usize`, `i64`, `f32`, `&str`, `&[String]`, `&[i32]`,
/// `&[u32]`, `&[f32]`, `&[bool]`.
///
/// A whole number is given in any type that can hold it, whatever its width in the file.
pub trait FromMetadata<'a>: Sized {
    /// In an error: `a whole number from 0 to 4294967295`.
    const EXPECTED: &'static str;

    /// The value, where it is of the type.
    fn from_metadata(value: &'a MetadataValue) -> Option<Self>;
}

impl Metadata {
    pub(crate) fn new(path: &Path, values: IndexMap<String, MetadataValue>) -> Self {
        Self { path: path.to_owned(), values }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All keys and values, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MetadataValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether the key is there.
    pub fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// The value as it stands in the file.
    pub fn get(&self, key: &str) -> Option<&MetadataValue> {
        self.values.get(key)
    }

    /// The value of a key that must be there: `metadata.value::<u32>("llama.block_count")?`.
    ///
    /// # Errors
    /// [`CheckpointError::NoMetadata`] and [`CheckpointError::MetadataType`].
    pub fn value<'a, T: FromMetadata<'a>>(&'a self, key: &str) -> Result<T, CheckpointError> {
        let missing =
            || CheckpointError::NoMetadata { path: self.path.clone(), key: shortened(key) };
        self.optional(key)?.ok_or_else(missing)
    }

    /// The value of a key that may be missing.
    ///
    /// # Errors
    /// [`CheckpointError::MetadataType`].
    pub fn optional<'a, T: FromMetadata<'a>>(
        &'a self,
        key: &str,
    ) -> Result<Option<T>, CheckpointError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match T::from_metadata(value) {
            Some(value) => Ok(Some(value)),
            None => Err(CheckpointError::MetadataType {
                path: self.path.clone(),
                key: shortened(key),
                expected: T::EXPECTED,
                got: value.described(),
            }),
        }
    }

    /// [`Self::value`] as u32.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn u32(&self, key: &str) -> Result<u32, CheckpointError> {
        self.value(key)
    }

    /// [`Self::value`] as f32.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn f32(&self, key: &str) -> Result<f32, CheckpointError> {
        self.value(key)
    }

    /// [`Self::value`] as bool.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn bool(&self, key: &str) -> Result<bool, CheckpointError> {
        self.value(key)
    }

    /// [`Self::value`] as text.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn str(&self, key: &str) -> Result<&str, CheckpointError> {
        self.value(key)
    }

    /// [`Self::value`] as texts.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn strings(&self, key: &str) -> Result<&[String], CheckpointError> {
        self.value(key)
    }

    /// Takes from `other` the keys that are not here yet.
    pub(crate) fn complete_from(&mut self, other: Self) {
        for (key, value) in other.values {
            self.values.entry(key).or_insert(value);
        }
    }
}

impl MetadataValue {
    /// A whole number of any width.
    fn integer(&self) -> Option<i128> {
        Some(match *self {
            Self::U8(value) => value.into(),
            Self::I8(value) => value.into(),
            Self::U16(value) => value.into(),
            Self::I16(value) => value.into(),
            Self::U32(value) => value.into(),
            Self::I32(value) => value.into(),
            Self::U64(value) => value.into(),
            Self::I64(value) => value.into(),
            Self::F32(_) | Self::F64(_) | Self::Bool(_) | Self::String(_) | Self::Array(_) => {
                return None;
            }
        })
    }

    /// The value for an error: `the string `llama``.
    fn described(&self) -> String {
        match self {
            Self::Bool(value) => format!("the truth value {value}"),
            Self::String(text) => format!("the string `{}`", shortened(text)),
            Self::F32(value) => format!("the f32 {value}"),
            Self::F64(value) => format!("the f64 {value}"),
            Self::Array(array) => format!("an array of {} {}", array.len(), array.of_what()),
            number => format!("the whole number {}", number.integer().unwrap_or_default()),
        }
    }
}

impl MetadataArray {
    /// How many values it has.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::F32(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::String(values) => values.len(),
            Self::Array(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn of_what(&self) -> &'static str {
        match self {
            Self::U8(_) => "u8",
            Self::I8(_) => "i8",
            Self::U16(_) => "u16",
            Self::I16(_) => "i16",
            Self::U32(_) => "u32",
            Self::I32(_) => "i32",
            Self::F32(_) => "f32",
            Self::Bool(_) => "truth values",
            Self::String(_) => "strings",
            Self::Array(_) => "arrays",
            Self::U64(_) => "u64",
            Self::I64(_) => "i64",
            Self::F64(_) => "f64",
        }
    }
}

macro_rules! integers {
    ($($type:ty: $expected:literal),* $(,)?) => {$(
        impl FromMetadata<'_> for $type {
            const EXPECTED: &'static str = $expected;

            fn from_metadata(value: &MetadataValue) -> Option<Self> {
                value.integer()?.try_into().ok()
            }
        }
    )*};
}

integers! {
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number not below 0",
    usize: "a whole number not below 0",
    i64: "a whole number of 64 bits",
}

impl FromMetadata<'_> for f32 {
    const EXPECTED: &'static str = "a floating-point number";

    fn from_metadata(value: &MetadataValue) -> Option<Self> {
        match *value {
            MetadataValue::F32(value) => Some(value),
            MetadataValue::F64(value) => Some(value as Self),
            _ => None,
        }
    }
}

impl FromMetadata<'_> for bool {
    const EXPECTED: &'static str = "a truth value";

    fn from_metadata(value: &MetadataValue) -> Option<Self> {
        if let MetadataValue::Bool(value) = *value { Some(value) } else { None }
    }
}

impl<'a> FromMetadata<'a> for &'a str {
    const EXPECTED: &'static str = "a string";

    fn from_metadata(value: &'a MetadataValue) -> Option<Self> {
        if let MetadataValue::String(text) = value { Some(text) } else { None }
    }
}

macro_rules! arrays {
    ($($type:ty = $variant:ident: $expected:literal),* $(,)?) => {$(
        impl<'a> FromMetadata<'a> for &'a [$type] {
            const EXPECTED: &'static str = $expected;

            fn from_metadata(value: &'a MetadataValue) -> Option<Self> {
                match value {
                    MetadataValue::Array(MetadataArray::$variant(values)) => Some(values),
                    _ => None,
                }
            }
        }
    )*};
}

arrays! {
    String = String: "an array of strings",
    i32 = I32: "an array of i32",
    u32 = U32: "an array of u32",
    f32 = F32: "an array of f32",
    bool = Bool: "an array of truth values",
}
