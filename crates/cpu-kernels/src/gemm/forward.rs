#![expect(unsafe_code, reason = "threads write disjoint parts of the outputs")]

use std::ops::Range;

use super::blocks::Blocks;
use super::kernel::{PANEL, Panels, ROW_STRIDE, Sums};
use super::matrix::Matrix;
use super::method::Method;
use super::panels::write_row_panel;
use super::rows::write_rows;
use super::scratch::{ONE_THREAD, SHARED, SUMS, UNPACKED, with_scratch};
use super::shared_out::SharedOut;
use super::task_size::task_size;
use crate::Output;
use crate::cpu_features::Isa;
use crate::parallel::{parallel_parts, threads};
use crate::transpose::transpose;

/// Rows of a weight that a task takes at most: eight groups of the widest kernel, seven lines of an output row.
const MAX_WEIGHT_ROWS: usize = 112;

struct Task<'a> {
    weight: Matrix<'a>,
    out: SharedOut<'a>,
    rows: Range<usize>,
    panels: Range<usize>,
}

/// `out = x · Wᵀ` for each weight. Rows of `x` become panels once; a task unpacks rows of a weight, block after block,
/// and multiplies them by all its panels.
pub(super) fn products(method: Method, x: &[f32], m: usize, outputs: &mut [Output<'_>]) {
    let Some(k) = outputs.first().map(|output| output.weight.cols()) else { return };
    let x = Matrix::dense(x, k);
    let blocks = Blocks::new(k, method.kernel.word);
    let panel_words = blocks.words() * PANEL;
    let n_panels = m.div_ceil(PANEL);
    with_scratch(&SHARED, n_panels * panel_words, |panels| {
        if panel_words > 0 {
            let shared = SharedOut::new(panels, panel_words);
            let write = |p: usize| {
                // SAFETY: each panel is written by one thread only, and is as long as asserted.
                let panel = unsafe {
                    std::slice::from_raw_parts_mut(
                        shared.part((p, 1), (0, panel_words)),
                        panel_words,
                    )
                };
                write_row_panel(method, x, p * PANEL..m.min((p + 1) * PANEL), blocks, panel);
            };
            if m * k <= ONE_THREAD {
                (0..n_panels).for_each(write);
            } else {
                parallel_parts(n_panels, &write);
            }
        }
        let tasks = tasks(outputs, m);
        parallel_parts(tasks.len(), &|i| run(method, &tasks[i], m, blocks, panels));
    });
}

fn tasks<'a>(outputs: &'a mut [Output<'_>], m: usize) -> Vec<Task<'a>> {
    let n_panels = m.div_ceil(PANEL);
    let lengths: Vec<usize> = outputs.iter().map(|output| output.weight.rows()).collect();
    let (rows, panels) = task_size(&lengths, m, (PANEL, MAX_WEIGHT_ROWS), threads());
    let panels = panels / PANEL;
    let mut tasks = Vec::new();
    for Output { weight, out } in outputs {
        let n = weight.rows();
        let out = SharedOut::new(out, n);
        for row in (0..n).step_by(rows) {
            for panel in (0..n_panels).step_by(panels) {
                tasks.push(Task {
                    weight: Matrix::from(*weight),
                    out,
                    rows: row..n.min(row + rows),
                    panels: panel..n_panels.min(panel + panels),
                });
            }
        }
    }
    tasks
}

fn run(method: Method, task: &Task<'_>, m: usize, blocks: Blocks, panels: &[f32]) {
    let n_rows = task.rows.len();
    let padded = n_rows.next_multiple_of(PANEL);
    let panel_words = blocks.words() * PANEL;
    let stride = padded * PANEL;
    with_scratch(&UNPACKED, padded * ROW_STRIDE, |unpacked| {
        with_scratch(&SUMS, task.panels.len() * stride, |values| {
            if blocks.words() == 0 {
                values.fill(0.0);
            }
            let mut sums = Sums { values, stride };
            for block in blocks.iter() {
                write_rows(method, task.weight, task.rows.clone(), &block, unpacked);
                let panels = Panels {
                    words: &panels[task.panels.start * panel_words + block.start * PANEL..],
                    stride: panel_words,
                    count: task.panels.len(),
                };
                let first = block.start == 0;
                method.kernel.multiply(unpacked, n_rows, block.depth, panels, &mut sums, first);
            }
            for (panel, sums) in task.panels.clone().zip(sums.values.chunks(stride)) {
                store(method.kernel.isa, task, (panel * PANEL, m.min((panel + 1) * PANEL)), sums);
            }
        });
    });
}

/// Stores the sums of a panel, `[rows of W][rows of x]`, as `[rows of x][rows of W]`.
fn store(isa: Isa, task: &Task<'_>, (row, row_end): (usize, usize), sums: &[f32]) {
    let n_rows = row_end - row;
    for col in task.rows.clone().step_by(PANEL) {
        let n_cols = PANEL.min(task.rows.end - col);
        let sums = &sums[(col - task.rows.start) * PANEL..];
        // SAFETY: this part of the output belongs to this task alone.
        unsafe {
            let to = task.out.part((row, n_rows), (col, n_cols));
            transpose(isa, sums, PANEL, (n_cols, n_rows), to, task.out.cols());
        }
    }
}
