use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use crate::team::Team;

/// Threads that were asked for; 0 as long as nobody did.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Sets the number of threads of all kernels of this process, the caller's own among them; at least one.
///
/// Without it, `RAYON_NUM_THREADS` counts, else the processors that the process may use. No result depends on it.
pub fn set_threads(threads: usize) {
    THREADS.store(threads.max(1), Ordering::Relaxed);
}

/// Threads among which parts are divided.
pub(crate) fn threads() -> usize {
    static DEFAULT: OnceLock<usize> = OnceLock::new();
    match THREADS.load(Ordering::Relaxed) {
        0 => *DEFAULT.get_or_init(|| {
            let named = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok());
            named
                .filter(|threads| *threads > 0)
                .unwrap_or_else(|| available_parallelism().map_or(1, NonZeroUsize::get))
        }),
        threads => threads,
    }
}

/// Calls `part` once for each number below `n_parts`, on as many threads as there are, and returns when all are done.
///
/// A part must write only what is its own; which thread takes it is left to chance. A part may itself go parallel: its parts
/// then run one after another, as do those of a second caller at the same time.
///
/// # Panics
/// With the panic of a part, when all others are done or left out.
pub(crate) fn parallel_parts(n_parts: usize, part: &(dyn Fn(usize) + Sync)) {
    let threads = threads().min(n_parts);
    if threads <= 1 || !Team::of_process().run(threads, n_parts, part) {
        (0..n_parts).for_each(part);
    }
}
