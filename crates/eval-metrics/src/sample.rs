use crate::paired::mean;

/// Mean, spread and t-statistic of a sample; `None` too where one overflows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// The arithmetic mean; `None` without a value.
    pub(crate) mean: Option<f64>,
    /// The standard deviation (ddof 1); `None` for fewer than two values.
    pub(crate) std: Option<f64>,
    /// mean / (std / √n), against a mean of 0; `None` where that is no number.
    pub(crate) t_statistic: Option<f64>,
}

impl Sample {
    pub(crate) fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let center = (!values.is_empty()).then(|| mean(values)).filter(|mean| mean.is_finite());
        let std = center.filter(|_| values.len() > 1).map(|center| {
            // The mean of equal values may be one bit off, and their spread is still 0.
            if values.iter().all(|value| *value == values[0]) {
                return 0.0;
            }
            let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
            (squares / (count - 1.0)).sqrt()
        });
        let std = std.filter(|std| std.is_finite());
        let t_statistic = center.zip(std.filter(|std| *std > 0.0));
        let t_statistic = t_statistic.map(|(center, std)| center / (std / count.sqrt()));
        Self { mean: center, std, t_statistic }
    }
}
