use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use backtest_engine::{CorporateAction as EngineAction, Event, Market, PriceBasis};
use price_cache::{
    Adjustment, CorporateAction, LoadOptions, Policy, PriceCache, adjusted, check_bars,
    load_calendar, load_prices,
};
use stage_cli::Hint;
use thesis_core::{Bar, Severity, Ticker};

use crate::call_file::CallFile;
use crate::config::{BacktestSettings, PricesSetting};

/// The bars to trade, and what was odd about them.
pub(crate) struct Prices {
    pub(crate) market: Market,
    pub(crate) bars: usize,
    /// In words, and whether something was left out.
    pub(crate) oddities: Vec<(Severity, String)>,
}

/// Loads the bars of the tickers that were called, of sessions alone, adjusted if asked for.
///
/// # Errors
/// No bars; a bar that cannot be adjusted; a calendar that cannot be read.
pub(crate) fn load_market(
    path: Option<&Path>,
    events: &[Event],
    calls: &mut CallFile,
    settings: &BacktestSettings,
) -> anyhow::Result<Prices> {
    let tickers = calls.calls.iter().map(|call| call.ticker.clone()).collect();
    let mut oddities = Vec::new();
    let mut bars = match path {
        Some(path) => {
            let options = LoadOptions {
                tickers: Some(tickers),
                from: None,
                to: settings.to,
                date_order: settings.date_order,
            };
            let (bars, diagnostics) = load_prices(path, &options)
                .hint("--prices names a folder of TICKER.csv or TICKER.parquet, or one file")?;
            oddities.extend(diagnostics.iter().map(|d| (d.severity, d.to_string())));
            if settings.prices == PricesSetting::AsStored {
                check_basis(path, bars.keys(), settings.stored_basis)?;
            }
            bars
        }
        None => std::mem::take(&mut calls.bars),
    };
    if bars.is_empty() {
        return Err(anyhow::anyhow!("there are no prices of the tickers that were called"))
            .hint("--prices names a folder of TICKER.csv or TICKER.parquet, or one file");
    }
    let calendar = load_calendar(&settings.calendar)
        .with_context(|| format!("cannot read the calendar {}", settings.calendar))
        .hint("--calendar is xnys, weekdays, none, or a file of sessions")?;
    for (ticker, bars) in &mut bars {
        bars.retain(|bar| settings.to.is_none_or(|to| bar.date <= to));
        let actions: Vec<CorporateAction> =
            events.iter().filter(|event| event.ticker == *ticker).filter_map(of_event).collect();
        let stored = std::mem::take(bars);
        let (kept, findings) =
            check_bars(stored, &actions, Adjustment::Unknown, calendar.as_ref(), &settings.checks);
        for finding in findings {
            if finding.policy == Policy::Fail {
                return Err(anyhow::anyhow!("{ticker} {finding}"))
                    .hint("mend the prices, or set its policy under `checks`");
            }
            let severity = if finding.dropped { Severity::Error } else { Severity::Warning };
            oddities.push((severity, format!("{ticker} {finding}")));
        }
        *bars = kept;
        oddities.extend(forget_volume_that_is_none(ticker, bars));
        if settings.prices == PricesSetting::Adjusted {
            *bars = adjust(ticker, bars, &mut oddities)?;
        }
    }
    bars.retain(|_, bars| !bars.is_empty());
    if bars.is_empty() {
        bail!("no bar is left within the sessions and dates that were asked for");
    }
    let count = bars.values().map(Vec::len).sum();
    let events: Vec<Event> =
        events.iter().filter(|event| bars.contains_key(&event.ticker)).cloned().collect();
    let market = Market::from_bars(bars.into_iter().collect())?
        .with_events(&events, settings.basis())
        .hint("`prices` and `stored_basis` say what the prices are adjusted for already")?;
    Ok(Prices { market, bars: count, oddities })
}

/// Refuses files of the price cache that are adjusted for something else than the settings say: splits
/// would count as losses, or twice. Files that do not say are taken at the settings' word.
fn check_basis<'a>(
    folder: &Path,
    tickers: impl Iterator<Item = &'a Ticker>,
    basis: PriceBasis,
) -> anyhow::Result<()> {
    let cache = folder.is_dir().then(|| PriceCache::open(folder).ok()).flatten();
    for ticker in tickers {
        let file = cache.as_ref().and_then(|cache| cache.read(ticker).ok().flatten());
        let (stored, told) = match file.map(|file| file.meta.adjustment) {
            Some(Adjustment::Raw) => (PriceBasis::Raw, "raw"),
            Some(Adjustment::Splits) => (PriceBasis::Splits, "splits"),
            Some(Adjustment::SplitsAndDividends) => {
                (PriceBasis::SplitsAndDividends, "splits_and_dividends")
            }
            Some(Adjustment::Unknown) | None => continue,
        };
        if stored != basis {
            return Err(anyhow::anyhow!("the prices of {ticker} are not what `stored_basis` says"))
                .hint(format!(
                    "its file says {told}: set `stored_basis: {told}`, give splits and dividends as \
                     --events, or trade `prices: adjusted`"
                ));
        }
    }
    Ok(())
}

/// The event as checks know it: what explains a jump of the price.
fn of_event(event: &Event) -> Option<CorporateAction> {
    let date = event.date;
    match event.action {
        EngineAction::Split(ratio) => Some(CorporateAction::Split { date, ratio }),
        EngineAction::Dividend(amount) => Some(CorporateAction::Dividend { date, amount }),
        EngineAction::Delisting(_) => None,
    }
}

/// A series without any volume has no column for it: that is no reason not to fill.
fn forget_volume_that_is_none(ticker: &Ticker, bars: &mut [Bar]) -> Option<(Severity, String)> {
    if bars.is_empty() || bars.iter().any(|bar| bar.volume != 0.0) {
        return None;
    }
    bars.iter_mut().for_each(|bar| bar.volume = f64::NAN);
    Some((Severity::Warning, format!("{ticker} has no volume at all; it limits nothing")))
}

/// Scales all prices to the adjusted close, and volume the other way, so that a day's turnover in
/// dollars stays what it was. A series without any adjusted close is traded as it stands.
fn adjust(
    ticker: &Ticker,
    bars: &[Bar],
    oddities: &mut Vec<(Severity, String)>,
) -> anyhow::Result<Vec<Bar>> {
    if bars.iter().all(|bar| bar.adj_close.is_none()) {
        let message = format!("{ticker} has no adjusted closes; dividends are not in the returns");
        oddities.push((Severity::Warning, message));
        return Ok(bars.to_vec());
    }
    let scaled = adjusted(bars)
        .with_context(|| format!("{ticker} cannot be adjusted"))
        .hint("--price-basis as_stored trades the prices as they stand")?;
    let same_dollars = |(scaled, stored): (Bar, &Bar)| Bar {
        volume: scaled.volume * (stored.close / scaled.close),
        ..scaled
    };
    Ok(scaled.into_iter().zip(bars).map(same_dollars).collect())
}

/// The names of tickers that were called and have no prices, with the number of their calls.
pub(crate) fn unknown_tickers(calls: &CallFile, market: &Market) -> BTreeMap<Ticker, usize> {
    let mut unknown = BTreeMap::new();
    for call in &calls.calls {
        if market.asset(&call.ticker).is_none() {
            *unknown.entry(call.ticker.clone()).or_default() += 1;
        }
    }
    unknown
}
