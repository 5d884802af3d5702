//! Bars of a histogram.

use crate::series::is_drawable;

/// Bars of one width, the edges at multiples of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Bins {
    first: f64,
    pub(crate) width: f64,
    pub(crate) counts: Vec<usize>,
}

impl Bins {
    /// The left edge of bar `index`.
    pub(crate) fn edge(&self, index: usize) -> f64 {
        (self.first + index as f64) * self.width
    }
}

/// Counts values into bars, a value on an edge into the one above: 2 · interquartile range / ∛n wide (Freedman and Diaconis, 1981), then
/// rounded down to 1, 2 or 5 times a power of ten, and wider where there would be more than 160 bars.
/// `None` without a drawable value.
pub(crate) fn bins(values: &[f64]) -> Option<Bins> {
    const MOST: f64 = 160.0;
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| is_drawable(*value)).collect();
    sorted.sort_by(f64::total_cmp);
    let (lo, hi) = (*sorted.first()?, *sorted.last()?);
    let rule =
        2.0 * (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / (sorted.len() as f64).cbrt();
    // All values the same, or nearly: ten bars about them.
    let least = ((hi - lo) / MOST).max(lo.abs().max(hi.abs()) * 1e-6).max(1e-6);
    let width = round_down(rule).max(round_up(least));
    let place = |value: f64| (value / width + 1e-9).floor();
    let first = place(lo);
    let mut counts = vec![0; (place(hi) - first) as usize + 1];
    for value in sorted {
        counts[(place(value) - first) as usize] += 1;
    }
    Some(Bins { first, width, counts })
}

/// Between the two nearest values, as numpy's `percentile` does by default.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

fn round_down(width: f64) -> f64 {
    let power = 10f64.powf(width.log10().floor());
    let round = [5.0, 2.0, 1.0].map(|mantissa| mantissa * power);
    round.into_iter().find(|round| *round <= width * 1.000_001).unwrap_or(0.0)
}

fn round_up(width: f64) -> f64 {
    let power = 10f64.powf(width.log10().floor());
    let round = [1.0, 2.0, 5.0].map(|mantissa| mantissa * power);
    round.into_iter().find(|round| *round >= width * 0.999_999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edges_are_round_and_nothing_is_lost() {
        let check = |values: &[f64], width: f64, counts: &[usize]| {
            let bins = bins(values).unwrap();
            assert!((bins.width / width - 1.0).abs() < 1e-9, "{}", bins.width);
            assert_eq!(bins.counts, counts);
        };
        check(&[-0.01, 0.0, 0.005, 0.01, 0.03], 0.01, &[1, 2, 1, 0, 1]);
        check(&[0.1], 1e-6, &[1]);
        check(&[0.0, 0.0, f64::NAN], 1e-6, &[2]);
        assert_eq!(bins(&[]), None);
        assert_eq!(bins(&[f64::INFINITY]), None);
    }

    proptest! {
        #[test]
        fn every_value_lies_in_its_bar(values in prop::collection::vec(prop::num::f64::ANY, 0..200)) {
            let drawable = values.iter().filter(|value| is_drawable(**value)).count();
            let Some(bins) = bins(&values) else {
                prop_assert_eq!(drawable, 0);
                return Ok(());
            };
            prop_assert_eq!(bins.counts.iter().sum::<usize>(), drawable);
            prop_assert!(bins.counts.len() <= 162);
        }
    }
}
