use crate::cpu_features::Isa;
use crate::lanes::{Kernel, Lanes, run_on};
use crate::rows::for_rows;

/// Mask values that are made at once.
const AT_ONCE: usize = 64;

/// Dropout of an adapter's input: values are zero with `probability`, the others are divided by one less it.
///
/// What happens to a value is a function of the seed, its row and its column, so that a mask need not be kept: the same
/// seed gives it again. See [`dropout_mask`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowRankDropout {
    /// From 0 to 1, in steps of 2^-32.
    pub probability: f32,
    /// One for each adapter and step.
    pub seed: u64,
}

/// Writes what [`LowRankDropout`] multiplies an input of `m` rows of `k` values by, `[m, k]`: 0 or `1 / (1 - probability)`.
///
/// Source: Srivastava et al. (2014); for the numbers, a hash of a counter with the constants of Wellons (2018), "lowbias32".
///
/// # Panics
///
/// Where `out` has another length, or `probability` is not from 0 to 1.
pub fn dropout_mask(seed: u64, probability: f32, m: usize, k: usize, out: &mut [f32]) {
    assert_eq!(Some(out.len()), m.checked_mul(k), "a mask of {m} rows of {k}");
    let mask = Mask::new(LowRankDropout { probability, seed });
    for_rows(out, k.max(1), &|first, out| {
        out.fill(1.0);
        mask.multiply(Isa::detected(), (first, 0), k, None, out);
    });
}

/// Dropout, as its rows are computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask {
    dropout: LowRankDropout,
    /// Hashes below it are dropped.
    threshold: u32,
    /// What the others are multiplied by.
    factor: f32,
}

impl LowRankDropout {
    /// Hashes below the first number are dropped; what the other values are multiplied by.
    ///
    /// # Panics
    ///
    /// Where the probability is not from 0 to 1.
    pub fn threshold(self) -> (u32, f32) {
        let Self { probability, .. } = self;
        assert!((0.0..=1.0).contains(&probability), "a probability of {probability}");
        let threshold = (f64::from(probability) * 2f64.powi(32)) as u32;
        let factor = if probability < 1.0 { 1.0 / (1.0 - probability) } else { 0.0 };
        (threshold, factor)
    }

    /// Two numbers that a row adds to its columns' hashes: the finalizer of splitmix64.
    pub fn row_keys(self, row: usize) -> [u32; 2] {
        let mut key = self.seed.wrapping_add((row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        key ^= key >> 31;
        [key as u32, (key >> 32) as u32]
    }
}

impl Mask {
    /// # Panics
    ///
    /// Where the probability is not from 0 to 1.
    pub(super) fn new(dropout: LowRankDropout) -> Self {
        let (threshold, factor) = dropout.threshold();
        Self { dropout, threshold, factor }
    }

    /// `out[r][c] *= mask[row + r][col + c]` for rows of `width` values, or with `to_add`, `out[r][c] += to_add[r][c] · mask`.
    pub(super) fn multiply(
        &self,
        isa: Isa,
        (row, col): (usize, usize),
        width: usize,
        to_add: Option<&[f32]>,
        out: &mut [f32],
    ) {
        for (i, out) in out.chunks_exact_mut(width.max(1)).enumerate() {
            let to_add = to_add.map(|values| &values[i * width..(i + 1) * width]);
            run_on(
                isa,
                MaskedRow { mask: *self, keys: self.dropout.row_keys(row + i), col, to_add, out },
            );
        }
    }
}

struct MaskedRow<'a> {
    mask: Mask,
    keys: [u32; 2],
    /// The first column.
    col: usize,
    to_add: Option<&'a [f32]>,
    out: &'a mut [f32],
}

impl Kernel for MaskedRow<'_> {
    // Plain loops, which the compiler turns into the vectors of the kernel's instructions.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the trait's function is unsafe; nothing here is")]
    unsafe fn run<L: Lanes>(self) {
        let Self { mask, keys, col, to_add, out } = self;
        for (i, out) in out.chunks_mut(AT_ONCE).enumerate() {
            let first = (col + i * AT_ONCE) as u32;
            let mut factors = [0.0; AT_ONCE];
            for (lane, factor) in factors.iter_mut().enumerate() {
                let hash = hash(first.wrapping_add(lane as u32), keys);
                *factor = if hash >= mask.threshold { mask.factor } else { 0.0 };
            }
            match to_add {
                None => {
                    for (out, factor) in out.iter_mut().zip(&factors) {
                        *out *= factor;
                    }
                }
                Some(values) => {
                    let values = &values[i * AT_ONCE..];
                    for ((out, value), factor) in out.iter_mut().zip(values).zip(&factors) {
                        *out += value * factor;
                    }
                }
            }
        }
    }
}

/// The second key comes between the multiplications, so that two rows are not the same up to an order of columns.
#[inline(always)]
fn hash(col: u32, keys: [u32; 2]) -> u32 {
    let mut x = col ^ keys[0];
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_add(keys[1]).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
