use rayon::prelude::*;

/// Calls `part` once for each number below `n_parts`, on as many threads as there are, and returns when all are done.
///
/// A part must write only what is its own; which thread takes it is left to chance.
pub(crate) fn parallel_parts(n_parts: usize, part: &(dyn Fn(usize) + Sync)) {
    match n_parts {
        0 => {}
        1 => part(0),
        _ => (0..n_parts).into_par_iter().with_max_len(1).for_each(part),
    }
}

/// Threads among which parts are divided.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}
