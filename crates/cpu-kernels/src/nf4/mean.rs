//! The mean as torch 2.13 computes it on a CPU with one thread, to the last bit.

/// Lanes of a vector.
const LANES: usize = 8;
/// Vectors summed side by side.
const ROWS: usize = 4;
/// Levels of the cascade.
const LEVELS: usize = 4;

/// Sum over count; NaN without values.
pub(super) fn mean(values: &[f32]) -> f32 {
    sum(values) / values.len() as f32
}

/// Vectors of 8 lanes in 4 rows, each row by a cascade, then the rows, the rest, and the lanes in order.
///
/// Fewer than 8 values are vectors of one lane.
fn sum(values: &[f32]) -> f32 {
    if values.len() < LANES {
        return rows_sum::<1>(values)[0];
    }
    let whole = values.len() / LANES * LANES;
    let lanes = rows_sum::<LANES>(&values[..whole]);
    let rest = values[whole..].iter().fold(0.0, |sum, v| sum + v);
    lanes.iter().fold(rest, |sum, v| sum + v)
}

/// The sum of vectors of `N` lanes, lane by lane.
fn rows_sum<const N: usize>(values: &[f32]) -> [f32; N] {
    let (vectors, _) = values.as_chunks::<N>();
    let (groups, rest) = vectors.as_chunks::<ROWS>();
    let mut rows = cascade(groups);
    for vector in rest {
        add(&mut rows[0], vector);
    }
    let [mut sum, others @ ..] = rows;
    others.iter().for_each(|row| add(&mut sum, row));
    sum
}

/// Sums of short runs, sums of those, and so on: rounding errors grow with the logarithm of the length.
fn cascade<const N: usize>(groups: &[[[f32; N]; ROWS]]) -> [[f32; N]; ROWS] {
    let power = (ceil_log2(groups.len()) / LEVELS as u32).max(4);
    let step = 1 << power;
    let mut levels = [[[0.0; N]; ROWS]; LEVELS];
    let runs = groups.chunks_exact(step);
    let rest = runs.remainder();
    for (run, groups) in runs.enumerate() {
        groups.iter().for_each(|group| add_rows(&mut levels[0], group));
        let done = (run + 1) * step;
        for level in 1..LEVELS {
            let below = std::mem::replace(&mut levels[level - 1], [[0.0; N]; ROWS]);
            add_rows(&mut levels[level], &below);
            if done & ((step - 1) << (level as u32 * power)) != 0 {
                break;
            }
        }
    }
    let [mut sums, others @ ..] = levels;
    rest.iter().for_each(|group| add_rows(&mut sums, group));
    others.iter().for_each(|level| add_rows(&mut sums, level));
    sums
}

fn add_rows<const N: usize>(sums: &mut [[f32; N]; ROWS], rows: &[[f32; N]; ROWS]) {
    sums.iter_mut().zip(rows).for_each(|(sum, row)| add(sum, row));
}

fn add<const N: usize>(sum: &mut [f32; N], vector: &[f32; N]) {
    sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v);
}

fn ceil_log2(n: usize) -> u32 {
    n.next_power_of_two().trailing_zeros()
}
