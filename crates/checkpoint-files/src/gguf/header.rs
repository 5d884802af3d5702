use std::path::Path;

use indexmap::IndexMap;

use super::cursor::Cursor;
use super::ggml_type::{stored_dtype, supported};
use super::value;
use crate::error::quoted;
use crate::header::check_names;
use crate::{CheckpointError, FileHeader, Metadata, MetadataValue, StoredDtype, TensorInfo};

pub(super) const MAGIC: [u8; 4] = *b"GGUF";

/// Where data begin, unless `general.alignment` says otherwise: at multiples of so many bytes.
pub(super) const ALIGNMENT: u32 = 32;

/// ggml's limit.
pub(super) const MAX_DIMS: u32 = 4;

/// Reads and checks the header of a file of these bytes; `path` is for errors only.
///
/// Tensors may lie in any order and with gaps, which the format allows, but not over each other. Dimensions are put
/// outermost first; in the file they are innermost first.
///
/// # Errors
/// [`CheckpointError::OtherFormat`], [`CheckpointError::Truncated`], [`CheckpointError::Header`], [`CheckpointError::Tensor`],
/// [`CheckpointError::UnsupportedTypes`].
pub fn parse(path: &Path, bytes: &[u8]) -> Result<FileHeader, CheckpointError> {
    let wrong = |reason: String| Err(CheckpointError::header(path, reason));
    let mut cursor = Cursor::new(path, bytes);
    if cursor.array("the magic number")? != MAGIC {
        let reason = "it does not begin with `GGUF`".to_owned();
        return Err(CheckpointError::OtherFormat { path: path.to_owned(), reason });
    }
    match cursor.u32("the version")? {
        2 | 3 => {}
        1 => return wrong("GGUF version 1 is too old; convert the original model anew".to_owned()),
        version if version != 0 && version & 0xFFFF == 0 => {
            return wrong("it is big-endian; little-endian files can be read".to_owned());
        }
        version => return wrong(format!("GGUF version {version} is not known; 2 and 3 are")),
    }
    // Name, number of dimensions, type and offset; key, type and one byte.
    let n_tensors = cursor.count(8 + 4 + 4 + 8, "the list of tensors")?;
    let n_values = cursor.count(8 + 4 + 1, "the list of metadata keys")?;
    let metadata = Metadata::new(path, read_metadata(&mut cursor, n_values)?);
    refuse_splits(path, &metadata)?;
    let raw = (0..n_tensors).map(|index| read_tensor(&mut cursor, index));
    let raw: Vec<RawTensor> = raw.collect::<Result<_, _>>()?;
    refuse_unknown_types(path, &raw)?;

    let alignment = read_alignment(path, &metadata)?;
    let Some(data_start) = cursor.at().checked_next_multiple_of(alignment) else {
        return wrong(format!("its alignment {alignment} is too large"));
    };
    let mut tensors = Vec::with_capacity(raw.len());
    for RawTensor { name, shape, dtype, offset } in raw {
        let Ok(dtype) = dtype else { continue };
        let wrong = |reason: String| Err(CheckpointError::tensor(path, &name, reason));
        let (block, _) = dtype.block();
        if shape.last().is_some_and(|row| !row.is_multiple_of(block)) {
            return wrong(format!("rows of shape {shape:?} are no whole blocks of {block} values"));
        }
        if !offset.is_multiple_of(alignment as u64) {
            return wrong(format!("its offset {offset} is no multiple of {alignment}"));
        }
        let start = usize::try_from(offset).ok().and_then(|o| o.checked_add(data_start));
        let Some(start) = start.filter(|start| *start <= bytes.len().max(data_start)) else {
            return wrong(format!("its offset {offset} is beyond the end of the file"));
        };
        let info = TensorInfo::new(path, name, shape, dtype, start)?;
        let left = bytes.len().saturating_sub(start);
        if info.bytes > left {
            let TensorInfo { name, bytes, .. } = &info;
            let reason = format!("it needs {bytes} bytes, and the file has {left} there");
            return Err(CheckpointError::tensor(path, name, reason));
        }
        tensors.push(info);
    }
    check_names(path, &tensors)?;
    check_overlap(path, &tensors)?;
    Ok(FileHeader { metadata, tensors })
}

