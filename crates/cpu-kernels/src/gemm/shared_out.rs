#![expect(unsafe_code, reason = "threads write disjoint parts of the rows of one output")]

use std::marker::PhantomData;

/// A row-major output that several threads write, each its own part of the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedOut<'a> {
    values: *mut f32,
    rows: usize,
    cols: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: what is written where is a matter of the unsafe functions below.
unsafe impl Send for SharedOut<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedOut<'_> {}

impl<'a> SharedOut<'a> {
    /// An output of so many columns.
    pub(super) fn new(values: &'a mut [f32], cols: usize) -> Self {
        let rows = values.len() / cols.max(1);
        Self { values: values.as_mut_ptr(), rows, cols, borrowed: PhantomData }
    }

    /// Where `n_rows` rows of `n_cols` values begin, to be written by the caller, with [`Self::cols`] from row to row.
    ///
    /// # Safety
    ///
    /// No other thread may touch that part while the pointer is in use.
    pub(super) unsafe fn part(
        &self,
        (row, n_rows): (usize, usize),
        (col, n_cols): (usize, usize),
    ) -> *mut f32 {
        assert!(row + n_rows <= self.rows && col + n_cols <= self.cols);
        // SAFETY: within the slice, as asserted.
        unsafe { self.values.add(row * self.cols + col) }
    }

    /// Values of a row.
    pub(super) fn cols(&self) -> usize {
        self.cols
    }
}
