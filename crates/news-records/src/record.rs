use thesis_core::{AsOfDate, Completion, Provenance, Record, SUPPORT_SEPARATOR, Ticker};

use crate::decimals::{fixed, level, signed};
use crate::indicators::indicators;
use crate::input::input;
use crate::label::{Label, label};
use crate::rationale::{rationale, sessions};
use crate::sessions::AsOf;
use crate::snapshot::Snapshot;
use crate::{GENERATED_BY, Levels, NewsConfig, Skip};

/// Makes the record of one stock at one close.
pub(crate) fn record(
    ticker: &Ticker,
    as_of: &AsOf<'_>,
    config: &NewsConfig,
) -> Result<Record, Skip> {
    let [.., last] = as_of.history else { return Err(Skip::ShortHistory) };
    let date = AsOfDate::new(last.date);
    if config.from.is_some_and(|from| date < from) || config.to.is_some_and(|to| date > to) {
        return Err(Skip::OutsideDates);
    }
    let snapshot = Snapshot::new(ticker, date, as_of, config)?;
    let at_horizon = as_of.ahead.get(config.horizon - 1).ok_or(Skip::PastEnd)?;
    let label = label(last, at_horizon, snapshot.prices.volatility, config);

    let figures = indicators(&snapshot, config);
    let completion = Completion {
        reasoning: rationale(&snapshot, label.action, config),
        support: support(&label, last.close, config),
        action: label.action,
    };
    let newest = snapshot.news.shown.first();
    Ok(Record {
        uid: Record::uid(ticker, date, 0),
        ticker: ticker.clone(),
        as_of_date: date,
        instruction: config.instruction.clone(),
        input: input(&snapshot, &figures, config),
        output: completion.to_string(),
        action: label.action,
        indicators: figures,
        metadata: Provenance {
            file: newest.map_or_else(String::new, |item| item.file.clone()),
            line: newest.map_or(0, |item| item.line),
            generated_by: Some(GENERATED_BY.to_owned()),
            version: None,
        },
    })
}

fn support(label: &Label, close: f64, config: &NewsConfig) -> String {
    let base = match config.levels {
        Levels::Indexed => 100.0,
        Levels::Quoted => close,
    };
    let target = level(base * (1.0 + label.forward_return));
    let change = signed(label.forward_return * 100.0, 1);
    let horizon = sessions(config.horizon);
    let confidence = fixed(label.confidence, 2);
    [format!("target {target} ({change} % in {horizon})"), format!("confidence {confidence}")]
        .join(SUPPORT_SEPARATOR)
}
