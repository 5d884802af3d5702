use thesis_core::Indicators;

use crate::decimals::rounded;
use crate::snapshot::Snapshot;
use crate::{Levels, NewsConfig};

/// The figures of a snapshot: returns and volatility as fractions with four decimals. `Close` is
/// there only where levels are quoted; on an index it would be 100 in every record.
pub(crate) fn indicators(snapshot: &Snapshot<'_>, config: &NewsConfig) -> Indicators {
    let Snapshot { prices, news, .. } = snapshot;
    let mut figures = Indicators::default();
    if config.levels == Levels::Quoted {
        figures.insert("Close", Some(rounded(prices.close, 4)));
    }
    for sessions in [1, 5, prices.span()] {
        if let Some(change) = prices.trailing_return(sessions) {
            figures.insert(&format!("Return({sessions}d)"), Some(rounded(change, 4)));
        }
    }
    let name = format!("Daily volatility({})", config.bars);
    figures.insert(&name, Some(rounded(prices.volatility, 4)));
    figures.insert("News count", Some(news.count as f64));
    figures.insert("Mean sentiment", news.mean_sentiment.map(|mean| rounded(mean, 4)));
    figures
}
