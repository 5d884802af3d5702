use thesis_core::Action;

use crate::NewsConfig;
use crate::decimals::{fixed, signed};
use crate::shorten::shorten;
use crate::snapshot::Snapshot;

/// Why: the facts of the snapshot, then the recommendation, which alone looks ahead.
pub(crate) fn rationale(snapshot: &Snapshot<'_>, action: Action, config: &NewsConfig) -> String {
    let facts = facts(snapshot, config);
    format!("{facts} Recommendation for the next {}: {action}.", sessions(config.horizon))
}

/// `5 sessions`, `1 session`.
pub(crate) fn sessions(count: usize) -> String {
    plural(count, "session")
}

fn facts(snapshot: &Snapshot<'_>, config: &NewsConfig) -> String {
    let Snapshot { ticker, prices, news, .. } = snapshot;
    let change = prices.trailing_return(prices.span()).unwrap_or(0.0) * 100.0;
    let size = fixed(change.abs(), 1);
    let trend = match change {
        _ if size == "0.0" => "did not move".to_owned(),
        change if change > 0.0 => format!("rose {size} %"),
        _ => format!("fell {size} %"),
    };
    let volatility = fixed(prices.volatility * 100.0, 1);
    let sentiment = match news.mean_sentiment {
        Some(mean) => format!("with a mean sentiment of {}", signed(mean, 2)),
        None => "without a sentiment".to_owned(),
    };
    let newest = news.shown.first().map_or("", |item| item.title.as_str());
    format!(
        "{ticker} {trend} over the last {}, with a daily volatility of {volatility} %. \
         {} known by the close, {sentiment}. The newest: \"{}\".",
        sessions(config.bars),
        plural(news.count, "recent news item"),
        shorten(newest, config.title_chars),
    )
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
