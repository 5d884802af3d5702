#![expect(unsafe_code, reason = "loops over vectors")]

use crate::cpu_features::Isa;
use crate::lanes::{Kernel, LANES, Lanes, run_on};
use crate::rows::for_rows;

/// Cosines and sines of the rotary positions of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Rotary<'a> {
    /// `[tokens, pairs]`: one row a token of the batch.
    pub cos: &'a [f32],
    /// `[tokens, pairs]`.
    pub sin: &'a [f32],
    /// Half the number of rotated dimensions of a head; the rest of a head passes unchanged.
    pub pairs: usize,
}

/// Rotates each head of `x`, `[tokens, heads · head_dim]`, in place: dimension `i` with dimension `i + pairs`.
///
/// Source: Su et al. (2021), in the split-half order of transformers.
///
/// # Panics
///
/// Where heads have fewer dimensions than are rotated, or tokens no cosines and sines.
pub fn rope(x: &mut [f32], heads: usize, head_dim: usize, rotary: Rotary<'_>) {
    rotate(Isa::detected(), Direction::Forward, x, heads, head_dim, rotary);
}

/// The gradient of [`rope`], `dy`, `[tokens, heads · head_dim]`, in place: with respect to what came out of it before, with
/// respect to what went in after. It is the rotation by the opposite angles.
///
/// # Panics
///
/// As [`rope`].
pub fn rope_backward(dy: &mut [f32], heads: usize, head_dim: usize, rotary: Rotary<'_>) {
    rotate(Isa::detected(), Direction::Backward, dy, heads, head_dim, rotary);
}

/// Which way vectors are rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// [`rope`] or [`rope_backward`] with the instructions of `isa`.
pub(super) fn rotate(
    isa: Isa,
    direction: Direction,
    x: &mut [f32],
    heads: usize,
    head_dim: usize,
    rotary: Rotary<'_>,
) {
    let pairs = rotary.pairs;
    assert!(2 * pairs <= head_dim, "{pairs} pairs in a head of {head_dim}");
    let width = (heads * head_dim).max(1);
    for_rows(x, width, &|first, x| {
        let of_rows = first * pairs..(first + x.len() / width) * pairs;
        let (cos, sin) = (&rotary.cos[of_rows.clone()], &rotary.sin[of_rows]);
        let rotary = Rotary { cos, sin, pairs };
        run_on(isa, Rotation { direction, x, width, head_dim, rotary });
    });
}

struct Rotation<'a> {
    direction: Direction,
    x: &'a mut [f32],
    /// Of a row.
    width: usize,
    head_dim: usize,
    rotary: Rotary<'a>,
}

impl Kernel for Rotation<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: passed on.
        unsafe {
            match self.direction {
                Direction::Forward => self.rows::<L, false>(),
                Direction::Backward => self.rows::<L, true>(),
            }
        }
    }
}

impl Rotation<'_> {
    /// # Safety
    ///
    /// As [`Kernel::run`].
    #[inline(always)]
    unsafe fn rows<L: Lanes, const BACK: bool>(self) {
        let Rotary { cos, sin, pairs } = self.rotary;
        if pairs == 0 {
            return;
        }
        let angles = cos.chunks_exact(pairs).zip(sin.chunks_exact(pairs));
        for (row, (cos, sin)) in self.x.chunks_exact_mut(self.width).zip(angles) {
            for head in row.chunks_exact_mut(self.head_dim) {
                let (first, second) = head[..2 * pairs].split_at_mut(pairs);
                for start in (0..pairs).step_by(LANES) {
                    let n = LANES.min(pairs - start);
                    let range = start..start + n;
                    let (cos, sin) = (&cos[range.clone()], &sin[range.clone()]);
                    let (first, second) = (&mut first[range.clone()], &mut second[range]);
                    // SAFETY: slices are `n` long.
                    unsafe {
                        if n == LANES {
                            let (cos, sin) = (L::load(cos.as_ptr()), L::load(sin.as_ptr()));
                            let (a, b) = (L::load(first.as_ptr()), L::load(second.as_ptr()));
                            let (a, b) = rotated::<L, BACK>(a, b, cos, sin);
                            a.store(first.as_mut_ptr());
                            b.store(second.as_mut_ptr());
                        } else {
                            let a = L::load_first(first.as_ptr(), n);
                            let b = L::load_first(second.as_ptr(), n);
                            let cos = L::load_first(cos.as_ptr(), n);
                            let sin = L::load_first(sin.as_ptr(), n);
                            let (a, b) = rotated::<L, BACK>(a, b, cos, sin);
                            a.store_first(first.as_mut_ptr(), n);
                            b.store_first(second.as_mut_ptr(), n);
                        }
                    }
                }
            }
        }
    }
}

/// `(a · cos - b · sin, b · cos + a · sin)`, and back with the other signs.
///
/// # Safety
///
/// As [`Kernel::run`].
#[inline(always)]
unsafe fn rotated<L: Lanes, const BACK: bool>(a: L, b: L, cos: L, sin: L) -> (L, L) {
    // SAFETY: passed on.
    unsafe {
        if BACK {
            (a.mul(cos).add(b.mul(sin)), b.mul(cos).sub(a.mul(sin)))
        } else {
            (a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin)))
        }
    }
}
