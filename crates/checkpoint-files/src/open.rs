//! What lies at a path, and how it is opened.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::checkpoint::Format;
use crate::error::io_error;
use crate::map::MappedFile;
use crate::{CheckpointError, Metadata, TensorInfo, gguf, safetensors};

/// The names that transformers gives to its files.
pub(crate) const SINGLE: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";

/// All that a checkpoint is made of.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) format: Format,
    pub(crate) files: Vec<MappedFile>,
    pub(crate) metadata: Metadata,
    pub(crate) tensors: Vec<TensorInfo>,
}

pub(crate) fn open(path: &Path) -> Result<Opened, CheckpointError> {
    let about = fs::metadata(path).map_err(io_error("open", path))?;
    if !about.is_dir() {
        return if about.is_file() { open_file(path) } else { Err(no_file(path)) };
    }
    let (single, index) = (path.join(SINGLE), path.join(INDEX));
    // A link to nowhere is there, too, and opening it says so.
    if single.symlink_metadata().is_ok() {
        open_file(&single)
    } else if index.symlink_metadata().is_ok() {
        safetensors::open_shards(&index)
    } else {
        Err(nothing_in(path)?)
    }
}

fn open_file(path: &Path) -> Result<Opened, CheckpointError> {
    match path.to_string_lossy().ends_with(".index.json") {
        true => safetensors::open_shards(path),
        false => open_single(path),
    }
}

/// Opens one file, by what it holds rather than by what it is called.
pub(crate) fn open_single(path: &Path) -> Result<Opened, CheckpointError> {
    let other = |reason: &str| {
        Err(CheckpointError::OtherFormat { path: path.to_owned(), reason: reason.to_owned() })
    };
    match first_bytes(path)?.as_slice() {
        // The length of the header may look like anything, so that this comes first.
        [_, _, _, _, 0, 0, 0, 0, b'{', ..] => safetensors::open(path),
        [b'G', b'G', b'U', b'F', ..] => gguf::open(path),
        // A zip archive of torch.save, or a bare pickle of protocol 2 to 5.
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => {
            Err(CheckpointError::Pickle { path: path.to_owned() })
        }
        begin if begin.starts_with(b"version https://git-lfs") => {
            other("it is a pointer of Git LFS; fetch the file itself with `git lfs pull`")
        }
        begin if is_older_ggml(begin) => {
            other("it is a GGML file from before GGUF; convert the original model anew")
        }
        [b'<', ..] => other("it looks like HTML or XML"),
        _ if is_pickle_name(path) => Err(CheckpointError::Pickle { path: path.to_owned() }),
        _ => safetensors::open(path),
    }
}

fn no_file(path: &Path) -> CheckpointError {
    let reason = "it is neither a file nor a folder".to_owned();
    CheckpointError::OtherFormat { path: path.to_owned(), reason }
}

fn first_bytes(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    let mut begin = Vec::new();
    file.take(32).read_to_end(&mut begin).map_err(io_error("read", path))?;
    Ok(begin)
}

/// `ggml`, `ggmf`, `ggjt` and `ggla`, as little-endian numbers.
fn is_older_ggml(begin: &[u8]) -> bool {
    [b"lmgg", b"fmgg", b"tjgg", b"algg"].iter().any(|magic| begin.starts_with(*magic))
}

fn is_pickle_name(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    matches!(extension.as_deref(), Some("bin" | "pt" | "pth" | "pkl" | "pickle" | "ckpt"))
}

/// Why a folder has nothing to open.
fn nothing_in(folder: &Path) -> Result<CheckpointError, CheckpointError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error("list", folder))? {
        let name = entry.map_err(io_error("list", folder))?.file_name();
        found.push(name.to_string_lossy().into_owned());
    }
    found.sort_unstable();
    if let Some(name) = found.iter().find(|name| name.starts_with("pytorch_model")) {
        return Ok(CheckpointError::Pickle { path: folder.join(name) });
    }
    found.retain(|name| {
        [".gguf", ".safetensors", ".bin", ".pth", ".pt", ".partial"]
            .iter()
            .any(|end| name.ends_with(end))
    });
    Ok(CheckpointError::NoCheckpoint { path: folder.to_owned(), found })
}
