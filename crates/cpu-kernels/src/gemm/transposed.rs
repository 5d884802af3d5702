#![expect(unsafe_code, reason = "threads write disjoint parts of the output")]

use std::ops::Range;

use super::blocks::Blocks;
use super::kernel::{PANEL, Panels, ROW_STRIDE, Sums};
use super::matrix::Matrix;
use super::method::Method;
use super::panels::write_column_panels;
use super::rows::write_rows;
use super::scratch::{SHARED, SUMS, UNPACKED, with_scratch};
use super::shared_out::SharedOut;
use crate::FrozenWeight;
use crate::parallel::parallel_parts;

/// Rows of `dy`, and columns of the weight, that one task multiplies at most; smaller ones where threads would be idle.
const TASK_SIZES: [(usize, usize); 5] = [(512, 128), (512, 64), (256, 64), (128, 64), (64, 32)];

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
        parallel_parts(n_blocks * parts, &|i| {
            let Some(block) = blocks.iter().nth(i / parts) else { return };
            let row = i % parts * PANEL;
            let len = PANEL * ROW_STRIDE;
            // SAFETY: each part is written by one thread only, and is as long as asserted.
            let out = unsafe {
                let at = shared.part((i * PANEL, PANEL), (0, ROW_STRIDE));
                std::slice::from_raw_parts_mut(at, len)
            };
            write_rows(method, dy, row..m.min(row + PANEL), &block, out);
        });
        let tasks = tasks(m, k);
        let out = SharedOut::new(out, k);
        parallel_parts(tasks.len(), &|i| {
            run(method, &tasks[i], Matrix::from(weight), blocks, (rows, block_words), out);
        });
    });
}

fn tasks(m: usize, k: usize) -> Vec<Task> {
    let threads = rayon::current_num_threads();
    let count = |&(rows, cols): &(usize, usize)| m.div_ceil(rows) * k.div_ceil(cols);
    let (rows, cols) = TASK_SIZES
        .into_iter()
        .find(|size| threads == 1 || count(size) >= 4 * threads)
        .unwrap_or(TASK_SIZES[TASK_SIZES.len() - 1]);
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
    with_scratch(&UNPACKED, n_panels * depth * PANEL, |unpacked| {
        with_scratch(&SUMS, n_panels * stride, |values| {
            if depth == 0 {
                values.fill(0.0);
            }
            let mut sums = Sums { values, stride };
            for (i, block) in blocks.iter().enumerate() {
                let words = &mut unpacked[..n_panels * block.depth * PANEL];
                write_column_panels(method, weight, task.cols.clone(), &block, words);
                let panels = Panels { words, stride: block.depth * PANEL, count: n_panels };
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
