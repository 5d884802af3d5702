use thesis_core::Indicators;

use crate::decimals::{fixed, level, signed};
use crate::shorten::shorten;
use crate::snapshot::Snapshot;
use crate::{Levels, NewsConfig, NewsItem};

/// What a model is shown: figures, the window of prices oldest first, the news newest first.
pub(crate) fn input(snapshot: &Snapshot<'_>, figures: &Indicators, config: &NewsConfig) -> String {
    let Snapshot { ticker, date, prices, news } = snapshot;
    let mut text = format!("Ticker: {ticker}\nDate: {date}\n");
    for (name, value) in figures.iter() {
        let value = value.map_or("n/a".to_owned(), |value| value.to_string());
        text += &format!("{name}={value}\n");
    }
    let (scale, unit) = match config.levels {
        Levels::Indexed => (100.0, "last close = 100"),
        Levels::Quoted => (prices.close, "last close as quoted"),
    };
    let series = |values: &[f64], write: &dyn Fn(f64) -> String| {
        values.iter().map(|value| write(*value)).collect::<Vec<_>>().join(" ")
    };
    let levels = series(&prices.relative, &|ratio| level(ratio * scale));
    let returns = series(&prices.relative, &|ratio| signed((ratio - 1.0) * 100.0, 2));
    let volumes = match &prices.volumes {
        Some(volumes) => series(volumes, &|volume| fixed(volume, 2)),
        None => "n/a".to_owned(),
    };
    text += &format!(
        "Last {} sessions, oldest first\n\
         Level, {unit}: {levels}\n\
         Return to last close, %: {returns}\n\
         Volume / mean: {volumes}\n",
        config.bars,
    );
    text += &match news.shown.len() {
        shown if shown < news.count => {
            format!("News known by the close, newest {shown} of {}", news.count)
        }
        _ => "News known by the close, newest first".to_owned(),
    };
    for item in &news.shown {
        text.push('\n');
        text += &line(item, config);
    }
    text
}

fn line(item: &NewsItem, config: &NewsConfig) -> String {
    let at = item.published_at.with_timezone(&config.zone).format("%Y-%m-%d %H:%M %Z");
    let sentiment = item.sentiment.map_or("n/a".to_owned(), |value| signed(value, 2));
    let title = shorten(&item.title, config.title_chars);
    let mut line = format!("{at} | sentiment {sentiment} | {title}");
    if let Some(summary) = item.summary.as_ref().filter(|_| config.summary_chars > 0) {
        line += &format!(" | {}", shorten(summary, config.summary_chars));
    }
    line
}
