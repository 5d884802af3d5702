use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::atomic::write_atomic;
use super::header::{LENGTH, MAX_HEADER};
use super::source::{Data, TensorSource};
use crate::error::{io_error, shortened};
use crate::{CheckpointError, StoredDtype, TensorInfo};

/// Writes a safetensors file, one tensor after the other, so that of those that are [`TensorSource::written`] only one is in
/// memory. The file appears under its name when all of it is on disk.
///
/// The bytes are those that the `safetensors` crate and Python package write (by type, widest first, then by name), but for the
/// metadata, which are in the order of their keys: there they come in that of a hash map. For transformers, `metadata` should say
/// `format` = `pt`.
///
/// # Errors
/// [`CheckpointError::Tensor`] for names that are taken or no names, for types that are GGUF's own, and for bytes that are not as
/// many as type and shape take; [`CheckpointError::Header`] for a header above 100 MB; [`CheckpointError::Io`].
pub fn write_safetensors<'a>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = TensorSource<'a>>,
    metadata: &BTreeMap<String, String>,
) -> Result<(), CheckpointError> {
    let path = path.as_ref();
    let mut placed = checked(path, tensors)?;
    placed.sort_by(|(a, a_rank, _), (b, b_rank, _)| b_rank.cmp(a_rank).then(a.name.cmp(&b.name)));
    let infos: Vec<&TensorInfo> = placed.iter().map(|(info, ..)| info).collect();
    let header = header_of(path, &infos, metadata)?;
    write_atomic(path, |writer| {
        writer.write_all(&header).map_err(io_error("write", path))?;
        placed.into_iter().try_for_each(|(info, _, data)| write_tensor(writer, path, &info, data))
    })
}

/// What a tensor is, where its type stands in the order of types, and its bytes.
type Placed<'a> = (TensorInfo, ::safetensors::Dtype, Data<'a>);

/// All tensors with their sizes, in the order in which they came.
pub(super) fn checked<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = TensorSource<'a>>,
) -> Result<Vec<Placed<'a>>, CheckpointError> {
    let mut names = HashSet::new();
    let mut placed = Vec::new();
    for TensorSource { name, dtype, shape, data } in tensors {
        let wrong = |reason: String| Err(CheckpointError::tensor(path, &name, reason));
        if name.is_empty() || name.contains('\0') || name == "__metadata__" {
            return wrong("this is no name for a tensor".to_owned());
        }
        if !names.insert(name.clone()) {
            return wrong("it is there twice".to_owned());
        }
        let Some(rank) = dtype.safetensors() else {
            return wrong(format!("safetensors has no type {dtype}"));
        };
        let info = TensorInfo::new(path, name, shape, dtype, 0)?;
        if let Data::Bytes(bytes) = &data
            && bytes.len() != info.bytes
        {
            return Err(wrong_length(path, &info, bytes.len()));
        }
        placed.push((info, rank, data));
    }
    Ok(placed)
}

/// Writes the bytes of a tensor, no more and no fewer than there should be.
pub(crate) fn write_tensor(
    writer: &mut impl Write,
    path: &Path,
    info: &TensorInfo,
    data: Data<'_>,
) -> Result<(), CheckpointError> {
    let mut counted = Counted { writer, written: 0, limit: info.bytes };
    let outcome = match data {
        Data::Bytes(bytes) => counted.write_all(&bytes),
        Data::Written(write) => write(&mut counted),
    };
    // Too many bytes are an error of writing, too; this says more.
    if counted.written > info.bytes || (outcome.is_ok() && counted.written < info.bytes) {
        return Err(wrong_length(path, info, counted.written));
    }
    outcome.map_err(|source| CheckpointError::WriteTensor {
        path: path.to_owned(),
        tensor: shortened(&info.name),
        source,
    })
}

fn wrong_length(path: &Path, info: &TensorInfo, got: usize) -> CheckpointError {
    let TensorInfo { name, shape, dtype, bytes, .. } = info;
    let got = if got > *bytes { "more".to_owned() } else { format!("{got}") };
    let reason = format!("shape {shape:?} of {dtype} takes {bytes} bytes, and there are {got}");
    CheckpointError::tensor(path, name, reason)
}

/// Lets no byte through after the last one that is due.
struct Counted<'a, W> {
    writer: &'a mut W,
    written: usize,
    limit: usize,
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit.saturating_sub(self.written) {
            self.written = self.limit.saturating_add(1);
            return Err(io::Error::other("more bytes than type and shape take"));
        }
        let written = self.writer.write(bytes)?;
        self.written += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The length and the JSON, filled with spaces so that data begin at a multiple of eight.
fn header_of(
    path: &Path,
    infos: &[&TensorInfo],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, CheckpointError> {
    let json = serde_json::to_vec(&Header { infos, metadata })
        .map_err(|source| CheckpointError::Json { path: path.to_owned(), source })?;
    let length = json.len().next_multiple_of(LENGTH);
    if length as u64 > MAX_HEADER {
        let reason = format!("it would take {length} bytes, and {MAX_HEADER} are the most");
        return Err(CheckpointError::header(path, reason));
    }
    let mut header = (length as u64).to_le_bytes().to_vec();
    header.extend(json);
    header.resize(LENGTH + length, b' ');
    Ok(header)
}

struct Header<'a> {
    infos: &'a [&'a TensorInfo],
    metadata: &'a BTreeMap<String, String>,
}

#[derive(serde::Serialize)]
struct Entry<'a> {
    dtype: &'static str,
    shape: &'a [usize],
    data_offsets: (usize, usize),
}

impl Serialize for Header<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry("__metadata__", self.metadata)?;
        }
        let mut start = 0_usize;
        for TensorInfo { name, shape, dtype, bytes, .. } in self.infos {
            let dtype = StoredDtype::name(*dtype);
            let end = start.saturating_add(*bytes);
            map.serialize_entry(name, &Entry { dtype, shape, data_offsets: (start, end) })?;
            start = end;
        }
        map.end()
    }
}
