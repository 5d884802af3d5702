use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use super::ggml_type::number_of;
use super::header::{ALIGNMENT, MAGIC, MAX_DIMS};
use super::write_value::{string, value};
use crate::error::io_error;
use crate::safetensors::{Data, write_atomic, write_tensor};
use crate::{CheckpointError, MetadataValue, TensorInfo, TensorSource};

const VERSION: u32 = 3;

/// ggml's limit, with the zero at the end.
const MAX_NAME: usize = 64;

/// Writes a GGUF file of version 3, tensors in the order in which they come, one in memory at a time where they are
/// [`TensorSource::written`]. The file appears under its name when all of it is on disk.
///
/// # Errors
/// [`CheckpointError::Tensor`] for names that are taken, missing or too long for ggml, for types that GGUF does not have,
/// for more than four dimensions, and for bytes that are not as many as type and shape take;
/// [`CheckpointError::Header`] for keys that are there twice, and for `general.alignment`, which is 32 here;
/// [`CheckpointError::Io`].
pub fn write_gguf<'a>(
    path: impl AsRef<Path>,
    metadata: &[(&str, MetadataValue)],
    tensors: impl IntoIterator<Item = TensorSource<'a>>,
) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let placed = checked(path, tensors)?;
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend((placed.len() as u64).to_le_bytes());
    header.extend((metadata.len() as u64).to_le_bytes());
    write_metadata(path, metadata, &mut header)?;
    let mut offset = 0_usize;
    for (info, ggml_type, _) in &placed {
        string(&info.name, &mut header);
        header.extend((info.shape.len() as u32).to_le_bytes());
        for dim in info.shape.iter().rev() {
            header.extend((*dim as u64).to_le_bytes());
        }
        header.extend(ggml_type.to_le_bytes());
        header.extend((offset as u64).to_le_bytes());
        let too_large = || CheckpointError::header(path, "its tensors are too large".to_owned());
        let end = offset.checked_add(info.bytes).ok_or_else(too_large)?;
        offset = end.checked_next_multiple_of(ALIGNMENT as usize).ok_or_else(too_large)?;
    }
    header.resize(header.len().next_multiple_of(ALIGNMENT as usize), 0);
    write_atomic(path, |writer| {
        writer.write_all(&header).map_err(io_error("write", path))?;
        placed.into_iter().try_for_each(|(info, _, data)| {
            write_tensor(writer, path, &info, data)?;
            let padding = info.bytes.next_multiple_of(ALIGNMENT as usize) - info.bytes;
            writer.write_all(&[0; ALIGNMENT as usize][..padding]).map_err(io_error("write", path))
        })
    })
}

/// What a tensor is, the number of its type, and its bytes.
type Placed<'a> = (TensorInfo, u32, Data<'a>);

fn checked<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = TensorSource<'a>>,
) -> Result<Vec<Placed<'a>>, CheckpointError> {
    let mut names = HashSet::new();
    let mut placed = Vec::new();
    for TensorSource { name, dtype, shape, data } in tensors {
        let wrong = |reason: String| Err(CheckpointError::tensor(path, &name, reason));
        if name.is_empty() || name.contains('\0') || name.len() >= MAX_NAME {
            return wrong(format!("a name has 1 to {} bytes", MAX_NAME - 1));
        }
        if !names.insert(name.clone()) {
            return wrong("it is there twice".to_owned());
        }
        let Some(ggml_type) = number_of(dtype) else {
            return wrong(format!("GGUF has no type {dtype}"));
        };
        if shape.len() > MAX_DIMS as usize {
            return wrong(format!(
                "it has {} dimensions, and {MAX_DIMS} are the most",
                shape.len()
            ));
        }
        let (block, _) = dtype.block();
        if shape.last().is_some_and(|row| !row.is_multiple_of(block)) {
            return wrong(format!("rows of shape {shape:?} are no whole blocks of {block} values"));
        }
        placed.push((TensorInfo::new(path, name, shape, dtype, 0)?, ggml_type, data));
    }
    Ok(placed)
}

fn write_metadata(
    path: &Path,
    metadata: &[(&str, MetadataValue)],
    header: &mut Vec<u8>,
) -> Result<(), CheckpointError> {
    let mut keys = HashSet::new();
    for (key, content) in metadata {
        if key.is_empty() || key.contains('\0') || *key == "general.alignment" || !keys.insert(key)
        {
            let reason =
                format!("the metadata key {} cannot be written", crate::error::quoted(key));
            return Err(CheckpointError::header(path, reason));
        }
        string(key, header);
        value(content, header);
    }
    Ok(())
}
