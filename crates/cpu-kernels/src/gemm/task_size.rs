use super::kernel::PANEL;

/// Rows of the input that a task takes at most: what is made of one block of them fits the second-level cache.
const MAX_ROWS: usize = 512;

/// Columns of sums that take as long as unpacking a value of the weight.
const UNPACKING: usize = 12;

/// Rows of a weight that take as long as what a task has to do besides.
const OVERHEAD: usize = 4;

/// How much of the weights, in multiples of `step`, and how many of the `m` rows, in multiples of 16, a task takes: what
/// `threads` threads are likely done with first. `lengths` are the sides of the weights that are cut, in pieces of at most
/// `max_length`.
///
/// It decides who computes a sum, never how.
pub(super) fn task_size(
    lengths: &[usize],
    m: usize,
    (step, max_length): (usize, usize),
    threads: usize,
) -> (usize, usize) {
    let mut best = (f64::MAX, (max_length, MAX_ROWS));
    let fewest = m.div_ceil(MAX_ROWS).max(1);
    let most = m.div_ceil(4 * PANEL).min(64).max(fewest);
    for length in (1..=max_length / step).rev().map(|steps| steps * step) {
        let pieces: usize = lengths.iter().map(|n| n.div_ceil(length)).sum();
        for cuts in fewest..=most {
            let rows = m.div_ceil(cuts).next_multiple_of(PANEL);
            let tasks = pieces * m.div_ceil(rows.max(1));
            // A thread that was late has still about a quarter of a task to do.
            let rounds = tasks.div_ceil(threads) as f64 + 0.25;
            let time = rounds * ((length + OVERHEAD) * (rows + UNPACKING)) as f64;
            if time < best.0 {
                best = (time, (length, rows.max(PANEL)));
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_get_work_in_whole_panels() {
        for lengths in [&[][..], &[0], &[1], &[64], &[576], &[1536, 192, 192], &[49152]] {
            for m in [0, 1, 17, 64, 512, 4096] {
                for threads in [1, 2, 16, 96] {
                    let (length, rows) = task_size(lengths, m, (PANEL, 112), threads);
                    let of = format!("{lengths:?}, {m} rows, {threads} threads: {length}, {rows}");
                    assert!(length.is_multiple_of(PANEL) && rows.is_multiple_of(PANEL), "{of}");
                    assert!(
                        (PANEL..=112).contains(&length) && (PANEL..=MAX_ROWS).contains(&rows),
                        "{of}"
                    );
                    let pieces: usize = lengths.iter().map(|n| n.div_ceil(length)).sum();
                    let smallest: usize = lengths.iter().map(|n| n.div_ceil(PANEL)).sum();
                    let enough = threads.min(smallest * m.div_ceil(4 * PANEL));
                    assert!(2 * pieces * m.div_ceil(rows) >= enough, "{of}");
                }
            }
        }
    }
}
