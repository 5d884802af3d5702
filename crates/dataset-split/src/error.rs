use std::io;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use hf_dataset::HfDatasetError;
use thesis_core::{AsOfDate, CoreError, Diagnostic};

use crate::Split;

/// What can go wrong between records and data sets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A data set that cannot be read or written.
    #[error(transparent)]
    Dataset(#[from] HfDatasetError),
    /// A split without a column that every record needs.
    #[error("split `{split}` has no column `{column}`; it has {}", found.join(", "))]
    MissingColumn {
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// A column whose type cannot be read as what it should be.
    #[error("column `{column}` of split `{split}` has type {data_type}; expected {expected}")]
    ColumnType {
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// Its Arrow type.
        data_type: DataType,
        /// What a reader could use.
        expected: &'static str,
    },
    /// A cell without a value in a column that needs one.
    #[error("row {row} of split `{split}` has no value in column `{column}`")]
    Null {
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// The row, from 0.
        row: u64,
    },
    /// A cell whose value is not what its column holds.
    #[error("row {row} of split `{split}`, column `{column}`")]
    Value {
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// The row, from 0.
        row: u64,
        /// What is wrong with it.
        #[source]
        source: CoreError,
    },
    /// A file of records that cannot be read.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `open`, `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Lines that are no records, or records whose `uid` another one has.
    #[error("{path} has {}; nothing was written\n{}", lines(*total), listing(faults, *total))]
    Faulty {
        /// The file.
        path: PathBuf,
        /// How many lines are at fault.
        total: u64,
        /// The first few of them.
        faults: Vec<Diagnostic>,
    },
    /// A file that was written to between being indexed and being read.
    #[error("{path} changed while it was being read, near line {line}; run again when it is whole")]
    Changed {
        /// The file.
        path: PathBuf,
        /// The line, from 1, that is another one now.
        line: u64,
    },
    /// Nothing to split.
    #[error("there are no records to split")]
    NoRecords,
    /// Boundaries that leave a split no day, or whose splits overlap.
    #[error(
        "`{later}` ({later_date}) must {} `{earlier}` ({earlier_date})",
        if *same_day { "not lie before" } else { "lie after" }
    )]
    BoundaryOrder {
        /// The setting that must come first.
        earlier: &'static str,
        /// Its day.
        earlier_date: AsOfDate,
        /// The setting that must come after it.
        later: &'static str,
        /// Its day.
        later_date: AsOfDate,
        /// Whether both may be the same day.
        same_day: bool,
    },
    /// A window without days.
    #[error("`{setting}` must be at least 1 day")]
    ZeroDays {
        /// The setting.
        setting: &'static str,
    },
    /// An embargo that leaves a window of a fold no day.
    #[error("`embargo_days` ({embargo_days}) must be less than `{setting}` ({days})")]
    LongEmbargo {
        /// The embargo in calendar days.
        embargo_days: u32,
        /// The window's setting.
        setting: &'static str,
        /// The window in calendar days.
        days: u32,
    },
    /// Records that span less than one fold.
    #[error(
        "the records span {span_days} days, but one fold takes {fold_days}: training, validation \
         and test together"
    )]
    ShortSpan {
        /// From the first to the last date, in calendar days.
        span_days: i64,
        /// What one fold takes, in calendar days.
        fold_days: i64,
    },
    /// More records than row numbers.
    #[error("{path} has more than {} records", u32::MAX)]
    TooManyRecords {
        /// The file.
        path: PathBuf,
    },
    /// A batch that the Arrow library would not make.
    #[error("cannot make a batch of records")]
    Batch {
        /// Why not.
        #[source]
        source: ArrowError,
    },
    /// A data set that, read back, has dates of one split among those of another.
    #[error("leak: {earlier} reaches to {last}, but {later} begins on {first}")]
    Leak {
        /// The split that should end first.
        earlier: Split,
        /// Its last date.
        last: AsOfDate,
        /// The split that should come after it.
        later: Split,
        /// Its first date.
        first: AsOfDate,
    },
    /// A split that, read back, has other rows than were written.
    #[error("{split} has {found} rows, but {written} were written")]
    RowCount {
        /// The split.
        split: Split,
        /// Rows written.
        written: u64,
        /// Rows read back.
        found: u64,
    },
}

pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> SplitError + use<> {
    let path = path.to_owned();
    move |source| SplitError::Io { action, path, source }
}

fn listing(faults: &[Diagnostic], total: u64) -> String {
    let mut lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
    if let Some(more @ 1..) = total.checked_sub(faults.len() as u64) {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

fn lines(total: u64) -> String {
    match total {
        1 => "1 faulty line".to_owned(),
        _ => format!("{total} faulty lines"),
    }
}
