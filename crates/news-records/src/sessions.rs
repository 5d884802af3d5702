use chrono::{DateTime, NaiveDate, Utc};
use thesis_core::{Bar, Ticker};

use crate::{NewsError, NewsItem};

/// One stock's sessions and the instants of their closes, both ascending.
#[derive(Debug)]
pub(crate) struct Sessions<'a> {
    bars: &'a [Bar],
    closes: Vec<DateTime<Utc>>,
}

/// One stock at one close: what was known then, and apart from it what came after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf<'a> {
    /// The sessions up to the as-of session, which is the last one.
    pub(crate) history: &'a [Bar],
    /// The instants at which those closed.
    pub(crate) closes: &'a [DateTime<Utc>],
    /// The items published at or before the last of these, oldest first.
    pub(crate) known: &'a [&'a NewsItem],
    /// The sessions after: for the label, and for nothing else.
    pub(crate) ahead: &'a [Bar],
}

impl<'a> Sessions<'a> {
    /// Takes bars that ascend, close after close.
    pub(crate) fn new(
        ticker: &Ticker,
        bars: &'a [Bar],
        close_of: &dyn Fn(NaiveDate) -> DateTime<Utc>,
    ) -> Result<Self, NewsError> {
        let closes: Vec<DateTime<Utc>> = bars.iter().map(|bar| close_of(bar.date)).collect();
        for at in 1..bars.len() {
            if bars[at].date <= bars[at - 1].date || closes[at] <= closes[at - 1] {
                return Err(NewsError::Order { ticker: ticker.clone(), date: bars[at].date });
            }
        }
        for bar in bars {
            for price in [Some(bar.close), bar.adj_close].into_iter().flatten() {
                if !(price.is_finite() && price > 0.0) {
                    return Err(NewsError::Price { ticker: ticker.clone(), date: bar.date, price });
                }
            }
        }
        Ok(Self { bars, closes })
    }

    /// The index of the first session at whose close `instant` has come; `None` after the last.
    pub(crate) fn first_close_at_or_after(&self, instant: DateTime<Utc>) -> Option<usize> {
        let index = self.closes.partition_point(|close| *close < instant);
        (index < self.closes.len()).then_some(index)
    }

    /// Looks at the close of the session `index`; `items` are oldest first.
    pub(crate) fn as_of<'b>(&'b self, index: usize, items: &'b [&'b NewsItem]) -> AsOf<'b> {
        let (history, ahead) = self.bars.split_at(index + 1);
        let close = self.closes[index];
        let known = &items[..items.partition_point(|item| item.published_at <= close)];
        AsOf { history, closes: &self.closes[..=index], known, ahead }
    }
}
