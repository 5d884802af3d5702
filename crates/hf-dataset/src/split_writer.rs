use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use serde_json::Value;

use crate::error::io_error;
use crate::features::{features_of, with_features};
use crate::json_file::write_text;
use crate::layout::{DATASET_INFO, STATE, check_split_name};
use crate::shard::{Shard, WrittenShard};
use crate::state::{info_json, state_json};
use crate::{Format, HfDatasetError};

/// Size in bytes after which `datasets`, too, begins another file.
pub const DEFAULT_SHARD_BYTES: u64 = 500_000_000;

/// The layout counts files with five digits.
const MAX_FILES: usize = 100_000;

/// Writes one split of a data set, batch by batch, into as many files as its size asks for.
///
/// The files bear temporary names until [`SplitWriter::finish`]; a writer that is dropped before
/// leaves a split that no reader takes for a whole one.
pub struct SplitWriter {
    folder: PathBuf,
    split: String,
    schema: SchemaRef,
    features: Value,
    format: Format,
    max_shard_bytes: u64,
    written: Vec<WrittenShard>,
    current: Shard,
}

/// A split that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFiles {
    /// The split's name.
    pub split: String,
    /// Rows in all files.
    pub rows: u64,
    /// Its data files in the order of its rows.
    pub files: Vec<SplitFile>,
    /// 16 hex digits that follow from the files' bytes.
    pub fingerprint: String,
}

/// A data file of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its BLAKE3 digest, 64 hex digits.
    pub blake3: String,
}

impl SplitWriter {
    /// Begins the split `split` of the data set in the folder `dataset`, which is made where it is
    /// not there. A file is closed before it outgrows `max_shard_bytes`, but holds a batch at least.
    ///
    /// # Errors
    /// [`HfDatasetError::SplitName`] and [`HfDatasetError::UnsupportedType`] for what `datasets`
    /// would not read, [`HfDatasetError::Exists`] where the split is there already,
    /// [`HfDatasetError::Io`] where the first file cannot be made.
    pub fn create(
        dataset: &Path,
        split: &str,
        schema: SchemaRef,
        format: Format,
        max_shard_bytes: u64,
    ) -> Result<Self, HfDatasetError> {
        check_split_name(split)?;
        let features = features_of(&schema)?;
        let schema = with_features(&schema, &features);
        let folder = format.split_folder(dataset, split);
        refuse_existing(&folder, split, format)?;
        fs::create_dir_all(&folder).map_err(io_error("create", &folder))?;
        let first = folder.join(format.partial_name(split, 0));
        let current = Shard::create(first, &schema, format)?;
        Ok(Self {
            folder,
            split: split.to_owned(),
            schema,
            features,
            format,
            max_shard_bytes,
            written: Vec::new(),
            current,
        })
    }

    /// Appends the rows of `batch`.
    ///
    /// # Errors
    /// [`HfDatasetError::SchemaMismatch`] for a batch with other columns than the split,
    /// [`HfDatasetError::Io`], [`HfDatasetError::Arrow`] or [`HfDatasetError::Parquet`] where it
    /// cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), HfDatasetError> {
        check_fields(self.current.path(), &self.schema, batch.schema_ref())?;
        if self.outgrows(batch) {
            self.next_file()?;
        }
        self.current.write(batch)
    }

    /// Completes the split and gives its files their final names.
    ///
    /// # Errors
    /// As [`SplitWriter::write`].
    pub fn finish(mut self) -> Result<SplitFiles, HfDatasetError> {
        self.written.push(self.current.finish()?);
        let count = self.written.len();
        let names: Vec<String> =
            (0..count).map(|index| self.format.file_name(&self.split, index, count)).collect();
        let mut content = blake3::Hasher::new();
        let mut files = Vec::with_capacity(count);
        for (shard, name) in self.written.into_iter().zip(&names) {
            let path = self.folder.join(name);
            fs::rename(&shard.path, &path).map_err(io_error("rename a file to", &path))?;
            content.update(shard.digest.as_bytes());
            let blake3 = shard.digest.to_hex().to_string();
            files.push(SplitFile { path, rows: shard.rows, bytes: shard.bytes, blake3 });
        }
        let fingerprint = content.finalize().to_hex()[..16].to_owned();
        if self.format == Format::Arrow {
            let info = info_json(&self.features);
            write_text(&self.folder.join(DATASET_INFO), &info)?;
            write_text(&self.folder.join(STATE), &state_json(&names, &fingerprint))?;
        }
        let rows = files.iter().map(|file| file.rows).sum();
        Ok(SplitFiles { split: self.split, rows, files, fingerprint })
    }

    fn outgrows(&self, batch: &RecordBatch) -> bool {
        // A Parquet file's size shows only after encoding, so it may pass the limit by a batch.
        let added = match self.format {
            Format::Arrow => batch.get_array_memory_size() as u64,
            Format::Parquet => 0,
        };
        self.current.rows > 0 && self.current.bytes() + added > self.max_shard_bytes
    }

    fn next_file(&mut self) -> Result<(), HfDatasetError> {
        let index = self.written.len() + 1;
        if index >= MAX_FILES {
            return Err(HfDatasetError::TooManyFiles { split: self.split.clone() });
        }
        let path = self.folder.join(self.format.partial_name(&self.split, index));
        let next = Shard::create(path, &self.schema, self.format)?;
        let full = std::mem::replace(&mut self.current, next);
        self.written.push(full.finish()?);
        Ok(())
    }
}

/// Refuses a file or batch whose columns differ from the split's in name, order or type.
pub(crate) fn check_fields(
    path: &Path,
    expected: &Schema,
    got: &Schema,
) -> Result<(), HfDatasetError> {
    let same = |a: &Schema, b: &Schema| {
        a.fields().len() == b.fields().len()
            && a.fields()
                .iter()
                .zip(b.fields())
                .all(|(a, b)| a.name() == b.name() && a.data_type().equals_datatype(b.data_type()))
    };
    if same(expected, got) {
        return Ok(());
    }
    let columns = |schema: &Schema| {
        let columns = schema.fields().iter().map(|f| format!("{} {}", f.name(), f.data_type()));
        columns.collect::<Vec<_>>().join(", ")
    };
    Err(HfDatasetError::SchemaMismatch {
        path: path.to_owned(),
        expected: columns(expected),
        got: columns(got),
    })
}

fn refuse_existing(folder: &Path, split: &str, format: Format) -> Result<(), HfDatasetError> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    let prefix = format!("{split}-");
    let mut names = entries.flatten().map(|entry| entry.file_name());
    let taken = names.find(|name| match format {
        Format::Arrow => true,
        Format::Parquet => name.to_string_lossy().trim_start_matches('.').starts_with(&prefix),
    });
    match taken {
        Some(name) => Err(HfDatasetError::Exists { path: folder.join(name) }),
        None => Ok(()),
    }
}
