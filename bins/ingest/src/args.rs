use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde::Serialize;
use stage_cli::CommonArgs;
use thesis_core::{AsOfDate, DateOrder};

/// Turn XML theses, or prices and news, into JSONL records, one a line
///
/// What cannot be read is told with its place, counted, and written to OUT.rejects.jsonl with its
/// raw text; the good ones beside it are kept. The same input gives the same bytes, whatever the
/// number of threads.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Folder that is searched at any depth for .xml files (theses) or for .csv and .jsonl files
    /// (news), or one such file
    #[arg(long, value_name = "DIR")]
    pub(crate) input_dir: PathBuf,
    /// Records are written here; rejects, manifest and logs beside it
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) out: PathBuf,
    /// What the input holds
    #[arg(long, value_enum, default_value_t = Kind::Thesis)]
    pub(crate) kind: Kind,
    /// Folder of daily bars, a TICKER.csv each
    #[arg(long, value_name = "DIR", required_if_eq("kind", "news"))]
    pub(crate) prices: Option<PathBuf>,
    /// Write counts and diagnostics here as JSON
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,
    /// Take nothing dated later than this [default: today]
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<AsOfDate>,
    /// How dates such as 03/04/2021 are read [default: refuse]
    #[arg(long, value_name = "ORDER")]
    pub(crate) date_order: Option<DateOrderArg>,
    /// Refuse larger files, in MiB [default: 512]
    #[arg(long, value_name = "N")]
    pub(crate) max_file_mib: Option<u64>,
    /// Exit with 1 where anything was refused; everything is written all the same
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) common: CommonArgs,
}

const EXAMPLES: &str = "\
Examples:
  ingest --input-dir theses --out data/all.jsonl
  ingest --input-dir theses --out data/all.jsonl --strict --report data/report.json
  ingest --input-dir desk.xml --out desk.jsonl --date-order day-first --as-of 2024-06-30
  ingest --kind news --input-dir news --prices prices --out data/all.jsonl";

/// What the input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// XML theses
    Thesis,
    /// News as CSV or JSONL with the columns ticker, published_at, title, summary, sentiment
    News,
}

/// How a date of two small numbers is read.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DateOrderArg {
    /// Refuse it
    Refuse,
    /// Month first, as in the United States
    MonthFirst,
    /// Day first, as in Europe
    DayFirst,
}

/// The flags that stand over the settings of the file.
#[derive(Debug, Serialize)]
pub(crate) struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<AsOfDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_order: Option<DateOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_file_mib: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl Args {
    /// The flags that were given.
    pub(crate) fn flags(&self) -> Flags {
        let Self {
            input_dir: _,
            out: _,
            kind: _,
            prices: _,
            report: _,
            as_of,
            date_order,
            max_file_mib,
            strict,
            common: _,
        } = self;
        Flags {
            as_of: *as_of,
            date_order: date_order.map(DateOrder::from),
            max_file_mib: *max_file_mib,
            strict: strict.then_some(true),
        }
    }
}

impl From<DateOrderArg> for DateOrder {
    fn from(order: DateOrderArg) -> Self {
        match order {
            DateOrderArg::Refuse => Self::Refuse,
            DateOrderArg::MonthFirst => Self::MonthFirst,
            DateOrderArg::DayFirst => Self::DayFirst,
        }
    }
}
