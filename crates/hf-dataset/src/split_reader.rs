use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use serde_json::Value;

use crate::arrow_scan::count_rows;
use crate::batches::Batches;
use crate::error::{arrow_error, io_error, parquet_error};
use crate::features::{class_names, features_in};
use crate::json_file::read_json;
use crate::layout::{DATASET_INFO, STATE};
use crate::split_writer::check_fields;
use crate::state::{Info, State};
use crate::{Format, HfDatasetError};

/// One split of a data set, ready to be read as often as need be.
#[derive(Debug, Clone)]
pub struct SplitReader {
    format: Format,
    files: Vec<PathBuf>,
    schema: SchemaRef,
    features: Value,
    rows: u64,
}

impl SplitReader {
    /// Opens a folder that `save_to_disk` wrote for one split.
    pub(crate) fn open_arrow(folder: &Path, promised_by: &Path) -> Result<Self, HfDatasetError> {
        let state_path = folder.join(STATE);
        let state: State = read_json(&state_path, promised_by)?;
        let info_path = folder.join(DATASET_INFO);
        let info: Option<Info> = match info_path.exists() {
            true => Some(read_json(&info_path, folder)?),
            false => None,
        };
        let files: Vec<PathBuf> =
            state.data_files.iter().map(|file| folder.join(&file.filename)).collect();
        if let Some(path) = files.iter().find(|path| !path.exists()) {
            let path = path.clone();
            return Err(HfDatasetError::Missing { path, promised_by: state_path });
        }
        let described = info.map(|info| info.features).filter(|features| !features.is_null());
        Self::open(Format::Arrow, files, described)
    }

    /// Opens a split that lies in Parquet files.
    pub(crate) fn open_parquet(files: Vec<PathBuf>) -> Result<Self, HfDatasetError> {
        Self::open(Format::Parquet, files, None)
    }

    fn open(
        format: Format,
        files: Vec<PathBuf>,
        described: Option<Value>,
    ) -> Result<Self, HfDatasetError> {
        let mut schema: Option<SchemaRef> = None;
        let mut rows = 0;
        for file in &files {
            let (file_schema, file_rows) = match format {
                Format::Arrow => inspect_arrow(file)?,
                Format::Parquet => inspect_parquet(file)?,
            };
            match &schema {
                Some(schema) => check_fields(file, schema, &file_schema)?,
                None => schema = Some(file_schema),
            }
            rows += file_rows;
        }
        // `save_to_disk` writes no file for a split without rows.
        let schema = schema.unwrap_or_else(|| Schema::empty().into());
        let features = described.or_else(|| features_in(&schema)).unwrap_or_default();
        Ok(Self { format, files, schema, features, rows })
    }

    /// Its rows, in all files.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its columns; none for a split without rows that `save_to_disk` wrote.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Its data files, in the order of its rows.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// How it lies on disk.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What a `ClassLabel` column's numbers stand for, by number; `None` for other columns.
    pub fn class_names(&self, column: &str) -> Option<Vec<String>> {
        class_names(&self.features, column)
    }

    /// All columns of all rows, a batch at a time, in order.
    ///
    /// # Errors
    /// [`HfDatasetError::Io`] where the first file has gone away; the iterator's items fail where
    /// a batch cannot be read.
    pub fn batches(&self) -> Result<Batches, HfDatasetError> {
        Batches::new(self.clone(), None)
    }

    /// Some columns of all rows, a batch at a time, in the order of the split's own columns.
    ///
    /// # Errors
    /// [`HfDatasetError::NoColumn`] where one is not there; otherwise as
    /// [`SplitReader::batches`].
    pub fn batches_of(&self, columns: &[&str]) -> Result<Batches, HfDatasetError> {
        let index = |column: &&str| {
            self.schema.index_of(column).map_err(|_| HfDatasetError::NoColumn {
                path: self.files.first().cloned().unwrap_or_default(),
                column: (*column).to_owned(),
                known: self.schema.fields().iter().map(|field| field.name().clone()).collect(),
            })
        };
        let mut indices = columns.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        indices.sort_unstable();
        indices.dedup();
        Batches::new(self.clone(), Some(indices))
    }
}

fn inspect_arrow(path: &Path) -> Result<(SchemaRef, u64), HfDatasetError> {
    let rows = count_rows(path)?;
    let file = File::open(path).map_err(io_error("open", path))?;
    let reader = StreamReader::try_new_buffered(file, None).map_err(arrow_error("read", path))?;
    Ok((reader.schema(), rows))
}

fn inspect_parquet(path: &Path) -> Result<(SchemaRef, u64), HfDatasetError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    let size = file.metadata().map_err(io_error("read", path))?.len();
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet_error("read", path))?;
    // The Parquet library takes it for granted that columns lie inside of their file.
    let inside = |column: &ColumnChunkMetaData| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let end = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
        end.is_some_and(|(start, length)| start.saturating_add(length) <= size)
    };
    let groups = builder.metadata().row_groups();
    if !groups.iter().flat_map(RowGroupMetaData::columns).all(inside) {
        let source = ParquetError::EOF("a column lies outside of the file".to_owned());
        return Err(parquet_error("read", path)(source));
    }
    let rows = builder.metadata().file_metadata().num_rows();
    Ok((builder.schema().clone(), u64::try_from(rows).unwrap_or(0)))
}
