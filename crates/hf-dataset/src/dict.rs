use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use crate::json_file::{read_json, write_text};
use crate::layout::{DATASET_DICT, STATE, check_split_name};
use crate::parquet_files::parquet_splits;
use crate::state::State;
use crate::{HfDatasetError, SplitReader};

/// Name of a single data set's only split where it does not name one itself.
const ONLY_SPLIT: &str = "train";

/// A data set on disk: its splits by name.
#[derive(Debug, Clone)]
pub struct DatasetDict {
    folder: PathBuf,
    names: Vec<String>,
    layout: Layout,
}

#[derive(Debug, Clone)]
enum Layout {
    /// `dataset_dict.json` and a folder a split.
    ArrowDict,
    /// The folder of one split.
    ArrowSingle,
    /// The files of each split, in the order of the names.
    Parquet(Vec<Vec<PathBuf>>),
}

#[derive(Deserialize)]
struct DictFile {
    splits: Vec<String>,
}

impl DatasetDict {
    /// Opens what `DatasetDict.save_to_disk` wrote, what `Dataset.save_to_disk` wrote (one split,
    /// called `train` unless it names itself), or Parquet files as `load_dataset` finds them.
    ///
    /// # Errors
    /// [`HfDatasetError::NoDataset`] for any other folder, [`HfDatasetError::Missing`] for Parquet
    /// files that are incomplete by their names, [`HfDatasetError::Json`] and
    /// [`HfDatasetError::Io`] for files that cannot be read.
    pub fn open(folder: &Path) -> Result<Self, HfDatasetError> {
        let folder = folder.to_owned();
        let dict = folder.join(DATASET_DICT);
        if dict.exists() {
            let DictFile { splits: names } = read_json(&dict, &folder)?;
            names.iter().try_for_each(|name| check_split_name(name))?;
            return Ok(Self { folder, names, layout: Layout::ArrowDict });
        }
        let state = folder.join(STATE);
        if state.exists() {
            let state: State = read_json(&state, &folder)?;
            let name = state.split.unwrap_or_else(|| ONLY_SPLIT.to_owned());
            return Ok(Self { folder, names: vec![name], layout: Layout::ArrowSingle });
        }
        let (names, files): (Vec<_>, Vec<_>) = parquet_splits(&folder)?.into_iter().unzip();
        if names.is_empty() {
            return Err(no_dataset(folder));
        }
        Ok(Self { folder, names, layout: Layout::Parquet(files) })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The names of the splits, in the data set's own order.
    pub fn splits(&self) -> &[String] {
        &self.names
    }

    /// Opens a split: reads what describes it and the headers of its files, but no rows.
    ///
    /// # Errors
    /// [`HfDatasetError::NoSplit`] for a name that is not there; [`HfDatasetError::Missing`],
    /// [`HfDatasetError::Json`], [`HfDatasetError::Truncated`], [`HfDatasetError::NotArrow`],
    /// [`HfDatasetError::Parquet`] or [`HfDatasetError::SchemaMismatch`] for files that are
    /// missing, damaged, cut off or do not go together.
    pub fn split(&self, name: &str) -> Result<SplitReader, HfDatasetError> {
        let index = self.names.iter().position(|known| known == name).ok_or_else(|| {
            HfDatasetError::NoSplit {
                path: self.folder.clone(),
                split: name.to_owned(),
                known: self.names.clone(),
            }
        })?;
        match &self.layout {
            Layout::ArrowDict => {
                SplitReader::open_arrow(&self.folder.join(name), &self.folder.join(DATASET_DICT))
            }
            Layout::ArrowSingle => SplitReader::open_arrow(&self.folder, &self.folder),
            Layout::Parquet(files) => SplitReader::open_parquet(files[index].clone()),
        }
    }
}

/// Writes `dataset_dict.json`, which makes folders of splits one data set.
///
/// Parquet data sets have no such file: there `load_dataset` goes by the files' names.
///
/// # Errors
/// [`HfDatasetError::SplitName`] for a name that `datasets` would refuse, [`HfDatasetError::Io`]
/// where the file cannot be written.
pub fn write_dataset_dict(dataset: &Path, splits: &[&str]) -> Result<(), HfDatasetError> {
    splits.iter().try_for_each(|split| check_split_name(split))?;
    write_text(&dataset.join(DATASET_DICT), &json!({ "splits": splits }).to_string())
}

fn no_dataset(path: PathBuf) -> HfDatasetError {
    match path.try_exists() {
        Ok(true) => HfDatasetError::NoDataset { path },
        Ok(false) => {
            let source = io::Error::from(io::ErrorKind::NotFound);
            HfDatasetError::Io { action: "open data set", path, source }
        }
        Err(source) => HfDatasetError::Io { action: "open data set", path, source },
    }
}
