use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::HfDatasetError;
use crate::error::io_error;
use crate::layout::DATA;

/// The Parquet files of each split under `dataset/data`, in the order of their rows; none where
/// there is no such folder. Training comes first, then validation and test, then other splits.
///
/// Names are `SPLIT-00000-of-00001.parquet`, as `load_dataset` finds them, also with a further
/// `-WORD` before the dot, as older versions wrote them.
pub(crate) fn parquet_splits(
    dataset: &Path,
) -> Result<Vec<(String, Vec<PathBuf>)>, HfDatasetError> {
    let folder = dataset.join(DATA);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found: BTreeMap<String, Vec<FileName>> = BTreeMap::new();
    for entry in fs::read_dir(&folder).map_err(io_error("read", &folder))? {
        let name = entry.map_err(io_error("read", &folder))?.file_name();
        if let Some((split, file)) = FileName::parse(name) {
            found.entry(split).or_default().push(file);
        }
    }
    let mut splits = Vec::with_capacity(found.len());
    for (split, mut files) in found {
        files.sort_by_key(|file| file.index);
        check_complete(&folder, &split, &files)?;
        splits.push((split, files.into_iter().map(|file| folder.join(file.name)).collect()));
    }
    let rank = |split: &str| ["train", "validation", "test"].iter().position(|s| *s == split);
    splits.sort_by_key(|(split, _)| rank(split).unwrap_or(usize::MAX));
    Ok(splits)
}

struct FileName {
    name: OsString,
    index: usize,
    count: usize,
}

impl FileName {
    /// The split and the place in it that a file's name says.
    fn parse(name: OsString) -> Option<(String, Self)> {
        let text = name.to_str()?.strip_suffix(".parquet")?;
        let (split, rest) = text.split_once('-')?;
        let mut parts = rest.split('-');
        let number = |part: Option<&str>| part.filter(|p| p.len() == 5)?.parse::<usize>().ok();
        let index = number(parts.next())?;
        (parts.next()? == "of").then_some(())?;
        let count = number(parts.next())?;
        let split = split.to_owned();
        Some((split, Self { index, count, name }))
    }
}

fn check_complete(folder: &Path, split: &str, files: &[FileName]) -> Result<(), HfDatasetError> {
    let promised_by = |file: &FileName| folder.join(&file.name);
    for (index, file) in files.iter().enumerate() {
        if file.index != index {
            let path = folder.join(format!("{split}-{index:05}-of-{:05}.parquet", file.count));
            return Err(HfDatasetError::Missing { path, promised_by: promised_by(file) });
        }
    }
    match files.last() {
        Some(last) if last.count != files.len() => {
            let index = files.len();
            let path = folder.join(format!("{split}-{index:05}-of-{:05}.parquet", last.count));
            Err(HfDatasetError::Missing { path, promised_by: promised_by(last) })
        }
        _ => Ok(()),
    }
}
