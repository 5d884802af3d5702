//! Ends and ticks of an axis of numbers.

use crate::number_text::Unit;
use crate::scale::Scale;

/// An axis from a round number to a round number.
pub(crate) struct ValueAxis {
    pub(crate) scale: Scale,
    pub(crate) ticks: Vec<Tick>,
}

pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

/// A linear axis that holds `lo` to `hi`, with at most `max_ticks` ticks where that is 3 or more. The
/// step is the smallest of 1, 2 and 5 times a power of ten that does.
pub(crate) fn linear_axis(unit: Unit, lo: f64, hi: f64, max_ticks: usize) -> ValueAxis {
    let (lo, hi) = widen(unit, lo, hi);
    let most = max_ticks.max(3);
    let power = ((hi - lo) / most as f64).log10().floor();
    // There is no half of a thing.
    let power = if unit == Unit::Count { power.max(0.0) } else { power };
    let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].map(|mantissa| mantissa * 10f64.powf(power));
    let ends = |step: f64| ((lo / step + 1e-9).floor(), (hi / step - 1e-9).ceil());
    let fits = |step: &f64| {
        let (first, last) = ends(*step);
        last - first < most as f64
    };
    let step = steps.into_iter().find(fits).unwrap_or(steps[5]);
    let (first, last) = ends(step);
    let largest = (first * step).abs().max((last * step).abs());
    let values = (first as i64..=last as i64).map(|i| i as f64 * step);
    let ticks = values.map(|value| Tick { value, label: unit.tick(value, step, largest) });
    ValueAxis { scale: Scale::Linear { lo: first * step, hi: last * step }, ticks: ticks.collect() }
}

/// Whether a logarithmic axis can hold values from `lo` to `hi`: all above zero, and no further apart
/// than any equity could be.
pub(crate) fn has_log_axis(lo: f64, hi: f64) -> bool {
    lo > 1e-100 && hi / lo < 1e30
}

/// A logarithmic axis for values that [`has_log_axis`]; each tick is 1, 2, 3 or 5 times a power of ten.
pub(crate) fn log_axis(unit: Unit, lo: f64, hi: f64, max_ticks: usize) -> ValueAxis {
    let margin = (hi / lo).powf(0.03).max(1.05);
    let (lo, hi) = (lo / margin, hi * margin);
    let decades = lo.log10().floor() as i32..=hi.log10().ceil() as i32;
    let ticks = |every: usize, mantissas: &[f64]| -> Vec<f64> {
        let powers = decades.clone().step_by(every);
        let values = powers.flat_map(|k| mantissas.iter().map(move |m| m * 10f64.powi(k)));
        values.filter(|value| (lo..=hi).contains(value)).collect()
    };
    let dense = [ticks(1, &[1.0, 2.0, 3.0, 5.0]), ticks(1, &[1.0, 2.0, 5.0])];
    let sparse = (1..).map(|every| ticks(every, &[1.0]));
    let fits = |values: &Vec<f64>| values.len() <= max_ticks.max(2);
    let values = dense.into_iter().chain(sparse).find(fits).unwrap_or_default();
    if values.len() < 3 {
        let linear = linear_axis(unit, lo, hi, max_ticks);
        let inside = linear.ticks.into_iter().filter(|tick| (lo..=hi).contains(&tick.value));
        return ValueAxis { scale: Scale::Log { lo, hi }, ticks: inside.collect() };
    }
    let ticks =
        values.into_iter().map(|value| Tick { value, label: unit.tick(value, value, value) });
    ValueAxis { scale: Scale::Log { lo, hi }, ticks: ticks.collect() }
}

/// Room around values that are all the same, or as good as.
fn widen(unit: Unit, lo: f64, hi: f64) -> (f64, f64) {
    let least = unit.flat_half_range(lo.abs().max(hi.abs()));
    if hi - lo > least * 1e-6 { (lo, hi) } else { (lo - least, hi + least) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &ValueAxis) -> String {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round_and_few() {
        let check = |unit, lo, hi, expected: &str| {
            assert_eq!(labels(&linear_axis(unit, lo, hi, 7)), expected);
        };
        check(Unit::Usd, 100_000.0, 241_000.0, "100k 150k 200k 250k");
        check(Unit::Usd, -50_000.0, 2.4e6, "−0.5M 0 0.5M 1.0M 1.5M 2.0M 2.5M");
        check(Unit::Usd, 100_000.0, 100_000.0, "94k 96k 98k 100k 102k 104k 106k");
        check(Unit::Percent, -0.34, 0.0, "−40% −30% −20% −10% 0%");
        check(Unit::Ratio, 0.0, 0.0, "−1.0 −0.5 0.0 0.5 1.0");
        check(Unit::Count, 0.0, 3.0, "0 1 2 3");
        check(Unit::Count, 0.0, 431.0, "0 100 200 300 400 500");
    }

    #[test]
    fn logarithmic_ticks_follow_the_range() {
        let check = |lo, hi, expected: &str| {
            assert_eq!(labels(&log_axis(Unit::Usd, lo, hi, 8)), expected);
        };
        check(1e5, 1e6, "100k 200k 300k 500k 1M");
        check(1e5, 1e8, "100k 1M 10M 100M");
        check(1.0, 1e20, "100 100k 100M 100B 100T 1.00e17 1.00e20");
        check(210_000.0, 230_000.0, "200k 210k 220k 230k 240k");
    }

    proptest! {
        #[test]
        fn values_lie_between_the_ends(a in -1e12..1e12f64, b in -1e12..1e12f64, n in 0..20usize) {
            let (lo, hi) = (a.min(b), a.max(b));
            let axis = linear_axis(Unit::Usd, lo, hi, n);
            let Scale::Linear { lo: first, hi: last } = axis.scale else { panic!("linear") };
            let slack = (last - first) * 1e-6;
            prop_assert!(first <= lo + slack && hi <= last + slack, "{first} {lo} {hi} {last}");
            prop_assert!(axis.ticks.len() <= n.max(3), "{}", axis.ticks.len());
            prop_assert!(axis.ticks.len() >= 2);
        }

        #[test]
        fn no_range_is_too_odd(a in -1e149..1e149f64, e in -300..150i32) {
            let b = 10f64.powi(e);
            for (lo, hi) in [(a.min(b), a.max(b)), (a, a), (b, b), (-b, b)] {
                let axis = linear_axis(Unit::Percent, lo, hi, 7);
                prop_assert!((2..=7).contains(&axis.ticks.len()), "{}", axis.ticks.len());
                prop_assert!(axis.scale.place(lo).is_finite());
            }
            prop_assert!(log_axis(Unit::Usd, b, b * 3.0, 7).ticks.len() <= 8);
        }
    }
}
