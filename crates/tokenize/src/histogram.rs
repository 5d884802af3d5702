use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

/// Most bars of a histogram.
const BARS: usize = 12;

/// How many records have how many tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    counts: BTreeMap<usize, u64>,
}

/// Records with `from` to `to` tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HistogramBar {
    /// Least tokens.
    pub from: usize,
    /// Most tokens.
    pub to: usize,
    /// How many records there are.
    pub count: u64,
}

impl Histogram {
    /// Counts a record of so many tokens.
    pub fn add(&mut self, tokens: usize) {
        *self.counts.entry(tokens).or_default() += 1;
    }

    /// At most twelve bars of one round width, from the shortest record to the longest.
    pub fn bars(&self) -> Vec<HistogramBar> {
        let (Some((&least, _)), Some((&most, _))) =
            (self.counts.first_key_value(), self.counts.last_key_value())
        else {
            return Vec::new();
        };
        let width = round_width(least.saturating_sub(1), most.saturating_sub(1));
        let place = |tokens: usize| tokens.saturating_sub(1) / width;
        let first = place(least);
        let bar = |index: usize| HistogramBar {
            from: index * width + 1,
            to: (index + 1) * width,
            count: 0,
        };
        let mut bars: Vec<HistogramBar> = (first..=place(most)).map(bar).collect();
        for (tokens, count) in &self.counts {
            bars[place(*tokens) - first].count += count;
        }
        bars
    }

    /// The bars as lines of at most `columns` characters, with one that shows where a row of
    /// `max_length` tokens ends if a record is longer.
    pub fn lines(&self, columns: usize, max_length: usize) -> Vec<String> {
        let bars = self.bars();
        let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0);
        let digits = bars.last().map_or(0, |bar| bar.to.to_string().len());
        let count_digits = most.to_string().len();
        let room = columns.saturating_sub(2 * digits + count_digits + 3).max(1) as u64;
        let limit = bars.iter().position(|bar| bar.to > max_length);
        let mut lines = Vec::with_capacity(bars.len() + 1);
        for (index, HistogramBar { from, to, count }) in bars.into_iter().enumerate() {
            if limit == Some(index) && self.counts.keys().any(|&tokens| tokens > max_length) {
                lines.push(format!("{max_length} tokens are a row"));
            }
            // A record that exists shows.
            let length = (count * room).div_ceil(most.max(1)) as usize;
            let bar = "█".repeat(length);
            let line = format!("{from:>digits$}–{to:<digits$} {count:>count_digits$} {bar}");
            lines.push(line.trim_end().to_owned());
        }
        lines
    }
}

impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.bars().serialize(serializer)
    }
}

/// The smallest of 1, 2, 5, 10, 20, … that needs no more than [`BARS`] bars.
fn round_width(least: usize, most: usize) -> usize {
    let bars = |width: usize| most / width - least / width + 1;
    let tens = std::iter::successors(Some(1_usize), |ten| ten.checked_mul(10));
    let widths = tens.flat_map(|ten| [1, 2, 5].map(|step: usize| step.saturating_mul(ten)));
    widths.into_iter().find(|width| bars(*width) <= BARS).unwrap_or(most + 1)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn round_bars_from_the_shortest_to_the_longest() {
        let mut histogram = Histogram::default();
        assert!(histogram.lines(40, 100).is_empty());
        for tokens in [8, 14, 15, 21, 39, 40, 41] {
            histogram.add(tokens);
        }
        for _ in 0..40 {
            histogram.add(28);
        }
        expect![[r#"
             6–10  1 █
            11–15  2 ██
            16–20  0
            21–25  1 █
            26–30 40 ███████████████████████████████
            31–35  0
            36–40  2 ██
            40 tokens are a row
            41–45  1 █"#]]
        .assert_eq(&histogram.lines(40, 40).join("\n"));
        assert!(histogram.lines(40, 40).iter().all(|line| line.chars().count() <= 40));
        assert_eq!(histogram.lines(40, 100).len(), histogram.bars().len());
    }

    #[test]
    fn any_span_has_few_bars() {
        for (least, most) in
            [(0, 0), (1, 1), (487, 487), (1, 12), (0, 12), (5, 100_000), (0, i32::MAX as usize)]
        {
            let width = round_width(least, most);
            assert!(most / width - least / width < BARS, "{least} {most} {width}");
        }
    }
}
