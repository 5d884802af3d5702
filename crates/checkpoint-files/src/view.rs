use std::ops::Range;
use std::path::Path;

use crate::dequantize::to_f32;
use crate::error::shortened;
use crate::{CheckpointError, StoredDtype};

/// A tensor, or some rows of it, as it lies in its file.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TensorView<'a> {
    /// The tensor's name.
    pub name: &'a str,
    /// The tensor's dimensions, outermost first; those of the whole tensor, also in a view of some rows.
    pub shape: &'a [usize],
    /// How the values are stored.
    pub dtype: StoredDtype,
    /// The stored bytes of the rows in view.
    pub bytes: &'a [u8],
    /// The file.
    pub file: &'a Path,
    /// Which file of the checkpoint, and where in it the bytes begin.
    pub(crate) place: (usize, usize),
}

impl<'a> TensorView<'a> {
    /// How many values are in view.
    pub fn n_values(&self) -> usize {
        let (values, bytes) = self.dtype.block();
        self.bytes.len() / bytes * values
    }

    /// Converts all values in view to f32, in row-major order; `out` gets their number as its length, and its memory is
    /// used again.
    ///
    /// F16, BF16 and F32 are exact, F64 is rounded to nearest; blocks are as `dequantize` of the Python package gguf has
    /// them, bit by bit. The number of threads changes no result.
    ///
    /// # Errors
    /// [`CheckpointError::NotFloat`] where [`StoredDtype::is_float`] is false.
    pub fn to_f32(&self, out: &mut Vec<f32>) -> Result<(), CheckpointError> {
        if !self.dtype.is_float() {
            let (path, tensor) = (self.file.to_owned(), shortened(self.name));
            return Err(CheckpointError::NotFloat { path, tensor, dtype: self.dtype });
        }
        out.resize(self.n_values(), 0.0);
        to_f32(self.dtype, self.bytes, out);
        Ok(())
    }

    /// Converts some rows as [`Self::to_f32`] does; a row is all that one index of the outermost dimension holds.
    ///
    /// # Errors
    /// As [`Self::rows`] and [`Self::to_f32`].
    pub fn rows_to_f32(
        &self,
        rows: Range<usize>,
        out: &mut Vec<f32>,
    ) -> Result<(), CheckpointError> {
        self.rows(rows)?.to_f32(out)
    }

    /// A view of some rows, counted from the first one in this view; it can be released on its own.
    ///
    /// # Errors
    /// [`CheckpointError::Rows`] where the view has fewer rows, where the tensor is a scalar, and where the rows are no
    /// whole blocks (a vector of blocks can be cut only between them).
    pub fn rows(&self, rows: Range<usize>) -> Result<TensorView<'a>, CheckpointError> {
        let Range { start, end } = rows;
        let bounds = self.row_bounds(start).zip(self.row_bounds(end));
        let part = bounds.and_then(|(from, to)| Some((from, self.bytes.get(from..to)?)));
        match part {
            Some((from, bytes)) => {
                let (file, first) = self.place;
                Ok(TensorView { bytes, place: (file, first + from), ..*self })
            }
            None => Err(CheckpointError::Rows {
                path: self.file.to_owned(),
                tensor: shortened(self.name),
                shape: self.shape.to_vec(),
                dtype: self.dtype,
                start,
                end,
            }),
        }
    }

    /// The byte at which a row begins.
    fn row_bounds(&self, row: usize) -> Option<usize> {
        let (_, inner) = self.shape.split_first()?;
        self.dtype.bytes_of(inner.iter().product::<usize>().checked_mul(row)?)
    }
}
