#![expect(unsafe_code, reason = "threads write disjoint parts of the output")]

use std::ops::Range;

use super::blocks::{Block, Blocks};
use super::kernel::{PANEL, Panels, ROW_STRIDE, Sums};
use super::matrix::Matrix;
use super::method::Method;
use super::panels::write_column_panels;
use super::rows::write_rows;
use super::scratch::{ONE_THREAD, SHARED, SUMS, UNPACKED, with_scratch};
use super::shared_out::SharedOut;
use super::task_size::task_size;
use crate::FrozenWeight;
use crate::parallel::{parallel_parts, threads};

/// Columns of the weight that a task takes at most: panels of one block fit the second-level cache.
const MAX_COLS: usize = 128;

/// Columns that are unpacked at once: a block of NF4.
const COLS_STEP: usize = 64;

/// Words of `dy` that are laid out at once, where that is a few blocks at least: they stay in the caches while the tasks read
/// them, each for its own columns.
const WORDS_AT_ONCE: usize = 1 << 21;

/// The fewest blocks that are laid out at once: sums go to the output and come back between.
pub(super) const FEWEST_BLOCKS: usize = 8;

struct Task {
    rows: Range<usize>,
    cols: Range<usize>,
}

/// `out = dy · W`. Rows of `dy` are laid out block after block, some blocks at a time; a task unpacks columns of the weight
/// into panels.
pub(super) fn product_transposed(
    method: Method,
    dy: &[f32],
    m: usize,
    weight: &FrozenWeight,
    out: &mut [f32],
) {
    let (n, k) = (weight.rows(), weight.cols());
    let blocks: Vec<_> = Blocks::new(n, method.kernel.word).iter().collect();
    if blocks.is_empty() {
        return out.fill(0.0);
    }
    let dy = Matrix::dense(dy, n);
    let padded = m.next_multiple_of(PANEL);
    let block_words = padded * ROW_STRIDE;
    let at_once = (WORDS_AT_ONCE / block_words.max(1)).max(FEWEST_BLOCKS).min(blocks.len());
    let tasks = tasks(m, k);
    let out = SharedOut::new(out, k);
    with_scratch(&SHARED, at_once * block_words, |rows| {
        for (i, blocks) in blocks.chunks(at_once).enumerate() {
            lay_out(method, dy, m, blocks, rows);
            parallel_parts(tasks.len(), &|task| {
                let rows = (&*rows, block_words);
                run(method, &tasks[task], Matrix::from(weight), (blocks, i == 0), rows, out);
            });
        }
    });
}

/// Writes blocks of all rows, one block after the other.
fn lay_out(method: Method, dy: Matrix<'_>, m: usize, blocks: &[Block], rows: &mut [f32]) {
    let shared = SharedOut::new(rows, ROW_STRIDE);
    let parts = m.div_ceil(PANEL);
    let write = |i: usize| {
        let row = i % parts * PANEL;
        let len = PANEL * ROW_STRIDE;
        // SAFETY: each part is written by one thread only, and is as long as asserted.
        let out = unsafe {
            let at = shared.part((i * PANEL, PANEL), (0, ROW_STRIDE));
            std::slice::from_raw_parts_mut(at, len)
        };
        write_rows(method, dy, row..m.min(row + PANEL), &blocks[i / parts], out);
    };
    let values = blocks.iter().map(|block| block.values.len()).sum::<usize>() * m;
    if values <= ONE_THREAD {
        (0..blocks.len() * parts).for_each(write);
    } else {
        parallel_parts(blocks.len() * parts, &write);
    }
}

fn tasks(m: usize, k: usize) -> Vec<Task> {
    let (cols, rows) = task_size(&[k], m, (COLS_STEP, MAX_COLS), threads());
    let mut tasks = Vec::new();
    for col in (0..k).step_by(cols) {
        for row in (0..m).step_by(rows) {
            tasks.push(Task { rows: row..m.min(row + rows), cols: col..k.min(col + cols) });
        }
    }
    tasks
}

/// Adds up some blocks; unless they are the first ones, to what the output has.
fn run(
    method: Method,
    task: &Task,
    weight: Matrix<'_>,
    (blocks, first): (&[Block], bool),
    (rows, block_words): (&[f32], usize),
    out: SharedOut<'_>,
) {
    let n_rows = task.rows.len();
    let n_panels = task.cols.len().div_ceil(PANEL);
    let stride = n_rows.next_multiple_of(PANEL) * PANEL;
    let depth = blocks.iter().map(|block| block.depth).max().unwrap_or(0);
    // One more line keeps panels out of each other's cache sets.
    let panel_stride = (depth + 1) * PANEL;
    with_scratch(&UNPACKED, n_panels * panel_stride, |unpacked| {
        with_scratch(&SUMS, n_panels * stride, |values| {
            if !first {
                exchange(task, out, values, stride, |sums, out| sums.copy_from_slice(out));
            }
            let mut sums = Sums { values, stride };
            for (i, block) in blocks.iter().enumerate() {
                let cols = task.cols.clone();
                write_column_panels(method, weight, cols, block, unpacked, panel_stride);
                let panels = Panels { words: unpacked, stride: panel_stride, count: n_panels };
                let rows = &rows[i * block_words + task.rows.start * ROW_STRIDE..];
                let first = first && i == 0;
                method.kernel.multiply(rows, n_rows, block.depth, panels, &mut sums, first);
            }
            exchange(task, out, sums.values, stride, |sums, out| out.copy_from_slice(sums));
        });
    });
}

/// Calls `copy` with each line of the sums and its place in the output.
fn exchange(
    task: &Task,
    out: SharedOut<'_>,
    sums: &mut [f32],
    stride: usize,
    copy: impl Fn(&mut [f32], &mut [f32]),
) {
    for (panel, sums) in sums.chunks_mut(stride).enumerate() {
        let col = task.cols.start + panel * PANEL;
        let n_cols = PANEL.min(task.cols.end - col);
        for (row, sums) in task.rows.clone().zip(sums.chunks_mut(PANEL)) {
            // SAFETY: this part of the output belongs to this task alone.
            let out = unsafe {
                std::slice::from_raw_parts_mut(out.part((row, 1), (col, n_cols)), n_cols)
            };
            copy(&mut sums[..n_cols], out);
        }
    }
}
