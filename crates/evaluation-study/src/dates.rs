use eval_metrics::MetricError;
use eval_metrics::resampling::{
    Bootstrap, IntervalMethod, Resampling, bootstrap_interval_of_indices,
};
use thesis_core::AsOfDate;

use crate::{BootstrapSettings, Estimate, EvaluatedRow};

/// The dates of the rows, and how figures over rows get their intervals from them.
pub(crate) struct Dates {
    /// Of each row the place of its date among all dates.
    date_of: Vec<usize>,
    dates: Vec<AsOfDate>,
    bootstrap: BootstrapSettings,
}

/// What a row adds to the numerator and to the denominator of a share or a mean; (0, 0) where it
/// does not count.
pub(crate) type Part = (f64, f64);

/// A row that does not count.
pub(crate) const NO_PART: Part = (0.0, 0.0);

impl Dates {
    /// `rows` are in the order of their dates.
    pub(crate) fn of(rows: &[&EvaluatedRow], bootstrap: BootstrapSettings) -> Self {
        let mut dates: Vec<AsOfDate> = rows.iter().map(|row| row.as_of_date).collect();
        dates.dedup();
        let place = |row: &&EvaluatedRow| dates.partition_point(|date| *date < row.as_of_date);
        Self { date_of: rows.iter().map(place).collect(), dates, bootstrap }
    }

    pub(crate) fn first(&self) -> Option<AsOfDate> {
        self.dates.first().copied()
    }

    pub(crate) fn last(&self) -> Option<AsOfDate> {
        self.dates.last().copied()
    }

    pub(crate) fn count(&self) -> usize {
        self.dates.len()
    }

    /// The place of a row's date.
    pub(crate) fn place(&self, row: usize) -> usize {
        self.date_of[row]
    }

    /// How many neighbouring dates go together, of `count` dates that have a value.
    pub(crate) fn block(&self, count: usize, window: Option<u32>) -> usize {
        let root = (1..=count).find(|side| side.pow(3) >= count).unwrap_or(1);
        let days = match (self.first(), self.last()) {
            (Some(first), Some(last)) => (last.day() - first.day()).num_days() as f64,
            _ => 0.0,
        };
        let sessions = days * 5.0 / 7.0 + 1.0;
        let within = |window: u32| (f64::from(window) * count as f64 / sessions).ceil() as usize;
        root.max(window.map_or(0, within)).min(count / 4).max(1)
    }

    /// The mean of the values that there are, one a row.
    pub(crate) fn mean(&self, values: &[Option<f64>], window: Option<u32>) -> Option<Estimate> {
        self.share(&parts(values), window)
    }

    /// Σ numerators / Σ denominators; `None` where the latter is 0.
    pub(crate) fn share(&self, parts: &[Part], window: Option<u32>) -> Option<Estimate> {
        self.difference_of(&[parts], window, |[part]| ratio(*part))
    }

    /// The share of `left` minus that of `right`, both of the same dates.
    pub(crate) fn difference(
        &self,
        left: &[Part],
        right: &[Part],
        window: Option<u32>,
    ) -> Option<Estimate> {
        self.difference_of(&[left, right], window, |[left, right]| {
            Some(ratio(*left)? - ratio(*right)?)
        })
    }

    fn difference_of<const N: usize>(
        &self,
        parts: &[&[Part]; N],
        window: Option<u32>,
        statistic: impl Fn(&[Part; N]) -> Option<f64> + Sync,
    ) -> Option<Estimate> {
        let mut sums = vec![[NO_PART; N]; self.dates.len()];
        let mut rows = 0;
        for (row, date) in self.date_of.iter().enumerate() {
            for (sum, parts) in sums[*date].iter_mut().zip(parts) {
                sum.0 += parts[row].0;
                sum.1 += parts[row].1;
            }
            rows += u64::from(parts.iter().any(|parts| parts[row].1 != 0.0));
        }
        sums.retain(|sums| sums.iter().any(|sum| sum.1 != 0.0));
        self.of_dates(&sums, rows, window, |sums| {
            let mut all = [NO_PART; N];
            for sums in sums {
                for (all, sum) in all.iter_mut().zip(sums) {
                    all.0 += sum.0;
                    all.1 += sum.1;
                }
            }
            statistic(&all)
        })
    }

    /// The estimate of a statistic of things that each belong to one date, in the order of dates.
    pub(crate) fn of_dates<T: Sync>(
        &self,
        things: &[T],
        rows: u64,
        window: Option<u32>,
        statistic: impl Fn(&mut dyn Iterator<Item = &T>) -> Option<f64> + Sync,
    ) -> Option<Estimate> {
        let value = statistic(&mut things.iter()).filter(|value| value.is_finite())?;
        let block = self.block(things.len(), window);
        let BootstrapSettings { seed, replicates, confidence } = self.bootstrap;
        let bootstrap = Bootstrap {
            resampling: Resampling::Circular { block },
            interval: IntervalMethod::Percentile,
            confidence,
            replicates,
            seed,
        };
        let interval = bootstrap_interval_of_indices(things.len(), &bootstrap, |indices| {
            let mut drawn = indices.iter().map(|index| &things[*index]);
            statistic(&mut drawn)
                .ok_or(MetricError::Undefined { reason: "no row of the replicate counts" })
        })
        .ok();
        Some(Estimate {
            value,
            lower: interval.map(|interval| interval.lower),
            upper: interval.map(|interval| interval.upper),
            standard_error: interval.map(|interval| interval.standard_error),
            rows,
            dates: things.len() as u64,
            block_dates: block as u64,
        })
    }
}

/// Parts of a mean of the values that there are.
pub(crate) fn parts(values: &[Option<f64>]) -> Vec<Part> {
    values.iter().map(|value| value.map_or(NO_PART, |value| (value, 1.0))).collect()
}

fn ratio((numerator, denominator): Part) -> Option<f64> {
    (denominator != 0.0).then(|| numerator / denominator)
}
