use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::error::{arrow_error, io_error, parquet_error};
use crate::hashing_file::HashingFile;
use crate::layout::METADATA_KEY;
use crate::{Format, HfDatasetError};

/// Encoded bytes after which a Parquet row group is closed: what a writer holds in memory.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// A file of a split in the making.
pub(crate) struct Shard {
    path: PathBuf,
    encoder: Encoder,
    /// Rows so far.
    pub(crate) rows: u64,
}

/// A complete file of a split, still under its temporary name.
pub(crate) struct WrittenShard {
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) digest: blake3::Hash,
}

enum Encoder {
    Arrow(Box<StreamWriter<HashingFile>>),
    Parquet(Box<ArrowWriter<HashingFile>>),
}

impl Shard {
    pub(crate) fn create(
        path: PathBuf,
        schema: &SchemaRef,
        format: Format,
    ) -> Result<Self, HfDatasetError> {
        let file = HashingFile::create(&path).map_err(io_error("create", &path))?;
        let encoder = match format {
            Format::Arrow => {
                let writer = StreamWriter::try_new(file, schema);
                Encoder::Arrow(Box::new(writer.map_err(arrow_error("write", &path))?))
            }
            Format::Parquet => {
                let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties(schema)));
                Encoder::Parquet(Box::new(writer.map_err(parquet_error("write", &path))?))
            }
        };
        Ok(Self { path, encoder, rows: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written and waiting.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.encoder {
            Encoder::Arrow(writer) => writer.get_ref().bytes(),
            Encoder::Parquet(writer) => (writer.bytes_written() + writer.in_progress_size()) as u64,
        }
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), HfDatasetError> {
        match &mut self.encoder {
            Encoder::Arrow(writer) => {
                writer.write(batch).map_err(arrow_error("write", &self.path))?;
            }
            Encoder::Parquet(writer) => {
                let error = parquet_error("write", &self.path);
                writer.write(batch).map_err(&error)?;
                if writer.in_progress_size() >= ROW_GROUP_BYTES {
                    writer.flush().map_err(&error)?;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<WrittenShard, HfDatasetError> {
        let Self { path, encoder, rows } = self;
        let file = match encoder {
            Encoder::Arrow(writer) => writer.into_inner().map_err(arrow_error("write", &path))?,
            Encoder::Parquet(writer) => {
                writer.into_inner().map_err(parquet_error("write", &path))?
            }
        };
        let (bytes, digest) = file.finish().map_err(io_error("write", &path))?;
        Ok(WrittenShard { path, rows, bytes, digest })
    }
}

fn properties(schema: &SchemaRef) -> WriterProperties {
    // Readers other than Arrow's look for the features in the file's own metadata.
    let features = schema.metadata().get(METADATA_KEY).cloned();
    let metadata = features.map(|text| vec![KeyValue::new(METADATA_KEY.to_owned(), text)]);
    WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(metadata)
        .build()
}
