#![expect(unsafe_code, reason = "mimalloc's options have a C interface only")]

/// mimalloc's `mi_option_purge_delay`, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Lets mimalloc keep memory for ten seconds after it was freed, instead of ten milliseconds.
///
/// A step of training frees what the next one asks for again, and on virtual machines the first touch of a page costs many
/// times a later one: an eighth of all processor time was that. What is not used again still goes back.
pub fn keep_freed_memory() {
    // SAFETY: an option is an atomic number of the allocator's own; any value is valid at any time.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10_000) }
}
