use std::cell::Cell;
use std::thread::LocalKey;

/// Values that one thread lays out before another could begin to help.
pub(super) const ONE_THREAD: usize = 1 << 15;

/// Words of a cache line.
const LINE: usize = 16;

/// Memory that a thread keeps from one call to the next: the first touch of a fresh page costs many times a later one.
pub(super) type Scratch = LocalKey<Cell<Vec<f32>>>;

thread_local! {
    /// Panels of the factor that all weights of a call share.
    pub(super) static SHARED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    /// What a task has unpacked of its weight.
    pub(super) static UNPACKED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    /// Sums of a task.
    pub(super) static SUMS: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Calls `work` with `len` words that begin at a cache line and hold whatever was left in them.
///
/// A call within a call gets memory of its own.
pub(super) fn with_scratch<T>(
    scratch: &'static Scratch,
    len: usize,
    work: impl FnOnce(&mut [f32]) -> T,
) -> T {
    let mut words = scratch.take();
    if words.len() < len + LINE {
        words.resize(len + LINE, 0.0);
    }
    let start = words.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let result = work(&mut words[start..start + len]);
    scratch.set(words);
    result
}
