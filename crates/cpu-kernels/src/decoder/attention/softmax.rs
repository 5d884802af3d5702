#![expect(unsafe_code, reason = "vector instructions on pointers")]

use super::KEYS;
use crate::exp::{exp, tanh};
use crate::lanes::{LANES, Lanes};

/// Blocks of a tile of keys.
const BLOCKS: usize = KEYS / LANES;

/// What a row has seen so far of its softmax.
pub(super) struct Running {
    /// The greatest score.
    pub(super) greatest: f32,
    /// Sixteen partial sums of `e^(score - greatest)`.
    pub(super) sums: *mut f32,
}

/// How the scores of a row come about, and which it sees.
pub(super) struct Scores<'a> {
    pub(super) softcap: Option<f32>,
    /// Scales of the tile's keys and values, none where they have none.
    pub(super) key_scales: &'a [f32],
    pub(super) value_scales: &'a [f32],
    /// The blocks of the tile that have scores.
    pub(super) blocks: (usize, usize),
    /// The keys of the tile that the row sees.
    pub(super) seen: (usize, usize),
}

/// Turns one row's scores of a tile into weights of the values relative to the greatest score so far, zero for keys that
/// the row does not see. Returns what earlier sums of weighted values are to be multiplied by.
///
/// Source: Milakov and Gimelshein (2018), online softmax.
///
/// # Safety
///
/// As [`crate::lanes::Kernel::run`]; `row` has the scores of all blocks named; 16 sums; scales of these blocks.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "indices keep the vectors in registers")]
pub(super) unsafe fn weigh<L: Lanes>(row: *mut f32, of: &Scores<'_>, running: &mut Running) -> f32 {
    // SAFETY: passed on; scales are sliced.
    unsafe {
        let unseen = L::splat(f32::NEG_INFINITY);
        let mut scores = [unseen; BLOCKS];
        let mut greatest = unseen;
        for b in 0..BLOCKS {
            let (start, end) = (b * LANES, (b + 1) * LANES);
            if b < of.blocks.0 || b >= of.blocks.1 {
                continue;
            }
            let mut score = L::load(row.add(start));
            if !of.key_scales.is_empty() {
                score = score.mul(L::load(of.key_scales[start..end].as_ptr()));
            }
            if let Some(cap) = of.softcap {
                score = tanh(score.div(L::splat(cap))).mul(L::splat(cap));
            }
            if of.seen.0 > start || of.seen.1 < end {
                let lane = |key: usize| key.clamp(start, end) - start;
                score = score.keep(lane(of.seen.0), lane(of.seen.1), unseen);
            }
            scores[b] = score;
            greatest = greatest.max(score);
        }
        let greatest = running.greatest.max(greatest.greatest());
        if greatest == f32::NEG_INFINITY {
            for b in 0..BLOCKS {
                L::splat(0.0).store(row.add(b * LANES));
            }
            return 1.0;
        }
        let shift = L::splat(greatest);
        let factor = exp(L::splat(running.greatest).sub(shift));
        let mut sums = L::load(running.sums).mul(factor);
        for b in 0..BLOCKS {
            if b < of.blocks.0 || b >= of.blocks.1 {
                continue;
            }
            let (start, end) = (b * LANES, (b + 1) * LANES);
            let mut weight = exp(scores[b].sub(shift));
            sums = sums.add(weight);
            if !of.value_scales.is_empty() {
                weight = weight.mul(L::load(of.value_scales[start..end].as_ptr()));
            }
            weight.store(row.add(start));
        }
        sums.store(running.sums);
        running.greatest = greatest;
        factor.first()
    }
}
