//! A made-up market: a strategy, four baselines and portfolios with random calls.

use backtest_report::{Drawdown, DrawdownSpan, MonthlyReturns, Series};
use chrono::{Datelike, Days, NaiveDate, Weekday};

pub(crate) struct Market {
    pub(crate) equity: Vec<Series>,
    pub(crate) returns: Vec<f64>,
    pub(crate) days: Vec<NaiveDate>,
    pub(crate) chance: Chance,
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Nearly normal: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

pub(crate) fn weekdays(count: usize) -> Vec<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(2014, 1, 2).unwrap_or_default();
    let days = (0..).map_while(|i| first.checked_add_days(Days::new(i)));
    days.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)).take(count).collect()
}

/// Volatility comes in waves, and now and then the market falls.
pub(crate) fn market(sessions: usize, seed: u64) -> Market {
    let mut chance = Chance(seed);
    let days = weekdays(sessions);
    let (mut calm, mut returns) = (0.008, Vec::new());
    for i in 0..sessions {
        calm = (calm * 0.97 + 0.0003 * (1.0 + chance.normal().abs() * 0.4)).clamp(0.004, 0.03);
        if chance.uniform() < 0.004 {
            calm = 0.028;
        }
        let drift = if calm > 0.02 { -0.0022 } else { 0.0009 };
        returns.push(if i == 0 { 0.0 } else { drift + calm * chance.normal() });
    }
    let of_market = |share: f64, drift: f64, noise: f64, chance: &mut Chance| -> Vec<f64> {
        returns.iter().skip(1).map(|r| share * r + drift + noise * chance.normal()).collect()
    };
    let own = of_market(0.7, 0.00035, 0.004, &mut chance);
    let others = [
        ("buy and hold", of_market(1.0, 0.0, 0.0, &mut chance)),
        ("equal weight", of_market(0.95, 0.00003, 0.002, &mut chance)),
        ("momentum 12–1", of_market(1.1, -0.0001, 0.005, &mut chance)),
        ("always HOLD", of_market(0.0, 0.00004, 0.0, &mut chance)),
    ];
    let mut equity = vec![Series::new("strategy", compounded(&days, &own))];
    equity.extend(others.map(|(name, returns)| Series::new(name, compounded(&days, &returns))));
    Market { equity, returns: own, days, chance }
}

fn compounded(days: &[NaiveDate], returns: &[f64]) -> Vec<(NaiveDate, f64)> {
    let mut equity = 1_000_000.0;
    let closes = std::iter::once(0.0).chain(returns.iter().copied()).map(|r| {
        equity *= 1.0 + r;
        equity
    });
    days.iter().copied().zip(closes).collect()
}

pub(crate) fn under_water(series: &Series) -> Series {
    let mut highest = f64::MIN;
    let depth = series.points.iter().map(|(day, value)| {
        highest = highest.max(*value);
        (*day, value / highest - 1.0)
    });
    Series::new(&*series.name, depth.collect())
}

pub(crate) fn drawdowns(equity: &[Series]) -> Drawdown {
    let strategy = under_water(&equity[0]);
    let mut spans: Vec<DrawdownSpan> = Vec::new();
    let mut open: Option<DrawdownSpan> = None;
    let mut peak = strategy.points.first().map_or_else(NaiveDate::default, |(day, _)| *day);
    for (day, depth) in &strategy.points {
        if *depth == 0.0 {
            spans.extend(open.take().map(|span| DrawdownSpan { recovery: Some(*day), ..span }));
            peak = *day;
        } else {
            let span = open.get_or_insert(DrawdownSpan {
                peak,
                trough: *day,
                recovery: None,
                depth: *depth,
            });
            if *depth < span.depth {
                (span.trough, span.depth) = (*day, *depth);
            }
        }
    }
    spans.extend(open);
    spans.sort_by(|a, b| a.depth.total_cmp(&b.depth));
    spans.truncate(5);
    let baselines = equity[1..2].iter().map(under_water).collect();
    Drawdown { strategy, baselines, worst: spans }
}

pub(crate) fn months(series: &Series) -> MonthlyReturns {
    let mut months: Vec<(NaiveDate, f64)> = Vec::new();
    let mut start = series.points.first().map_or(1.0, |(_, value)| *value);
    let ends = series.points.windows(2).filter(|pair| pair[0].0.month() != pair[1].0.month());
    for (day, value) in ends.map(|pair| pair[0]).chain(series.points.last().copied()) {
        months.push((day, value / start - 1.0));
        start = value;
    }
    MonthlyReturns { months }
}
