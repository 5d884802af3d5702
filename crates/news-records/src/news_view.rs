use chrono::{DateTime, Days, Utc};

use crate::{NewsConfig, NewsItem};

/// The news that a record shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewsView<'a> {
    /// How many items are known within the days that count.
    pub(crate) count: usize,
    /// Mean of the sentiments among them; `None` where none has one.
    pub(crate) mean_sentiment: Option<f64>,
    /// The newest of them, newest first; at least one.
    pub(crate) shown: Vec<&'a NewsItem>,
}

impl<'a> NewsView<'a> {
    /// Looks back from `close` over `known`, the items published at or before it, oldest first.
    ///
    /// What became known since `previous_close` counts even where `news_days` are fewer, since it is
    /// what the record is made for.
    pub(crate) fn new(
        known: &[&'a NewsItem],
        previous_close: DateTime<Utc>,
        close: DateTime<Utc>,
        config: &NewsConfig,
    ) -> Self {
        let days = Days::new(u64::from(config.news_days));
        let since = close.checked_sub_days(days).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let since = since.min(previous_close);
        let recent = &known[known.partition_point(|item| item.published_at <= since)..];
        let scores: Vec<f64> = recent.iter().filter_map(|item| item.sentiment).collect();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        Self {
            count: recent.len(),
            mean_sentiment: (!scores.is_empty()).then_some(mean),
            shown: recent.iter().rev().take(config.max_items).copied().collect(),
        }
    }
}
