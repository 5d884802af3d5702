use std::cmp::Ordering;

use crate::NewsItem;

/// Orders items by all that they say, time first; equal ones are duplicates, wherever they stand.
pub(crate) fn by_content(a: &NewsItem, b: &NewsItem) -> Ordering {
    // −2 stands below the scale of sentiments: an item without one comes first.
    let sentiment = |item: &NewsItem| item.sentiment.unwrap_or(-2.0);
    (a.published_at, &a.ticker, &a.title, &a.summary)
        .cmp(&(b.published_at, &b.ticker, &b.title, &b.summary))
        .then_with(|| sentiment(a).total_cmp(&sentiment(b)))
}

/// Orders items by where they stand.
pub(crate) fn by_place(a: &NewsItem, b: &NewsItem) -> Ordering {
    (&a.file, a.line).cmp(&(&b.file, b.line))
}
