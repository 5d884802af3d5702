//! A tear sheet of the made-up market.

use backtest_report::{
    DroppedOrders, MetricRow, MetricSection, Note, Plot, Provenance, TearSheet, Tile, Value,
};

use crate::market::{Market, drawdowns, months};

pub(crate) fn sheet(market: &Market, plots: &[(String, String)]) -> TearSheet {
    let svg = |name: &str| plots.iter().find(|(n, _)| n == name).map_or("", |(_, svg)| svg);
    let plot =
        |name: &str, caption: &str| Plot { svg: svg(name).to_owned(), caption: caption.to_owned() };
    let tile = |label: &str, value, note: &str| Tile {
        label: label.to_owned(),
        value,
        note: note.to_owned(),
    };
    let (first, last) = (market.days[0], market.days[market.days.len() - 1]);
    TearSheet {
        title: "qwen3-0.6b-theses · weekly long-only".to_owned(),
        subtitle: "R&D portfolio of 48 US large caps, calls at the close, filled at the next open"
            .to_owned(),
        period: Some((first, last)),
        headline: vec![
            tile("CAGR", Value::Percent(0.2427), "buy and hold 18.49%"),
            tile("Sharpe ratio", Value::Ratio(1.312), "buy and hold 0.968"),
            tile("Max drawdown", Value::Percent(-0.2303), "2015-03 to 2016-09"),
            tile("Volatility", Value::Percent(0.1781), "annualized"),
            tile("Final equity", Value::Usd(8_102_345.0), "USD, from 1,000,000"),
            tile("Turnover", Value::Percent(6.84), "per year"),
            tile("Costs", Value::Usd(312_904.0), "USD, 5.0 bps a trade"),
        ],
        notes: notes(),
        sections: sections(),
        plots: vec![
            plot(
                "equity",
                "Equity at the close, net of costs. The band holds the middle 90 % of 500 portfolios with random calls.",
            ),
            plot(
                "drawdown",
                "The five worst drawdowns of the strategy are shaded from peak to recovery.",
            ),
            plot("rolling-sharpe", ""),
            plot("histogram", "Simple returns of sessions, net of costs."),
            plot("exposure", ""),
            plot("turnover", "Bought plus sold value over equity."),
            plot("sensitivity", "The run again with other costs and slippage."),
            plot("walk-forward", "Settings are chosen on the range before each bar."),
            plot("parameters", ""),
        ],
        monthly: months(&market.equity[0]),
        drawdowns: drawdowns(&market.equity).worst,
        fills: [
            ("Orders", Value::Count(4_812)),
            ("Fills", Value::Count(4_655)),
            ("Traded value, USD", Value::Usd(625_808_114.0)),
            ("Commission, USD", Value::Usd(281_004.3)),
            ("Mean slippage", Value::Bps(2.04)),
            ("Mean holding period", Value::Number(12.4, 1, "sessions".to_owned())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        dropped: [
            ("no bar on the day of the fill", 96, "TWTR 2022-10-28"),
            ("cash would fall below zero", 52, "NVDA 2023-05-25"),
            ("two calls of opposite direction", 9, "TSLA 2021-03-04 <BUY & SELL>"),
        ]
        .map(|(reason, count, example)| DroppedOrders {
            reason: reason.to_owned(),
            count,
            example: example.to_owned(),
        })
        .into(),
        settings: [
            ("initial_cash", "1,000,000 USD"),
            ("rebalance", "weekly, Mondays"),
            ("fill", "next open"),
            ("weights", "STRONG_BUY 1.0, BUY 0.5, HOLD 0, SELL −0.5, STRONG_SELL −1.0"),
            ("costs", "5 bps"),
            ("risk_free_rate", "0 % a year"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        provenance: Provenance {
            tool: "trading-backtest 0.1.0".to_owned(),
            git_commit: Some("0f1e2d3c4b5a69788796a5b4c3d2e1f001122334".to_owned()),
            config_digest: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
                .to_owned(),
            inputs: vec![(
                "predictions.jsonl".to_owned(),
                "7c1f8a2d90b34e5566778899aabbccddeeff00112233445566778899aabbccdd".to_owned(),
            )],
        },
    }
}

fn notes() -> Vec<Note> {
    let note = |is_warning, text: &str| Note { is_warning, text: text.to_owned() };
    vec![
        note(
            true,
            "The universe is today's index: companies that left it are missing, so returns are too high (survivorship bias).",
        ),
        note(true, "96 orders had no bar on the day of the fill and were dropped."),
        note(false, "All figures on this page are made up by a generator of random numbers."),
        note(false, "Dividends are in the adjusted close; no tax is taken."),
    ]
}

fn sections() -> Vec<MetricSection> {
    let row = |name: &str, convention: &str, values: Vec<Value>| MetricRow {
        name: name.to_owned(),
        values,
        convention: convention.to_owned(),
    };
    let percent = |values: [f64; 6]| values.map(Value::Percent).to_vec();
    let ratio = |values: [f64; 6]| values.map(Value::Ratio).to_vec();
    let columns =
        ["Strategy", "Buy and hold", "Equal weight", "Momentum", "Always HOLD", "Random, median"];
    let columns: Vec<_> = columns.map(str::to_owned).into();
    vec![
        MetricSection {
            title: "Return".to_owned(),
            note: "Net of costs, on the equity at each close.".to_owned(),
            columns: columns.clone(),
            rows: vec![
                row(
                    "Total return",
                    "last equity / first equity − 1",
                    percent([7.1023, 4.172, 5.301, 3.004, 0.1061, 2.918]),
                ),
                row(
                    "CAGR",
                    "(last / first) ^ (365.25 / calendar days) − 1",
                    percent([0.2427, 0.1849, 0.2103, 0.1541, 0.0105, 0.1508]),
                ),
                row(
                    "Volatility",
                    "standard deviation of daily simple returns (ddof 1) × √252",
                    percent([0.1781, 0.1951, 0.1862, 0.2330, 0.0, 0.1904]),
                ),
            ],
        },
        MetricSection {
            title: "Risk-adjusted".to_owned(),
            note: String::new(),
            columns,
            rows: vec![
                row(
                    "Sharpe ratio",
                    "mean / standard deviation (ddof 1) of daily excess returns × √252; Sharpe (1994)",
                    ratio([1.312, 0.968, 1.118, 0.734, f64::NAN, 0.781]),
                ),
                row(
                    "Sortino ratio",
                    "mean / √(mean of min(r, 0)²) × √252",
                    ratio([1.951, 1.388, 1.604, 1.061, f64::INFINITY, 1.124]),
                ),
                row(
                    "Calmar ratio",
                    "CAGR / |maximum drawdown|",
                    ratio([1.054, 0.398, 0.431, 0.249, f64::NAN, 0.302]),
                ),
                row(
                    "p-value of the Sharpe ratio",
                    "share of stationary bootstrap resamples (10,000, mean block 20) at or below zero",
                    ratio([0.0002, 0.0031, 0.0012, 0.0204, f64::NAN, 0.0151]),
                ),
            ],
        },
    ]
}
