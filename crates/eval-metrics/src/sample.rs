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
            // Values that differ by rounding alone, as correlations of few ranks do, are equal: a
            // t-statistic of 1e16 would be made of nothing.
            let (least, most) = values
                .iter()
                .fold((center, center), |(least, most), v| (v.min(least), v.max(most)));
            if most - least <= 4.0 * f64::EPSILON * most.abs().max(least.abs()) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_spread_has_no_t_statistic() {
        let check = |values: &[f64], want: Sample| assert_eq!(Sample::of(values), want);
        let (mean, std, t_statistic) = (None, None, None);
        check(&[], Sample { mean, std, t_statistic });
        check(&[0.25], Sample { mean: Some(0.25), std, t_statistic });
        check(&[0.25; 3], Sample { mean: Some(0.25), std: Some(0.0), t_statistic });
        let last_bit = 0.5 - f64::EPSILON / 4.0;
        check(&[last_bit, 0.5], Sample { mean: Some(0.5), std: Some(0.0), t_statistic });
        check(&[f64::MAX, f64::MAX], Sample { mean, std, t_statistic });
        let sample = Sample::of(&[1.0, 3.0]);
        assert_eq!(sample.std, Some(2.0_f64.sqrt()));
        assert!((sample.t_statistic.unwrap() - 2.0).abs() < 1e-15);
        assert!(Sample::of(&[1e-9, 1.1e-9]).t_statistic.is_some());
    }
}
