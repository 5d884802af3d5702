use std::ops::Range;

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
    /// Makes rows `at` of the base's weight, `[at.len(), inputs]`, those of the adapted one:
    /// `W + scaling · B · A`, and with DoRA `magnitude · row / ‖row‖` of that. Sums are taken in f64 and rounded once.
    pub(crate) fn merge(&self, at: Range<usize>, weight: &mut [f32]) {
        let inputs = self.a.len() / self.rank.max(1);
        let mut sum = vec![0.0_f64; inputs];
        for (row, weight) in at.zip(weight.chunks_exact_mut(inputs.max(1))) {
            sum.iter_mut().zip(&*weight).for_each(|(sum, weight)| *sum = f64::from(*weight));
            let b = &self.b[row * self.rank..(row + 1) * self.rank];
            for (b, a) in b.iter().zip(self.a.chunks_exact(inputs.max(1))) {
                let factor = self.scaling * f64::from(*b);
                sum.iter_mut().zip(a).for_each(|(sum, a)| *sum += factor * f64::from(*a));
            }
            let factor = match &self.magnitude {
                None => 1.0,
                Some(all) => f64::from(all[row]) / sum.iter().map(|v| v * v).sum::<f64>().sqrt(),
            };
            weight.iter_mut().zip(&sum).for_each(|(weight, sum)| *weight = (factor * sum) as f32);
        }
    }
}
