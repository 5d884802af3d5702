#![expect(unsafe_code, reason = "parts of one slice are written by several threads")]

use crate::parallel::parallel_parts;
use crate::scratch::Disjoint;

/// Values that one thread takes at a time; fewer are not worth another thread.
const VALUES: usize = 16 * 1024;

/// Calls `work` with runs of whole rows of `out`, and the number of the first of them: several runs at a time where
/// there are many values, else one.
///
/// Values behind the last whole row are left out.
pub(crate) fn for_rows(out: &mut [f32], width: usize, work: &(dyn Fn(usize, &mut [f32]) + Sync)) {
    let rows = out.len() / width;
    if out.len() < 2 * VALUES {
        return work(0, &mut out[..rows * width]);
    }
    let rows_of_part = (VALUES / width).max(1);
    let out = Disjoint::new(out);
    parallel_parts(rows.div_ceil(rows_of_part), &|part| {
        let first = part * rows_of_part;
        let n = rows_of_part.min(rows - first);
        // SAFETY: parts are disjoint.
        work(first, unsafe { out.slice(first * width, n * width) });
    });
}
