use std::fmt::Write;

use super::super::StageName;
use super::super::html::escaped;
use super::super::results::Results;
use super::super::table::count;

/// What a stage made, in a few words; nothing where it has not run.
pub(super) fn made(stage: StageName, results: &Results) -> String {
    let text = match stage {
        StageName::Ingest => results.records.kept.map(|kept| match results.records.rejected {
            Some(rejected) if rejected > 0 => {
                format!("{} records, {} rejected", count(kept), count(rejected))
            }
            _ => format!("{} records", count(kept)),
        }),
        StageName::BuildDataset => results.rows.as_ref().map(|rows| {
            format!(
                "{} / {} / {} rows",
                count(rows.train),
                count(rows.validation),
                count(rows.test)
            )
        }),
        StageName::TokenizeShards => {
            results.tokens.map(|tokens| format!("{} tokens", count(tokens)))
        }
        StageName::FetchPrices => {
            (results.price_files > 0).then(|| format!("{} tickers", count(results.price_files)))
        }
        StageName::TrainSft => {
            results.training.as_ref().map(|training| format!("{} steps", count(training.steps)))
        }
        StageName::EvaluateSft => {
            results.test.as_ref().map(|test| format!("{} rows judged", count(test.rows)))
        }
        StageName::TradingBacktest => {
            results.backtest.as_ref().map(|backtest| format!("{} fills", count(backtest.fills)))
        }
    };
    text.unwrap_or_default()
}

/// The drawing of the pipeline, with what each stage made.
pub(super) fn flow(results: &Results) -> String {
    let mut svg = String::from(
        "<svg viewBox=\"0 56 1000 368\" role=\"img\" aria-label=\"the stages and what flows between them\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
         orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
    );
    for path in ARROWS {
        let _ = writeln!(svg, "<path class=\"arrow\" d=\"{path}\" marker-end=\"url(#tip)\"/>");
    }
    for (name, column, row) in INPUTS {
        let (x, y) = place(column, row);
        let _ = writeln!(
            svg,
            "<text class=\"input\" x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{name}</text>",
            x + 0.5 * WIDTH,
            y + 0.5 * HEIGHT + 5.0
        );
    }
    for (stage, column, row) in STAGES {
        let (x, y) = place(column, row);
        let (middle, made) = (x + 0.5 * WIDTH, made(stage, results));
        // A box has room for the first thing alone.
        let made = made.split(", ").next().unwrap_or_default();
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{WIDTH:.0}\" height=\"{HEIGHT:.0}\" rx=\"6\"/>\
             <text class=\"name\" x=\"{middle:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>\
             <text x=\"{middle:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            y + 25.0,
            stage.as_str(),
            y + 45.0,
            escaped(made)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

const WIDTH: f64 = 174.0;
const HEIGHT: f64 = 60.0;

fn place(column: f64, row: f64) -> (f64, f64) {
    (2.0 + 205.0 * column, 2.0 + 120.0 * row)
}

/// Column and row of each stage.
const STAGES: [(StageName, f64, f64); 7] = [
    (StageName::Ingest, 1.0, 1.0),
    (StageName::BuildDataset, 2.0, 1.0),
    (StageName::TokenizeShards, 3.0, 1.0),
    (StageName::TrainSft, 4.0, 1.0),
    (StageName::FetchPrices, 1.0, 2.0),
    (StageName::EvaluateSft, 4.0, 2.0),
    (StageName::TradingBacktest, 4.0, 3.0),
];

/// What comes from outside.
const INPUTS: [(&str, f64, f64); 3] =
    [("theses", 0.0, 1.0), ("prices", 0.0, 2.0), ("base model", 3.5, 0.25)];

/// From one to the next.
const ARROWS: [&str; 12] = [
    // Theses, records, splits, shards.
    "M125 152H204",
    "M381 152H409",
    "M586 152H614",
    "M791 152H819",
    // The base model's tokenizer and weights, and the adapter.
    "M785 78V92H704V119",
    "M825 78V92H909V119",
    "M909 182V239",
    // Prices, the rows of the test, bars.
    "M125 272H204",
    "M381 272H819",
    "M499 182V265",
    "M294 302V392H819",
    // Calls.
    "M909 302V359",
];
