//! The one place that maps files into memory.
#![expect(unsafe_code, reason = "a memory map is safe only as long as no one changes the file")]

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::CheckpointError;
use crate::error::io_error;

/// A file in memory, for reading.
#[derive(Debug)]
pub(crate) struct MappedFile {
    path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    pub(crate) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let file = File::open(path).map_err(io_error("open", path))?;
        // SAFETY: the bytes stay what they are as long as nobody writes into the file or cuts it. No program can make
        // sure of that on every system; the crate's documentation asks for it, as every reader of model files does.
        let map = unsafe { Mmap::map(&file) }.map_err(io_error("map", path))?;
        Ok(Self { path: path.to_owned(), map })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Hands the pages of these bytes back; they are read again from the file when they are next used.
    ///
    /// A hint: where the system knows no such thing, nothing happens.
    pub(crate) fn release(&self, range: Range<usize>) {
        if range.is_empty() || range.end > self.map.len() {
            return;
        }
        #[cfg(unix)]
        {
            let advice = memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: the map is shared and read-only, so that no page holds anything but what the file holds: a page
            // that is given back comes again with the same bytes, also under a slice that is still borrowed.
            let _ = unsafe { self.map.unchecked_advise_range(advice, range.start, range.len()) };
        }
    }
}
