use thesis_core::Bar;

/// The sessions that a record shows, as ratios to the as-of session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PriceWindow {
    /// Price of each session in units of the last one's, which is 1; oldest first.
    pub(crate) relative: Vec<f64>,
    /// Volume of each session in units of their mean; `None` where that is 0.
    pub(crate) volumes: Option<Vec<f64>>,
    /// Standard deviation of the daily log returns in the window (ddof 1); a fraction, per day.
    pub(crate) volatility: f64,
    /// The as-of close as quoted.
    pub(crate) close: f64,
}

impl PriceWindow {
    /// Measures the window that `bars` are; the last one is the as-of session. There are at least 3.
    pub(crate) fn new(bars: &[Bar]) -> Self {
        let prices = ratio_prices(bars);
        let last = prices.last().copied().unwrap_or(f64::NAN);
        let relative: Vec<f64> = prices.iter().map(|price| price / last).collect();
        let mean = bars.iter().map(|bar| bar.volume).sum::<f64>() / bars.len() as f64;
        let volumes = (mean > 0.0).then(|| bars.iter().map(|bar| bar.volume / mean).collect());
        let logs: Vec<f64> = relative.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
        let close = bars.last().map_or(f64::NAN, |bar| bar.close);
        Self { volatility: sample_deviation(&logs), relative, volumes, close }
    }

    /// Simple return from `sessions` sessions before the as-of close to it, as a fraction; `None`
    /// where the window does not reach back so far.
    pub(crate) fn trailing_return(&self, sessions: usize) -> Option<f64> {
        let at = self.relative.len().checked_sub(1 + sessions)?;
        Some(1.0 / self.relative[at] - 1.0)
    }

    /// How many sessions lie before the as-of session.
    pub(crate) fn span(&self) -> usize {
        self.relative.len() - 1
    }
}

/// Prices whose ratios are returns: the adjusted closes where every bar has one, else the closes.
/// A mixture would show each change from one to the other as a jump.
pub(crate) fn ratio_prices(bars: &[Bar]) -> Vec<f64> {
    let adjusted: Option<Vec<f64>> = bars.iter().map(|bar| bar.adj_close).collect();
    adjusted.unwrap_or_else(|| bars.iter().map(|bar| bar.close).collect())
}

fn sample_deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn bars(prices: &[(f64, Option<f64>, f64)]) -> Vec<Bar> {
        let bar = |&(close, adj_close, volume): &(f64, Option<f64>, f64)| Bar {
            date: NaiveDate::MIN,
            open: close,
            high: close,
            low: close,
            close,
            adj_close,
            volume,
        };
        prices.iter().map(bar).collect()
    }

    #[test]
    fn ratios_to_the_last_session() {
        let window =
            PriceWindow::new(&bars(&[(50.0, None, 1.0), (100.0, None, 2.0), (80.0, None, 3.0)]));
        assert_eq!(window.relative, [0.625, 1.25, 1.0]);
        assert_eq!(window.volumes, Some(vec![0.5, 1.0, 1.5]));
        assert_eq!(window.trailing_return(1), Some(1.0 / 1.25 - 1.0));
        assert_eq!(window.trailing_return(2), Some(1.0 / 0.625 - 1.0));
        assert_eq!(window.trailing_return(3), None);
        // Of two values, the sample deviation is their distance over √2: ln 2 − ln 0.8 = ln 2.5.
        assert!((window.volatility - 2.5_f64.ln() / 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn adjusted_closes_count_where_all_bars_have_one() {
        let all = [(10.0, Some(5.0), 0.0), (10.0, Some(10.0), 0.0), (10.0, Some(10.0), 0.0)];
        assert_eq!(PriceWindow::new(&bars(&all)).relative, [0.5, 1.0, 1.0]);
        assert_eq!(PriceWindow::new(&bars(&all)).volumes, None);
        let some = [(10.0, Some(5.0), 0.0), (10.0, None, 0.0), (10.0, Some(10.0), 0.0)];
        assert_eq!(PriceWindow::new(&bars(&some)).relative, [1.0, 1.0, 1.0]);
    }
}
