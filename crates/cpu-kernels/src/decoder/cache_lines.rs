use std::fmt;
use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// Numbers that begin at a cache line, so that no vector lies across two; zero at first.
///
/// Pages of a large one cost nothing before they are written to.
pub(super) struct CacheLines<T> {
    /// A line longer than asked for.
    memory: Vec<T>,
    len: usize,
}

impl<T: Copy + Default> CacheLines<T> {
    /// `len` zeros. `zeros` makes a vector of as many as it is told: only with the type known does that touch no page.
    pub(super) fn new(len: usize, zeros: fn(usize) -> Vec<T>) -> Self {
        Self { memory: zeros(len.saturating_add(LINE / size_of::<T>())), len }
    }

    fn start(&self) -> usize {
        self.memory.as_ptr().align_offset(LINE).min(LINE / size_of::<T>())
    }
}

impl<T: Copy + Default> Deref for CacheLines<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.memory[self.start()..][..self.len]
    }
}

impl<T: Copy + Default> DerefMut for CacheLines<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let start = self.start();
        &mut self.memory[start..][..self.len]
    }
}

impl<T: Copy + Default> Clone for CacheLines<T> {
    fn clone(&self) -> Self {
        // The copy may have another distance to the first line, so its memory is not the same.
        let mut copy = Self { memory: vec![T::default(); self.memory.len()], len: self.len };
        copy.copy_from_slice(self);
        copy
    }
}

impl<T> fmt::Debug for CacheLines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheLines({})", self.len)
    }
}
