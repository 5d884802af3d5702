use std::path::PathBuf;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use hf_dataset::HfDatasetError;
use thesis_core::Action;

/// What can be wrong with token rows, and with what is asked of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The data set cannot be read.
    #[error(transparent)]
    Dataset(#[from] HfDatasetError),
    /// A column that every split of tokens has.
    #[error("split `{split}` of {path} has no column `{column}`; it has {}", known.join(", "))]
    NoColumn {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// The columns that are there.
        known: Vec<String>,
    },
    /// A column of a type that cannot be what its name says.
    #[error(
        "split `{split}` of {path}: column `{column}` has type {data_type}; {expected} is needed"
    )]
    ColumnType {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// Its type.
        data_type: DataType,
        /// What it should be.
        expected: &'static str,
    },
    /// Values of a column that do not fit into numbers of 64 bits.
    #[error("split `{split}` of {path}: column `{column}` cannot be read")]
    ColumnValues {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// The column.
        column: &'static str,
        /// Why not.
        #[source]
        source: ArrowError,
    },
    /// A split without rows.
    #[error("split `{split}` of {path} has no rows")]
    Empty {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
    },
    /// A row that contradicts itself or the model.
    #[error("split `{split}` of {path}: {row}")]
    Row {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// The uid of the row, or its number.
        row: String,
        /// What is wrong with it.
        #[source]
        fault: Box<RowFault>,
    },
    /// Rows that are too long.
    #[error(
        "split `{split}` of {path}: {rows} rows have more than {max_length} tokens; the longest, {row}, has {longest}"
    )]
    TooLong {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// How many rows.
        rows: u64,
        /// Most tokens of a row.
        max_length: usize,
        /// Tokens of the longest row.
        longest: usize,
        /// Its uid.
        row: String,
    },
    /// Rows from which nothing can be learned.
    #[error(
        "split `{split}` of {path}: {rows} rows have no targets, their labels being -100 everywhere but at the first \
         token; they are {}{}", named.join(", "), if *rows > named.len() as u64 { ", …" } else { "" }
    )]
    NoTargets {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// How many rows.
        rows: u64,
        /// The first of them.
        named: Vec<String>,
    },
    /// An example whose action is needed and not known.
    #[error("split `{split}` of {path}: {row} has no action, and {purpose} goes by it")]
    NoAction {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
        /// The uid of the example, or its number.
        row: String,
        /// What needs the action.
        purpose: &'static str,
    },
    /// Rows of several examples cannot be drawn by action.
    #[error(
        "split `{split}` of {path} has rows of several examples, which balanced sampling cannot draw by action"
    )]
    PackedSampling {
        /// The data set's folder.
        path: PathBuf,
        /// The split.
        split: String,
    },
    /// A weight of a class that is no weight.
    #[error("the weight of {action} is {weight}; weights are finite and above 0")]
    ClassWeight {
        /// The class.
        action: Action,
        /// Its weight.
        weight: f64,
    },
    /// A plan without batches.
    #[error("{what} is 0; a step needs at least 1")]
    Zero {
        /// Which number.
        what: &'static str,
    },
}

/// What can be wrong with a row.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// A null where there should be a value.
    #[error("column `{column}` is null, or has a null in it")]
    Null {
        /// The column.
        column: &'static str,
    },
    /// Columns of different lengths.
    #[error("`{column}` has {got} values for {expected} {of}")]
    Length {
        /// The column.
        column: &'static str,
        /// Its values.
        got: usize,
        /// How many there should be.
        expected: usize,
        /// Of what.
        of: &'static str,
    },
    /// No tokens but padding.
    #[error("there are no tokens")]
    NoTokens,
    /// An id that the model has no row for.
    #[error("token {position} has id {id}; the model's vocabulary ends at {last}")]
    Id {
        /// Index of the token.
        position: usize,
        /// Its id.
        id: i64,
        /// The last id that there is.
        last: usize,
    },
    /// A label that is neither the token's id nor -100.
    #[error(
        "the label of token {position} is {label}; it must be the token's own id, {id}, or -100"
    )]
    Label {
        /// Index of the token.
        position: usize,
        /// Its label.
        label: i64,
        /// Its id.
        id: i64,
    },
    /// A target where there is padding.
    #[error(
        "token {position} is padding by attention_mask, but its label is {label} instead of -100"
    )]
    PaddedTarget {
        /// Index of the token.
        position: usize,
        /// Its label.
        label: i64,
    },
    /// Padding between tokens.
    #[error(
        "attention_mask is 0 at token {position}, between tokens; padding may stand at the ends only"
    )]
    Gap {
        /// Index of the token.
        position: usize,
    },
    /// A mask of something else than 0 and 1.
    #[error("attention_mask has {value} at token {position}; it must be 0 or 1")]
    Mask {
        /// Index of the token.
        position: usize,
        /// What it has.
        value: i64,
    },
    /// Lengths that do not add up.
    #[error("seq_lengths {lengths:?} do not add up to the {tokens} tokens of the row")]
    SequenceLengths {
        /// The lengths.
        lengths: Vec<i64>,
        /// The tokens.
        tokens: usize,
    },
    /// Positions that do not count from 0.
    #[error(
        "position_ids has {got} at token {position}, where an example begins at 0 or goes on with {expected}"
    )]
    Position {
        /// Index of the token.
        position: usize,
        /// What it has.
        got: i64,
        /// The next position of the example.
        expected: i64,
    },
    /// A weight that is no weight.
    #[error("the weight is {weight}; weights are finite and above 0")]
    Weight {
        /// The weight.
        weight: f64,
    },
}
