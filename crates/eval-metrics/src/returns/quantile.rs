/// The value below which the share `share` of finite values lies, and its two neighbours in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quantile {
    /// The order statistic at or below the position.
    pub(crate) lower: f64,
    /// Between the two neighbours by the position's fraction.
    pub(crate) linear: f64,
}

/// The quantile at position `(n − 1)·share` of the sorted values, from 0; NaN of none.
///
/// `values` come back in another order. Source: Hyndman and Fan (1996), type 7.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> Quantile {
    let Some(last) = values.len().checked_sub(1) else {
        return Quantile { lower: f64::NAN, linear: f64::NAN };
    };
    let position = last as f64 * share.clamp(0.0, 1.0);
    let index = (position.floor() as usize).min(last);
    let (_, &mut lower, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    let upper = above.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    let fraction = position - index as f64;
    Quantile { lower, linear: lower + (upper - lower) * fraction }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_neighbours() {
        let check = |values: &[f64], share: f64, lower: f64, linear: f64| {
            let found = quantile(&mut values.to_vec(), share);
            assert_eq!((found.lower, found.linear), (lower, linear), "{values:?} at {share}");
        };
        check(&[7.0], 0.3, 7.0, 7.0);
        check(&[3.0, 1.0], 0.0, 1.0, 1.0);
        check(&[3.0, 1.0], 0.25, 1.0, 1.5);
        check(&[3.0, 1.0], 1.0, 3.0, 3.0);
        check(&[4.0, 0.0, 3.0, 1.0, 2.0], 0.5, 2.0, 2.0);
        check(&[4.0, 0.0, 3.0, 1.0, 2.0], 0.625, 2.0, 2.5);
        assert!(quantile(&mut [], 0.5).linear.is_nan());
    }
}