fn read_metadata(
    cursor: &mut Cursor<'_>,
    n_values: usize,
) -> Result<IndexMap<String, MetadataValue>, CheckpointError> {
    let mut values = IndexMap::new();
    for index in 0..n_values {
        let key = cursor.string(&format!("metadata key {index}"))?;
        let what = format!("metadata key {}", quoted(key));
        if key.is_empty() || key.contains('\0') {
            return Err(CheckpointError::header(cursor.path(), format!("{what} is no name")));
        }
        let value_type = cursor.u32(&what)?;
        let value = value::read(cursor, value_type, &what)?;
        if values.insert(key.to_owned(), value).is_some() {
            return Err(CheckpointError::header(cursor.path(), format!("{what} is there twice")));
        }
    }
    Ok(values)
}

/// An entry as it stands in the file, but for the order of the dimensions.
struct RawTensor {
    name: String,
    shape: Vec<usize>,
    dtype: Result<StoredDtype, String>,
    offset: u64,
}

fn read_tensor(cursor: &mut Cursor<'_>, index: usize) -> Result<RawTensor, CheckpointError> {
    let name = cursor.string(&format!("the name of tensor {index}"))?.to_owned();
    let what = format!("the entry of tensor {}", quoted(&name));
    let wrong = |reason: String, path: &Path| Err(CheckpointError::tensor(path, &name, reason));
    let n_dims = cursor.u32(&what)?;
    if n_dims > MAX_DIMS {
        return wrong(
            format!("it has {n_dims} dimensions, and {MAX_DIMS} are the most"),
            cursor.path(),
        );
    }
    let mut shape = Vec::with_capacity(n_dims as usize);
    for _ in 0..n_dims {
        let dim = cursor.u64(&what)?;
        match usize::try_from(dim) {
            Ok(dim) => shape.push(dim),
            Err(_) => return wrong(format!("its dimension {dim} is too large"), cursor.path()),
        }
    }
    shape.reverse();
    let dtype = stored_dtype(cursor.u32(&what)?);
    let offset = cursor.u64(&what)?;
    Ok(RawTensor { name, shape, dtype, offset })
}

fn read_alignment(path: &Path, metadata: &Metadata) -> Result<usize, CheckpointError> {
    let alignment = metadata.optional::<u32>("general.alignment")?.unwrap_or(ALIGNMENT);
    if !alignment.is_power_of_two() {
        let reason = format!("its alignment {alignment} is no power of two");
        return Err(CheckpointError::header(path, reason));
    }
    Ok(alignment as usize)
}

fn refuse_splits(path: &Path, metadata: &Metadata) -> Result<(), CheckpointError> {
    let count = metadata.optional::<u32>("split.count")?.unwrap_or(1);
    if count > 1 {
        let reason = format!(
            "it is one of {count} parts of a model; put them together with `llama-gguf-split --merge`"
        );
        return Err(CheckpointError::header(path, reason));
    }
    Ok(())
}

fn refuse_unknown_types(path: &Path, raw: &[RawTensor]) -> Result<(), CheckpointError> {
    let mut unknown: IndexMap<&str, (usize, &str)> = IndexMap::new();
    for RawTensor { name, dtype, .. } in raw {
        if let Err(dtype) = dtype {
            unknown.entry(dtype).or_insert((0, name)).0 += 1;
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let types = unknown.into_iter().map(|(dtype, (count, first))| match count {
        1 => format!("{dtype} ({})", quoted(first)),
        _ => format!("{dtype} ({} and {} more)", quoted(first), count - 1),
    });
    Err(CheckpointError::UnsupportedTypes {
        path: path.to_owned(),
        types: types.collect(),
        supported: supported(),
    })
}

fn check_overlap(path: &Path, tensors: &[TensorInfo]) -> Result<(), CheckpointError> {
    let mut by_start: Vec<&TensorInfo> = tensors.iter().filter(|info| info.bytes > 0).collect();
    by_start.sort_by_key(|info| info.start);
    for pair in by_start.windows(2) {
        if let [first, second] = pair
            && second.start < first.start + first.bytes
        {
            let reason = format!("its bytes overlap those of {}", quoted(&first.name));
            return Err(CheckpointError::tensor(path, &second.name, reason));
        }
    }
    Ok(())
}
