use super::Day;
use super::market::Bar;

/// What is known at the close of a session: the close, RSI(14), the close against its averages over
/// 20 and 100 sessions, MACD's histogram against the close, the return over 21 sessions, volatility a
/// year of the last 20, and volume against the last 20.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot {
    pub(crate) day: Day,
    /// Figures in the order of [`NAMES`].
    pub(crate) figures: [f64; 8],
}

impl Snapshot {
    /// A figure as a thesis prints it; there is no minus before a zero.
    pub(crate) fn printed(&self, at: usize) -> String {
        let text = format!("{:.*}", NAMES[at].1, self.figures[at]);
        match text.strip_prefix('-') {
            Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.to_owned(),
            _ => text,
        }
    }
}

/// Names of a snapshot's figures, and with how many decimals a thesis prints them. But for prices
/// and RSI they are percents, or deviations of volume from its mean. Names are words without digits,
/// so that a small model finds a figure by the word before it.
pub(crate) const NAMES: [(&str, usize); 8] = [
    ("Close", 2),
    ("RSI", 0),
    ("Short trend", 2),
    ("Long trend", 2),
    ("MACD", 2),
    ("Month", 2),
    ("Volatility", 0),
    ("Volume", 1),
];

/// A snapshot of each session. The first hundred stand on fewer sessions than their names say.
pub(crate) fn snapshots(bars: &[Bar]) -> Vec<Snapshot> {
    let closes: Vec<f64> = bars.iter().map(|bar| bar.close).collect();
    let volumes: Vec<f64> = bars.iter().map(|bar| bar.volume).collect();
    let returns: Vec<f64> = change(&closes, 1);
    let (rsi, macd, month) = (rsi(&closes), macd_histogram(&closes), change(&closes, 21));
    let figures = |at: usize| {
        let close = closes[at];
        let last = |series: &[f64], count: usize| mean(window(series, at, count));
        [
            close,
            rsi[at],
            100.0 * (close / last(&closes, 20) - 1.0),
            100.0 * (close / last(&closes, 100) - 1.0),
            100.0 * macd[at] / close,
            100.0 * month[at],
            100.0 * deviation(window(&returns, at, 20)) * 252.0_f64.sqrt(),
            (volumes[at] - last(&volumes, 20)) / deviation(window(&volumes, at, 20)),
        ]
    };
    bars.iter()
        .enumerate()
        .map(|(at, bar)| Snapshot { day: bar.day, figures: figures(at) })
        .collect()
}

/// The relative change over so many sessions; 0 where there are fewer.
fn change(closes: &[f64], sessions: usize) -> Vec<f64> {
    let before = |at: usize| closes[at.saturating_sub(sessions)];
    closes.iter().enumerate().map(|(at, close)| close / before(at) - 1.0).collect()
}

/// Relative strength over 14 sessions, 0 to 100; averages as Wilder (1978) smooths them, which
/// begin with the first change.
fn rsi(closes: &[f64]) -> Vec<f64> {
    let (mut gain, mut loss) = (0.0, 0.0);
    let mut before = closes[0];
    let mut values = Vec::with_capacity(closes.len());
    for &close in closes {
        let change = close - before;
        gain += (f64::max(change, 0.0) - gain) / 14.0;
        loss += (f64::max(-change, 0.0) - loss) / 14.0;
        let moved = gain + loss;
        values.push(if moved > 0.0 { 100.0 * gain / moved } else { 50.0 });
        before = close;
    }
    values
}

/// MACD(12, 26) less its average over 9, all exponential with 2 / (sessions + 1), beginning with
/// the first close.
fn macd_histogram(closes: &[f64]) -> Vec<f64> {
    let (fast, slow) = (smoothed(closes, 12), smoothed(closes, 26));
    let macd: Vec<f64> = fast.iter().zip(&slow).map(|(fast, slow)| fast - slow).collect();
    macd.iter().zip(smoothed(&macd, 9)).map(|(macd, signal)| macd - signal).collect()
}

fn smoothed(series: &[f64], sessions: u32) -> Vec<f64> {
    let weight = 2.0 / (f64::from(sessions) + 1.0);
    let mut mean = series[0];
    let step = |value: &f64| {
        mean += weight * (value - mean);
        mean
    };
    series.iter().map(step).collect()
}

/// The last `count` values up to `at`.
fn window(series: &[f64], at: usize, count: usize) -> &[f64] {
    &series[(at + 1).saturating_sub(count)..=at]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample's standard deviation (ddof 1).
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}
