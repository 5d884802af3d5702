use backtest_engine::{CallRow, Day, DropReason, Market, Outcome, RoundTrip};
use serde::Serialize;

use crate::call_file::CallFile;

/// The books of each session as CSV; amounts in dollars, shares of equity as fractions.
pub(crate) fn days_csv(days: &[Day], initial_cash: f64) -> anyhow::Result<String> {
    let (mut peak, mut before) = (initial_cash, initial_cash);
    let rows = days.iter().map(|day| {
        peak = peak.max(day.equity);
        let (turnover, drawdown) = (day.traded / before, day.equity / peak - 1.0);
        let of_day = day.equity / before - 1.0;
        before = day.equity;
        (day, turnover, drawdown, of_day)
    });
    csv_of(&DAY_HEADER, rows)
}

/// The fields of a day, in their order, and what is computed from them.
const DAY_HEADER: [&str; 17] = [
    "date",
    "equity",
    "cash",
    "gross",
    "net",
    "positions",
    "traded",
    "fees",
    "slippage",
    "borrow",
    "interest",
    "dividends",
    "profit",
    "owed",
    "turnover",
    "drawdown",
    "return",
];

/// Every fill as CSV.
pub(crate) fn fills_csv(market: &Market, outcome: &Outcome) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Row<'a> {
        date: chrono::NaiveDate,
        ticker: &'a str,
        side: &'static str,
        quantity: f64,
        price: f64,
        value: f64,
        fee: f64,
        cause: backtest_engine::Cause,
        cut_by: Option<backtest_engine::Cut>,
    }
    const HEADER: [&str; 9] =
        ["date", "ticker", "side", "quantity", "price", "value", "fee", "cause", "cut_by"];
    let rows = outcome.fills.iter().map(|fill| Row {
        date: market.dates()[fill.day as usize],
        ticker: market.tickers()[fill.asset as usize].as_str(),
        side: if fill.quantity > 0.0 { "buy" } else { "sell" },
        quantity: fill.quantity.abs(),
        price: fill.price,
        value: fill.quantity.abs() * fill.price,
        fee: fill.fee,
        cause: fill.cause,
        cut_by: fill.cut,
    });
    csv_of(&HEADER, rows)
}

/// Every dropped order as CSV: first the calls that no session has a place for, then by date.
pub(crate) fn dropped_csv(
    market: &Market,
    outcome: &Outcome,
    file: &CallFile,
    unplaced: &[(usize, DropReason)],
) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Row<'a> {
        date: chrono::NaiveDate,
        ticker: &'a str,
        reason: DropReason,
        tried_again: bool,
        line: Option<u64>,
    }
    let unplaced = unplaced.iter().map(|(index, reason)| {
        let CallRow { date, ticker, .. } = &file.calls[*index];
        let line = file.lines.get(*index).copied();
        Row { date: *date, ticker: ticker.as_str(), reason: *reason, tried_again: false, line }
    });
    let dropped = outcome.dropped.iter().map(|dropped| Row {
        date: market.dates()[dropped.day as usize],
        ticker: market.tickers()[dropped.asset as usize].as_str(),
        reason: dropped.reason,
        tried_again: dropped.carried,
        line: None,
    });
    csv_of(&["date", "ticker", "reason", "tried_again", "line"], unplaced.chain(dropped))
}

/// Equity by session as CSV.
pub(crate) fn equity_csv(dates: &[chrono::NaiveDate], equity: &[f64]) -> anyhow::Result<String> {
    csv_of(&["date", "equity"], dates.iter().zip(equity))
}

/// What round trips come to.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct RoundTripSummary {
    pub(crate) count: usize,
    /// Share of round trips with a profit after costs.
    pub(crate) win_rate: Option<f64>,
    /// Mean profit over what was paid.
    pub(crate) mean_return: Option<f64>,
    /// Mean sessions from the first fill to the last.
    pub(crate) mean_sessions: Option<f64>,
}

impl RoundTripSummary {
    pub(crate) fn of(trips: &[RoundTrip]) -> Self {
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            (!trips.is_empty()).then(|| values.sum::<f64>() / trips.len() as f64)
        };
        Self {
            count: trips.len(),
            win_rate: mean(&mut trips.iter().map(|t| f64::from(u8::from(t.profit > 0.0)))),
            mean_return: mean(&mut trips.iter().map(|t| t.profit_share)),
            mean_sessions: mean(&mut trips.iter().map(|t| f64::from(t.closed - t.opened))),
        }
    }
}

/// CSV with a header, rows or not.
fn csv_of(header: &[&str], rows: impl Iterator<Item = impl Serialize>) -> anyhow::Result<String> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_fields_of_a_day() {
        let day = Day {
            date: chrono::NaiveDate::default(),
            equity: 90.0,
            cash: 1.0,
            gross: 2.0,
            net: 3.0,
            positions: 4,
            traded: 50.0,
            fees: 5.0,
            slippage: 6.0,
            borrow: 7.0,
            interest: 8.0,
            dividends: 9.0,
            profit: 10.0,
            owed: 11.0,
        };
        let fields = serde_json::to_value(day).unwrap();
        let names: Vec<&String> = fields.as_object().unwrap().keys().collect();
        assert_eq!(names, DAY_HEADER[..names.len()]);
        let csv = days_csv(&[day], 100.0).unwrap();
        let row = csv.lines().nth(1).unwrap();
        assert!(row.starts_with("1970-01-01,90.0,1.0,2.0,3.0,4,50.0,5.0,"), "{row}");
        // Half of the equity before was traded, and a tenth of it lost.
        assert!(row.contains(",11.0,0.5,-0.09999999999999998,-0.09999999999999998"), "{row}");
    }
}
