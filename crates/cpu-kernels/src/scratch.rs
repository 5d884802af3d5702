#![expect(unsafe_code, reason = "parts of one slice are written by several threads")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::thread::LocalKey;
use std::{mem, slice};

use crate::lanes::LANES;

type Memory = LocalKey<Cell<Vec<f32>>>;

thread_local! {
    static SCRATCH: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    static SHARED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Floats that begin at a cache line and hold whatever was left in them.
///
/// The thread keeps the memory when they are dropped: the first touch of a fresh page costs many times a later one.
/// Two at a time have memory of their own. This is no function that calls another with a slice, since a closure of a
/// kernel would not be compiled for the kernel's instructions.
#[derive(Debug)]
pub(crate) struct Scratch {
    memory: Vec<f32>,
    start: usize,
    len: usize,
    home: &'static Memory,
}

impl Scratch {
    /// Memory of a part.
    pub(crate) fn new(len: usize) -> Self {
        Self::of(&SCRATCH, len)
    }

    /// Memory of a call, which all its parts share.
    pub(crate) fn shared(len: usize) -> Self {
        Self::of(&SHARED, len)
    }

    fn of(home: &'static Memory, len: usize) -> Self {
        let mut memory = home.take();
        if memory.len() < len + LANES {
            memory.resize(len + LANES, 0.0);
        }
        let start = memory.as_ptr().align_offset(LANES * size_of::<f32>()).min(LANES);
        Self { memory, start, len, home }
    }

    pub(crate) fn floats(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..][..self.len]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.home.set(mem::take(&mut self.memory));
    }
}

/// A slice whose disjoint parts are written by several threads.
#[derive(Debug)]
pub(crate) struct Disjoint<'a, T = f32> {
    values: *mut T,
    len: usize,
    borrowed: PhantomData<&'a mut [T]>,
}

// SAFETY: it is as good as an exclusive slice, and `slice` asks for parts that no two threads share.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(crate) fn new(values: &'a mut [T]) -> Self {
        Self { values: values.as_mut_ptr(), len: values.len(), borrowed: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The part `start..start + len`.
    ///
    /// # Safety
    ///
    /// No other part that is in use may overlap it.
    ///
    /// # Panics
    ///
    /// Where the slice ends before the part.
    #[expect(clippy::mut_from_ref, reason = "the caller keeps parts apart")]
    #[inline(always)]
    pub(crate) unsafe fn slice(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: within the slice, and no other part in use overlaps.
        unsafe { slice::from_raw_parts_mut(self.values.add(start), len) }
    }
}
