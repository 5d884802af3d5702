use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::HfDatasetError;

/// Names the splits of a data set that `save_to_disk` wrote.
pub(crate) const DATASET_DICT: &str = "dataset_dict.json";
/// Names the files of a split that `save_to_disk` wrote.
pub(crate) const STATE: &str = "state.json";
/// Holds the features of a split that `save_to_disk` wrote.
pub(crate) const DATASET_INFO: &str = "dataset_info.json";
/// The folder of Parquet files, and the first word of Arrow files.
pub(crate) const DATA: &str = "data";
/// Key of the features in an Arrow schema's metadata and in a Parquet file's.
pub(crate) const METADATA_KEY: &str = "huggingface";

/// How a data set lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Arrow IPC streams, for `datasets.load_from_disk`.
    #[default]
    Arrow,
    /// Parquet files, for `datasets.load_dataset`.
    Parquet,
}

impl Format {
    /// The folder of a split's files.
    pub(crate) fn split_folder(self, dataset: &Path, split: &str) -> PathBuf {
        match self {
            Self::Arrow => dataset.join(split),
            Self::Parquet => dataset.join(DATA),
        }
    }

    /// The name of a split's file number `index` of `count`.
    pub(crate) fn file_name(self, split: &str, index: usize, count: usize) -> String {
        match self {
            Self::Arrow => format!("{DATA}-{index:05}-of-{count:05}.arrow"),
            Self::Parquet => format!("{split}-{index:05}-of-{count:05}.parquet"),
        }
    }

    /// The name of a split's file number `index` while their count is not known.
    pub(crate) fn partial_name(self, split: &str, index: usize) -> String {
        match self {
            Self::Arrow => format!(".{DATA}-{index:05}.partial"),
            Self::Parquet => format!(".{split}-{index:05}.partial"),
        }
    }
}

/// Accepts what `datasets` does: `\w+(\.\w+)*`.
pub(crate) fn check_split_name(split: &str) -> Result<(), HfDatasetError> {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if split.split('.').all(word) {
        Ok(())
    } else {
        Err(HfDatasetError::SplitName { split: split.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_names_that_datasets_takes() {
        for name in ["train", "validation", "test_2", "a.b", "données"] {
            assert!(check_split_name(name).is_ok(), "{name}");
        }
        for name in ["", ".", "a..b", "../a", "a/b", "a-b", "a b", ".a"] {
            assert!(check_split_name(name).is_err(), "{name}");
        }
    }
}
