use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::shortened;
use crate::map::MappedFile;
use crate::open::{self, Opened};
use crate::{CheckpointError, Metadata, TensorInfo, TensorView};

/// An opened set of files with named tensors.
///
/// The files must not change as long as it lives; see the crate's documentation.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    format: Format,
    files: Vec<MappedFile>,
    metadata: Metadata,
    tensors: Vec<TensorInfo>,
    by_name: HashMap<String, usize>,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One file, or many with an index.
    Safetensors,
    /// One file that also holds the model's configuration and tokenizer.
    Gguf,
}

impl Checkpoint {
    /// Opens a transformers folder (`model.safetensors`, or `model.safetensors.index.json` with its shards; the first
    /// wins where both are there, as in transformers), an index, a safetensors file, or a GGUF file.
    ///
    /// All headers are read and checked; no tensor is.
    ///
    /// # Errors
    /// Everything of [`CheckpointError`] that does not speak of a single tensor or key being asked for.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let Opened { format, files, metadata, tensors } = open::open(path)?;
        let by_name = tensors.iter().enumerate().map(|(i, t)| (t.name.clone(), i)).collect();
        Ok(Self { path: path.to_owned(), format, files, metadata, tensors, by_name })
    }

    /// What [`Self::open`] was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which kind it is; names and meta-data follow from it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The files, in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(MappedFile::path)
    }

    /// The tensors: file after file, each in its own order. It is the same on every run.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// GGUF's key-values, or safetensors' `__metadata__` as strings; of many shards, those of the first one that has
    /// the key.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whether there is a tensor of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The tensor of that name. Nothing is read yet.
    ///
    /// # Errors
    /// [`CheckpointError::NoTensor`].
    pub fn get(&self, name: &str) -> Result<TensorView<'_>, CheckpointError> {
        let missing =
            || CheckpointError::NoTensor { path: self.path.clone(), tensor: shortened(name) };
        let index = *self.by_name.get(name).ok_or_else(missing)?;
        self.tensors.get(index).and_then(|info| self.view(info)).ok_or_else(missing)
    }

    /// Hands the pages of a consumed view back to the system, so that they no longer count as this process's memory. The
    /// view stays good: its bytes are read again from the file when they are next used.
    pub fn release(&self, view: &TensorView<'_>) {
        let (file, start) = view.place;
        if let Some(file) = self.files.get(file) {
            file.release(start..start + view.bytes.len());
        }
    }

    fn view<'a>(&'a self, info: &'a TensorInfo) -> Option<TensorView<'a>> {
        let file = self.files.get(info.file)?;
        info.view(file.path(), file.bytes())
    }
}
