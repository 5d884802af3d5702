//! Unpacking by vectors, straight into the words of a kernel.
#![expect(unsafe_code, reason = "vector instructions")]

mod forms;

use std::arch::x86_64::*;
use std::ops::Range;

use forms::{FOUR, Int8Row, LANES, Unpack};

use super::{Form, Matrix};
use crate::gemm::kernel::PANEL;

/// Calls a function with the matrix in its form.
macro_rules! by_form {
    ($matrix:expr, $function:ident($($argument:expr),*)) => {
        // SAFETY: a kernel of this instruction set was chosen, so the features are there.
        unsafe {
            match $matrix.form {
                Form::F32(v) => $function(v, $($argument),*),
                Form::Bf16(v) => $function(v, $($argument),*),
                Form::F16(v) => $function(v, $($argument),*),
                Form::Nf4(v) => $function(v, $($argument),*),
                Form::Int8(v) => $function(Int8Row::new(v), $($argument),*),
            }
        }
    };
}

/// The values `at`. The same bits as the portable form gives.
pub(super) fn values(matrix: Matrix<'_>, at: Range<usize>, out: &mut [f32]) {
    by_form!(matrix, values_of(at, out));
}

/// The values `at` in pairs; zeros fill up.
pub(super) fn row_pairs(matrix: Matrix<'_>, at: Range<usize>, words: &mut [f32]) {
    by_form!(matrix, row_pairs_of(at, words));
}

/// The values `at`, a line of 16 to each panel.
pub(super) fn lines(matrix: Matrix<'_>, at: Range<usize>, panels: &mut [f32], stride: usize) {
    by_form!(matrix, lines_of(at, panels, stride));
}

/// Pairs of the values `first` and `second`, or zero, a line of 16 to each panel.
pub(super) fn line_pairs(
    matrix: Matrix<'_>,
    first: Range<usize>,
    second: Option<Range<usize>>,
    panels: &mut [f32],
    stride: usize,
) {
    by_form!(matrix, line_pairs_of(first, second, panels, stride));
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn values_of(form: impl Unpack, at: Range<usize>, out: &mut [f32]) {
    let form = form.of_row(at.start);
    let (fours, rest) = out.as_chunks_mut::<FOUR>();
    for (i, out) in fours.iter_mut().enumerate() {
        // SAFETY: the features of this function.
        let four = unsafe { form.four(at.start + i * FOUR) };
        for (out, vector) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(four) {
            store(out, vector);
        }
    }
    if !rest.is_empty() {
        let start = at.start + fours.len() * FOUR;
        form.scalars(start..at.end, rest);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bf16")]
fn row_pairs_of(form: impl Unpack, at: Range<usize>, words: &mut [f32]) {
    let form = form.of_row(at.start);
    let n_fours = at.len() / FOUR;
    let (whole, rest) = words.split_at_mut(n_fours * FOUR / 2);
    for (i, words) in whole.as_chunks_mut::<{ FOUR / 2 }>().0.iter_mut().enumerate() {
        // SAFETY: the features of this function.
        let [a, b, c, d] = unsafe { form.four(at.start + i * FOUR) };
        let (first, second) = words.split_at_mut(LANES);
        store(first, to_bf16(a, b));
        store(second, to_bf16(c, d));
    }
    rest.fill(0.0);
    let start = at.start + n_fours * FOUR;
    if start < at.end {
        let [a, b, c, d] = short(form, start..at.end);
        let mut pairs = [0.0; FOUR / 2];
        store(&mut pairs[..LANES], to_bf16(a, b));
        store(&mut pairs[LANES..], to_bf16(c, d));
        let n = pairs.len().min(rest.len());
        rest[..n].copy_from_slice(&pairs[..n]);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn lines_of(form: impl Unpack, at: Range<usize>, panels: &mut [f32], stride: usize) {
    let form = form.of_row(at.start);
    for start in at.clone().step_by(FOUR) {
        let here = start..at.end.min(start + FOUR);
        let n_lines = here.len().div_ceil(LANES);
        let four = four_or_short(form, here);
        for (i, vector) in four.into_iter().enumerate().take(n_lines) {
            let panel = (start - at.start) / LANES + i;
            store(&mut panels[panel * stride..][..PANEL], vector);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,avx512bf16")]
fn line_pairs_of(
    form: impl Unpack,
    first: Range<usize>,
    second: Option<Range<usize>>,
    panels: &mut [f32],
    stride: usize,
) {
    let form = form.of_row(first.start);
    let lower = second.map(|second| (form.of_row(second.start), second.start - first.start));
    // SAFETY: both are 512 plain bits.
    let order = unsafe {
        std::mem::transmute::<[u16; 32], __m512i>(std::array::from_fn(|i| {
            (i / 2 + i % 2 * 16) as u16
        }))
    };
    for start in first.clone().step_by(FOUR) {
        let here = start..first.end.min(start + FOUR);
        let n_lines = here.len().div_ceil(LANES);
        let upper = four_or_short(form, here.clone());
        let lower = match lower {
            Some((form, after)) => four_or_short(form, here.start + after..here.end + after),
            None => [_mm512_setzero_ps(); 4],
        };
        for i in 0..n_lines {
            let panel = (start - first.start) / LANES + i;
            let pairs = _mm512_castps_si512(to_bf16(upper[i], lower[i]));
            let pairs = _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, pairs));
            store(&mut panels[panel * stride..][..PANEL], pairs);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn four_or_short(form: impl Unpack, at: Range<usize>) -> [__m512; 4] {
    // SAFETY: the features of this function.
    if at.len() == FOUR { unsafe { form.four(at.start) } } else { short(form, at) }
}

/// Fewer than 64 values; zeros fill up.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
fn short(form: impl Unpack, at: Range<usize>) -> [__m512; 4] {
    let mut values = [0.0; FOUR];
    form.scalars(at.clone(), &mut values[..at.len()]);
    // SAFETY: 64 values.
    unsafe { (&raw const values).cast::<[__m512; 4]>().read_unaligned() }
}

/// 32 values rounded to bf16; subnormal ones become zero.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn to_bf16(low: __m512, high: __m512) -> __m512 {
    // SAFETY: both are 512 plain bits.
    unsafe { std::mem::transmute(_mm512_cvtne2ps_pbh(high, low)) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(out: &mut [f32], vector: __m512) {
    assert!(out.len() >= LANES);
    // SAFETY: as asserted.
    unsafe { _mm512_storeu_ps(out.as_mut_ptr(), vector) };
}
