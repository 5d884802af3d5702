use crate::Market;

/// The last `window` daily returns of a security, close to close, that were known before `day`.
/// `returns` is cleared first; it holds fewer where the history is shorter. A missing bar joins the
/// closes around it.
pub(crate) fn returns_before(
    market: &Market,
    day: usize,
    asset: usize,
    window: usize,
    returns: &mut Vec<f64>,
) {
    returns.clear();
    let mut later: Option<(usize, f64)> = None;
    for day in (0..day).rev() {
        let close = market.closes(day)[asset];
        if close.is_nan() {
            continue;
        }
        if let Some((later_day, later)) = later {
            let shares = market.split_ratio(asset, day, later_day);
            returns.push(later * shares / close - 1.0);
            if returns.len() == window {
                break;
            }
        }
        later = Some((day, close));
    }
    // The window must be full: an estimate from a few returns is none.
    if returns.len() < window {
        returns.clear();
    }
}

/// Mean and sample variance (ddof 1). `None` for fewer than two values, or a variance that is
/// nothing but rounding.
pub(crate) fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let variance = squares / (count - 1.0);
    (variance.sqrt() > 1e-12 * (1.0 + mean.abs())).then_some((mean, variance))
}

/// The mean volume in shares of a security's last `window` bars before `day`; `None` without a bar
/// of known volume.
pub(crate) fn average_volume(
    market: &Market,
    day: usize,
    asset: usize,
    window: usize,
) -> Option<f64> {
    // In shares of `day`: a split since then counts.
    let volume = |past: usize| market.volumes(past)[asset] * market.split_ratio(asset, past, day);
    let volumes = (0..day).rev().map(volume).filter(|volume| !volume.is_nan());
    let (sum, count) = volumes.take(window).fold((0.0, 0_u32), |(sum, n), v| (sum + v, n + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use thesis_core::Ticker;

    use super::*;

    fn market(closes: &[f64], volumes: &[f64]) -> Market {
        let day =
            |n: usize| NaiveDate::from_num_days_from_ce_opt(738_000 + n as i32).expect("a date");
        let dates = (0..closes.len()).map(day).collect();
        let tickers = vec![Ticker::new("A").expect("a ticker")];
        Market::new(dates, tickers, closes.to_vec(), closes.to_vec(), volumes.to_vec())
            .expect("a market")
    }

    #[test]
    fn nothing_of_the_day_itself() {
        let market = market(&[100.0, 110.0, f64::NAN, 121.0, 1e6], &[1.0, 3.0, f64::NAN, 5.0, 1e9]);
        let mut returns = vec![9.0];
        returns_before(&market, 4, 0, 2, &mut returns);
        assert!(returns.iter().all(|r| (r - 0.1).abs() < 1e-12) && returns.len() == 2);
        returns_before(&market, 4, 0, 3, &mut returns);
        assert!(returns.is_empty());
        assert_eq!(average_volume(&market, 4, 0, 2), Some(4.0));
        assert_eq!(average_volume(&market, 4, 0, 20), Some(3.0));
        assert_eq!(average_volume(&market, 0, 0, 20), None);
    }

    #[test]
    fn a_split_is_no_return() {
        let market = market(&[100.0, 50.0, 50.0, 55.0], &[1.0, 4.0, 2.0, 9.0]);
        let event = crate::Event {
            date: market.dates()[1],
            ticker: market.tickers()[0].clone(),
            action: crate::CorporateAction::Split(2.0),
        };
        let market = market.with_events(&[event], crate::PriceBasis::Raw).unwrap();
        let mut returns = Vec::new();
        returns_before(&market, 3, 0, 2, &mut returns);
        assert_eq!(returns, [0.0, 0.0]);
        assert_eq!(average_volume(&market, 2, 0, 2), Some(3.0));
    }

    #[test]
    fn no_variance_is_no_estimate() {
        assert_eq!(mean_and_variance(&[0.1, 0.1, 0.1]), None);
        assert_eq!(mean_and_variance(&[0.1]), None);
        assert_eq!(mean_and_variance(&[1.0, 3.0]), Some((2.0, 2.0)));
    }
}
