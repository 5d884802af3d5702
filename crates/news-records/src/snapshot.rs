use thesis_core::{AsOfDate, Ticker};

use crate::news_view::NewsView;
use crate::price_window::PriceWindow;
use crate::sessions::AsOf;
use crate::{NewsConfig, Skip};

/// All that is known of a stock at one close. Input, figures and rationale are made of it alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot<'a> {
    pub(crate) ticker: &'a Ticker,
    pub(crate) date: AsOfDate,
    pub(crate) prices: PriceWindow,
    pub(crate) news: NewsView<'a>,
}

/// More than rounding leaves of the log returns of equal prices.
const FLAT: f64 = 1e-9;

impl<'a> Snapshot<'a> {
    /// Looks at `history` and `known`, never at what came after.
    pub(crate) fn new(
        ticker: &'a Ticker,
        date: AsOfDate,
        as_of: &AsOf<'a>,
        config: &NewsConfig,
    ) -> Result<Self, Skip> {
        let AsOf { history, closes, known, ahead: _ } = *as_of;
        let first = history.len().checked_sub(config.bars).ok_or(Skip::ShortHistory)?;
        let [.., previous_close, close] = closes else { return Err(Skip::ShortHistory) };
        let prices = PriceWindow::new(&history[first..]);
        if prices.volatility < FLAT {
            return Err(Skip::FlatPrices);
        }
        let news = NewsView::new(known, *previous_close, *close, config);
        Ok(Self { ticker, date, prices, news })
    }
}
