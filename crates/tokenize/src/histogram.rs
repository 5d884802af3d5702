use serde::Serialize;

/// How many bars a histogram has below its limit.
const BARS: usize = 16;

/// How many examples have how many tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Histogram {
    /// Tokens that a bar spans.
    pub width: usize,
    /// Examples a bar: the first has up to `width` tokens, the next up to twice as many, …
    pub counts: Vec<u64>,
    /// Examples with more tokens than a row holds.
    pub over: u64,
    #[serde(skip)]
    max_length: usize,
}

impl Histogram {
    /// An empty histogram of lengths up to `max_length`.
    pub fn new(max_length: usize) -> Self {
        let width = max_length.div_ceil(BARS).max(1);
        Self { width, counts: vec![0; max_length.div_ceil(width)], over: 0, max_length }
    }

    /// Counts an example.
    pub fn add(&mut self, tokens: usize) {
        match self.counts.get_mut(tokens.saturating_sub(1) / self.width) {
            Some(count) if tokens <= self.max_length => *count += 1,
            _ => self.over += 1,
        }
    }

    /// The bars as lines of at most `columns` characters, from the first to the last that is not
    /// empty.
    pub fn lines(&self, columns: usize) -> Vec<String> {
        let tail = (self.over > 0).then_some((self.max_length + 1, None, self.over));
        let bars: Vec<_> = self
            .counts
            .iter()
            .enumerate()
            .map(|(index, count)| {
                let to = ((index + 1) * self.width).min(self.max_length);
                (index * self.width + 1, Some(to), *count)
            })
            .chain(tail)
            .collect();
        let filled = |(_, _, count): &(usize, Option<usize>, u64)| *count > 0;
        let (Some(first), Some(last)) =
            (bars.iter().position(filled), bars.iter().rposition(filled))
        else {
            return Vec::new();
        };
        let bars = &bars[first..=last];
        let most = bars.iter().map(|(_, _, count)| *count).max().unwrap_or(1);
        let digits = (self.max_length + 1).to_string().len();
        let count_digits = most.to_string().len();
        let room = columns.saturating_sub(2 * digits + count_digits + 5).max(1) as u64;
        let line = |(from, to, count): &(usize, Option<usize>, u64)| {
            // An example that exists shows.
            let length = (count * room).div_ceil(most) as usize;
            let to = to.map_or(String::new(), |to| to.to_string());
            let bar = "█".repeat(length);
            format!("{from:>digits$}–{to:<digits$} {count:>count_digits$} {bar}")
                .trim_end()
                .to_owned()
        };
        bars.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn bars_from_the_first_to_the_last() {
        let mut histogram = Histogram::new(100);
        assert!(histogram.lines(40).is_empty());
        for tokens in [8, 14, 15, 21, 99, 100, 101] {
            histogram.add(tokens);
        }
        for _ in 0..40 {
            histogram.add(28);
        }
        expect![[r#"
              8–14   2 ██
             15–21   2 ██
             22–28  40 ███████████████████████████
             29–35   0
             36–42   0
             43–49   0
             50–56   0
             57–63   0
             64–70   0
             71–77   0
             78–84   0
             85–91   0
             92–98   0
             99–100  2 ██
            101–     1 █"#]]
        .assert_eq(&histogram.lines(40).join("\n"));
        assert!(histogram.lines(40).iter().all(|line| line.chars().count() <= 40));
    }
}
