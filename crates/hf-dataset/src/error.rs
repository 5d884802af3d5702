use std::io;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// What can go wrong with a data set on disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HfDatasetError {
    /// A file or folder could not be read or written.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried: `read`, `create`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A folder without any of the files that make a data set.
    #[error(
        "{path} holds no data set: there is neither `dataset_dict.json` nor `state.json`, as \
         `save_to_disk` writes them, nor `data/SPLIT-00000-of-0000N.parquet`; name the folder \
         that `build-dataset` or `save_to_disk` wrote"
    )]
    NoDataset {
        /// The folder.
        path: PathBuf,
    },
    /// A split that the data set does not have.
    #[error("{path} has no split `{split}`; it has {}", known.join(", "))]
    NoSplit {
        /// The data set's folder.
        path: PathBuf,
        /// The name as given.
        split: String,
        /// The splits that are there.
        known: Vec<String>,
    },
    /// A column that the split does not have.
    #[error("{path} has no column `{column}`; it has {}", known.join(", "))]
    NoColumn {
        /// The split's first file.
        path: PathBuf,
        /// The name as given.
        column: String,
        /// The columns that are there.
        known: Vec<String>,
    },
    /// A file that another one, or its siblings' names, promises.
    #[error("{path} is missing, although {promised_by} names it; copy or build the data set again")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What says that it should be there.
        promised_by: PathBuf,
    },
    /// A JSON file of the layout that does not hold what it should.
    #[error("{path} is damaged; copy or build the data set again")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// An Arrow stream that ends too early.
    #[error(
        "{path} is cut off after {rows} whole rows, at byte {offset}; copy or build the data set \
         again"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Rows in whole batches before the end.
        rows: u64,
        /// Where the incomplete message begins, in bytes.
        offset: u64,
    },
    /// A file that is no Arrow IPC stream.
    #[error("{path} is no Arrow stream: {reason} at byte {offset}")]
    NotArrow {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
        /// Where, in bytes.
        offset: u64,
    },
    /// The Arrow library refused to encode or decode a batch.
    #[error("cannot {action} {path}")]
    Arrow {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ArrowError,
    },
    /// The Parquet library refused to encode or decode a batch.
    #[error("cannot {action} {path}")]
    Parquet {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: ParquetError,
    },
    /// Two files of one split, or a batch and its split, that differ in columns.
    #[error("{path} has other columns than the split: expected {expected}, got {got}")]
    SchemaMismatch {
        /// The file that was read or written.
        path: PathBuf,
        /// Columns of the split.
        expected: String,
        /// Columns of the file or batch.
        got: String,
    },
    /// A column type that `datasets` has no word for.
    #[error("column `{column}` has type {data_type}, which Hugging Face datasets cannot hold")]
    UnsupportedType {
        /// The column, with `.` between nested names.
        column: String,
        /// Its Arrow type.
        data_type: DataType,
    },
    /// A split name that `datasets` would refuse.
    #[error("`{split}` is no split name: use letters, digits and `_`, with single dots between")]
    SplitName {
        /// The name as given.
        split: String,
    },
    /// A split that is there already.
    #[error("{path} exists already; remove it or write to another folder")]
    Exists {
        /// The split's folder or file.
        path: PathBuf,
    },
    /// More files than a name of the layout can count.
    #[error("split `{split}` would need more than 100000 files; raise the size of a file")]
    TooManyFiles {
        /// The split.
        split: String,
    },
}

pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> HfDatasetError {
    let path = path.to_owned();
    move |source| HfDatasetError::Io { action, path, source }
}

pub(crate) fn arrow_error(
    action: &'static str,
    path: &Path,
) -> impl Fn(ArrowError) -> HfDatasetError {
    let path = path.to_owned();
    move |source| match source {
        // The disk's own words say more than the library's wrapping of them.
        ArrowError::IoError(_, source) => HfDatasetError::Io { action, path: path.clone(), source },
        source => HfDatasetError::Arrow { action, path: path.clone(), source },
    }
}

pub(crate) fn parquet_error(
    action: &'static str,
    path: &Path,
) -> impl Fn(ParquetError) -> HfDatasetError {
    let path = path.to_owned();
    move |source| HfDatasetError::Parquet { action, path: path.clone(), source }
}
