use rayon::prelude::*;

/// The adapter of a projection in plain memory, for programs that have no adapters.
#[derive(Clone, Debug)]
pub(crate) struct HostLora {
    pub(crate) rank: usize,
    /// What the correction is multiplied by.
    pub(crate) scaling: f64,
    /// `[rank, inputs]`.
    pub(crate) a: Vec<f32>,
    /// `[outputs, rank]`.
    pub(crate) b: Vec<f32>,
    /// `[outputs]`, with DoRA.
    pub(crate) magnitude: Option<Vec<f32>>,
}

impl HostLora {
    /// Makes rows of the base's weight, `[rows, inputs]` from row `first` on, those of the adapted one:
    /// `W + scaling · B · A`, and with DoRA `magnitude · row / ‖row‖` of that. Sums are taken in f64 and rounded once.
    pub(crate) fn merge(&self, first: usize, weight: &mut [f32]) {
        let inputs = (self.a.len() / self.rank.max(1)).max(1);
        weight.par_chunks_exact_mut(inputs).enumerate().for_each_init(
            || vec![0.0_f64; inputs],
            |sum, (row, weight)| self.merge_row(first + row, weight, sum),
        );
    }

    fn merge_row(&self, row: usize, weight: &mut [f32], sum: &mut [f64]) {
        sum.iter_mut().zip(&*weight).for_each(|(sum, weight)| *sum = f64::from(*weight));
        let b = &self.b[row * self.rank..(row + 1) * self.rank];
        for (b, a) in b.iter().zip(self.a.chunks_exact(weight.len())) {
            let factor = self.scaling * f64::from(*b);
            sum.iter_mut().zip(a).for_each(|(sum, a)| *sum += factor * f64::from(*a));
        }
        let factor = match &self.magnitude {
            None => 1.0,
            Some(all) => f64::from(all[row]) / sum.iter().map(|v| v * v).sum::<f64>().sqrt(),
        };
        weight.iter_mut().zip(sum).for_each(|(weight, sum)| *weight = (factor * *sum) as f32);
    }
}
