//! Products with a few rows of `x`, as in decoding: the weights are read once, and reading them takes the time.
//!
//! One Zen 5 core that sums f32 from memory at 29 GB/s multiplies by the 30 layers of a 135M model, one row of `x`, at 27 GB/s
//! (f32), 22 (bf16), 21 (INT8), 18 (NF4: 3.3 ms) and 14 (NF4 with 8-bit scales: 3.9 ms); `examples/few_rows.rs` measures it.

#![expect(
    unsafe_code,
    reason = "vector instructions, and outputs that threads share column by column"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod format;
mod inputs;
mod lanes;
mod part;
mod portable;
#[cfg(test)]
mod tests;
mod tile;

use std::ops::Range;

use inputs::{Inputs, Order};
use part::{Part, order};

use crate::cpu_features::Isa;
use crate::parallel::{parallel_parts, threads};
use crate::{ComputeDtype, Output};

/// The most rows of `x` for which these kernels are quicker than packing panels.
pub(crate) const MAX_ROWS: usize = 16;
/// Bytes of weights that are worth a thread.
const WORTH_A_THREAD: usize = 48 * 1024;
/// Parts for each thread, so that one which comes late takes fewer.
const PARTS_PER_THREAD: usize = 4;

/// `out = x · Wᵀ` for each weight, see [`crate::products`].
///
/// Every output is computed whole by one thread, in an order that depends on its own row of weights only.
pub(crate) fn products(
    isa: Isa,
    x: &[f32],
    m: usize,
    compute: ComputeDtype,
    outputs: &mut [Output<'_>],
) {
    let k = outputs.first().map_or(0, |output| output.weight.cols());
    if k == 0 || m == 0 {
        outputs.iter_mut().for_each(|output| output.out.fill(0.0));
        return;
    }
    let orders = [Order::Natural, Order::EvenOdd, Order::Nf4];
    let inputs = orders.map(|wanted| {
        let needed = outputs.iter().any(|output| order(output.weight) == wanted);
        needed.then(|| Inputs::new(x, k, compute, wanted))
    });
    let parts: Vec<_> = outputs
        .iter_mut()
        .filter_map(|output| {
            let at = orders.iter().position(|o| *o == order(output.weight))?;
            Some(Part::new(output, inputs[at].as_ref()?, m, compute))
        })
        .collect();
    let ranges = ranges(&parts);
    parallel_parts(ranges.len(), &|i| {
        let (part, rows) = &ranges[i];
        parts[*part].run(isa, rows.clone());
    });
}

/// Rows of weights that belong together, in pieces of about the same number of bytes.
fn ranges(parts: &[Part<'_>]) -> Vec<(usize, Range<usize>)> {
    let bytes: usize = parts.iter().map(Part::bytes).sum();
    let pieces = match threads().min(bytes / WORTH_A_THREAD) {
        0 | 1 => 1,
        threads => threads * PARTS_PER_THREAD,
    };
    let piece = bytes.div_ceil(pieces).max(1);
    let mut ranges = Vec::with_capacity(pieces + parts.len());
    for (i, part) in parts.iter().enumerate() {
        let rows = part.rows();
        let each = (piece / (part.bytes() / rows.max(1)).max(1)).next_multiple_of(tile::GROUP);
        let each = if pieces == 1 { rows } else { each.max(tile::GROUP) };
        let starts = (0..rows).step_by(each.max(1));
        ranges.extend(starts.map(|start| (i, start..(start + each).min(rows))));
    }
    ranges
}
