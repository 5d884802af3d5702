use std::fmt;
use std::path::Path;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::error::quoted;
use crate::header::check_names;
use crate::{CheckpointError, FileHeader, Metadata, MetadataValue, StoredDtype, TensorInfo};

/// The longest header, as in the `safetensors` crate.
pub(super) const MAX_HEADER: u64 = 100_000_000;

/// The bytes before the header: its length.
pub(super) const LENGTH: usize = 8;

/// Reads and checks the header of a file of these bytes; `path` is for errors only.
///
/// What it accepts, the `safetensors` crate accepts. On top of that, no name may stand twice, and the header must begin with
/// `{`, as the format demands.
///
/// # Errors
/// [`CheckpointError::Truncated`], [`CheckpointError::Header`], [`CheckpointError::Json`], [`CheckpointError::Tensor`].
pub fn parse(path: &Path, bytes: &[u8]) -> Result<FileHeader, CheckpointError> {
    let truncated = |what: &str, needed: u64, left: usize| CheckpointError::Truncated {
        path: path.to_owned(),
        what: what.to_owned(),
        needed,
        left: left as u64,
    };
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() else {
        return Err(truncated("the length of the header", LENGTH as u64, bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER {
        let reason = format!("it claims {length} bytes, and {MAX_HEADER} are the most");
        return Err(CheckpointError::header(path, reason));
    }
    let length_bytes = length as usize;
    let Some((json, data)) = rest.split_at_checked(length_bytes) else {
        return Err(truncated("the header", length, rest.len()));
    };
    if json.first() != Some(&b'{') {
        return Err(CheckpointError::header(path, "it does not begin with `{`".to_owned()));
    }
    let json = std::str::from_utf8(json)
        .map_err(|error| CheckpointError::header(path, format!("it is not UTF-8: {error}")))?;
    let raw: RawHeader = serde_json::from_str(json)
        .map_err(|source| CheckpointError::Json { path: path.to_owned(), source })?;
    let tensors = placed(path, raw.tensors, LENGTH + length_bytes, data.len())?;
    Ok(FileHeader { metadata: Metadata::new(path, raw.metadata), tensors })
}

/// The tensors in the order of their bytes, which must follow each other without gaps to the end of the file.
fn placed(
    path: &Path,
    mut raw: Vec<(String, RawTensor)>,
    data_start: usize,
    data_len: usize,
) -> Result<Vec<TensorInfo>, CheckpointError> {
    raw.sort_by(|(a_name, a), (b_name, b)| (a.data_offsets, a_name).cmp(&(b.data_offsets, b_name)));
    let mut tensors = Vec::with_capacity(raw.len());
    let mut last_end = 0;
    for (name, RawTensor { dtype, shape, data_offsets: (start, end) }) in raw {
        let wrong = |reason: String| Err(CheckpointError::tensor(path, &name, reason));
        if end < start {
            return wrong(format!("its bytes end at {end}, before they begin at {start}"));
        }
        if end > data_len {
            return wrong(format!("its bytes end at {end}, and the file has {data_len} of data"));
        }
        if start < last_end {
            return wrong(format!("its bytes begin at {start}, within those of another tensor"));
        }
        if start > last_end {
            return wrong(format!("bytes {last_end} to {start} before it belong to no tensor"));
        }
        let Some(known) = StoredDtype::from_safetensors(&dtype) else {
            return wrong(format!("its type {} is not known", quoted(&dtype)));
        };
        let info = TensorInfo::new(path, name, shape, known, data_start + start)?;
        if info.bytes != end - start {
            let TensorInfo { name, shape, bytes, .. } = &info;
            let (has, dtype) = (end - start, known);
            let reason =
                format!("shape {shape:?} of {dtype} takes {bytes} bytes, and it has {has}");
            return Err(CheckpointError::tensor(path, name, reason));
        }
        tensors.push(info);
        last_end = end;
    }
    if last_end < data_len {
        let extra = data_len - last_end;
        let reason = format!("the last {extra} bytes of the file belong to no tensor");
        return Err(CheckpointError::header(path, reason));
    }
    check_names(path, &tensors)?;
    Ok(tensors)
}

/// The JSON, with every entry that it has.
struct RawHeader {
    metadata: IndexMap<String, MetadataValue>,
    tensors: Vec<(String, RawTensor)>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object of dtype, shape and data_offsets")]
struct RawTensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        let mut metadata: Option<Option<Strings>> = None;
        let mut tensors = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let in_entry = |error| A::Error::custom(format!("{}: {error}", quoted(&name)));
            if name == "__metadata__" {
                let value = map.next_value().map_err(in_entry)?;
                if metadata.replace(value).is_some() {
                    return Err(A::Error::custom("`__metadata__` is there twice"));
                }
            } else {
                let tensor = map.next_value().map_err(in_entry)?;
                tensors.push((name, tensor));
            }
        }
        let metadata = metadata.flatten().unwrap_or_default().0;
        Ok(RawHeader { metadata, tensors })
    }
}

/// An object of strings, in order, no key twice.
#[derive(Default)]
struct Strings(IndexMap<String, MetadataValue>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StringsVisitor)
    }
}

struct StringsVisitor;

impl<'de> Visitor<'de> for StringsVisitor {
    type Value = Strings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Strings, A::Error> {
        let mut values = IndexMap::new();
        while let Some((key, value)) = map.next_entry::<String, String>()? {
            if values.contains_key(&key) {
                return Err(A::Error::custom(format!("key {} is there twice", quoted(&key))));
            }
            values.insert(key, MetadataValue::String(value));
        }
        Ok(Strings(values))
    }
}
