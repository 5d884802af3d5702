use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use crate::error::quoted;
use crate::{CheckpointError, Metadata, StoredDtype, TensorView};

/// What a tensor is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, as the file has it.
    pub name: String,
    /// Its dimensions, outermost first; none for a scalar.
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub dtype: StoredDtype,
    /// How many bytes it takes in the file.
    pub bytes: usize,
    /// Where these begin, from the first byte of the file.
    pub(crate) start: usize,
    /// Which file of the checkpoint holds it.
    pub(crate) file: usize,
}

/// What the header of one file says, verified against the file's size.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHeader {
    /// The file's own words about itself.
    pub metadata: Metadata,
    /// The tensors, in the order in which they lie in the file (safetensors) or are listed (GGUF).
    pub tensors: Vec<TensorInfo>,
}

impl TensorInfo {
    /// Checks that shape, type and size of the file agree; `start` is from the file's first byte.
    pub(crate) fn new(
        file: &Path,
        name: String,
        shape: Vec<usize>,
        dtype: StoredDtype,
        start: usize,
    ) -> Result<Self, CheckpointError> {
        let wrong = |reason: String| CheckpointError::tensor(file, &name, reason);
        let Some(n_values) = shape.iter().try_fold(1_usize, |n, &dim| n.checked_mul(dim)) else {
            return Err(wrong(format!("the product of its shape {shape:?} overflows")));
        };
        let (block, _) = dtype.block();
        let Some(bytes) = dtype.bytes_of(n_values) else {
            return Err(wrong(match n_values.is_multiple_of(block) {
                true => format!("the size of its shape {shape:?} of {dtype} overflows"),
                false => {
                    format!(
                        "shape {shape:?} of {dtype} is no whole number of blocks of {block} values"
                    )
                }
            }));
        };
        Ok(Self { name, shape, dtype, bytes, start, file: 0 })
    }

    /// Where its bytes lie in its file.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.bytes
    }

    /// The tensor in the bytes of its file, which is called `file`; `None` where there are too few of them.
    pub fn view<'a>(&'a self, file: &'a Path, bytes: &'a [u8]) -> Option<TensorView<'a>> {
        Some(TensorView {
            name: &self.name,
            shape: &self.shape,
            dtype: self.dtype,
            bytes: bytes.get(self.range())?,
            file,
            place: (self.file, self.start),
        })
    }

    /// How many values it has.
    pub fn n_values(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Refuses names that two tensors of a file have, and names that are none.
pub(crate) fn check_names(file: &Path, tensors: &[TensorInfo]) -> Result<(), CheckpointError> {
    let mut known = HashMap::with_capacity(tensors.len());
    for (index, tensor) in tensors.iter().enumerate() {
        if tensor.name.is_empty() || tensor.name.contains('\0') {
            let reason = format!("tensor {index} has the name {}", quoted(&tensor.name));
            return Err(CheckpointError::header(file, reason));
        }
        if known.insert(tensor.name.as_str(), index).is_some() {
            return Err(CheckpointError::tensor(
                file,
                &tensor.name,
                "it is there twice".to_owned(),
            ));
        }
    }
    Ok(())
}
