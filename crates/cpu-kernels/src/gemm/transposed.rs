#![expect(unsafe_code, reason = "threads write disjoint parts of the output")]

use std::ops::Range;

use super::blocks::Blocks;
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

struct Task {
    rows: Range<usize>,
    cols: Range<usize>,
}

/// `out = dy · W`. Rows of `dy` are laid out once, block after block; a task unpacks columns of the weight into panels.
pub(super) fn product_transposed(
    method: Method,
    dy: &[f32],
    m: usize,
    weight: &FrozenWeight,
    out: &mut [f32],
) {
    let (n, k) = (weight.rows(), weight.cols());
    let dy = Matrix::dense(dy, n);
    let blocks = Blocks::new(n, method.kernel.word);
    let n_blocks = blocks.iter().count();
    let padded = m.next_multiple_of(PANEL);
    let block_words = padded * ROW_STRIDE;
    with_scratch(&SHARED, n_blocks * block_words, |rows| {
        let shared = SharedOut::new(rows, ROW_STRIDE);
        let parts = padded / PANEL;
        let write = |i: usize| {
            let Some(block) = blocks.iter().nth(i / parts) else { return };
            let row = i % parts * PANEL;
            let len = PANEL * ROW_STRIDE;
            // SAFETY: each part is written by one thread only, and is as long as asserted.
            let out = unsafe {
                let at = shared.part((i * PANEL, PANEL), (0, ROW_STRIDE));
                std::slice::from_raw_parts_mut(at, len)
            };
            write_rows(method, dy, row..m.min(row + PANEL), &block, out);
        };
        if m * n <= ONE_THREAD {
            (0..n_blocks * parts).for_each(write);
        } else {
            parallel_parts(n_blocks * parts, &write);
        }
        let tasks = tasks(m, k);
        let out = SharedOut::new(out, k);
        parallel_parts(tasks.len(), &|i| {
            run(method, &tasks[i], Matrix::from(weight), blocks, (rows, block_words), out);
        });
    });
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

fn run(
    method: Method,
    task: &Task,
    weight: Matrix<'_>,
    blocks: Blocks,
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
            if depth == 0 {
                values.fill(0.0);
            }
            let mut sums = Sums { values, stride };
            for (i, block) in blocks.iter().enumerate() {
                let cols = task.cols.clone();
                write_column_panels(method, weight, cols, &block, unpacked, panel_stride);
                let panels = Panels { words: unpacked, stride: panel_stride, count: n_panels };
                let rows = &rows[i * block_words + task.rows.start * ROW_STRIDE..];
                method.kernel.multiply(rows, n_rows, block.depth, panels, &mut sums, i == 0);
            }
            for (panel, sums) in sums.values.chunks(stride).enumerate() {
                let col = task.cols.start + panel * PANEL;
                let n_cols = PANEL.min(task.cols.end - col);
                for (row, sums) in task.rows.clone().zip(sums.chunks(PANEL)) {
                    // SAFETY: this part of the output belongs to this task alone.
                    let to = unsafe {
                        std::slice::from_raw_parts_mut(out.part((row, 1), (col, n_cols)), n_cols)
                    };
                    to.copy_from_slice(&sums[..n_cols]);
                }
            }
        });
    });
}
