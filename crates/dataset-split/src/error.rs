use arrow::datatypes::DataType;
use hf_dataset::HfDatasetError;
use thesis_core::CoreError;

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
}
