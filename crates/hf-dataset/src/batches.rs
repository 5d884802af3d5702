use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::{arrow_error, io_error, parquet_error};
use crate::{Format, HfDatasetError, SplitReader};

/// Rows of a batch read from Parquet, as many as `datasets` puts into one of Arrow.
const PARQUET_BATCH_ROWS: usize = 1000;

/// The batches of a split, one in memory at a time. Ends after the first error.
pub struct Batches {
    split: SplitReader,
    projection: Option<Vec<usize>>,
    next_file: usize,
    decoder: Option<Decoder>,
}

enum Decoder {
    Arrow(Box<StreamReader<BufReader<File>>>),
    Parquet(Box<ParquetRecordBatchReader>),
}

impl Batches {
    pub(crate) fn new(
        split: SplitReader,
        projection: Option<Vec<usize>>,
    ) -> Result<Self, HfDatasetError> {
        let mut batches = Self { split, projection, next_file: 0, decoder: None };
        batches.open_next()?;
        Ok(batches)
    }

    fn open_next(&mut self) -> Result<(), HfDatasetError> {
        self.decoder = match self.split.files().get(self.next_file) {
            Some(path) => Some(open(self.split.format(), path, self.projection.as_deref())?),
            None => None,
        };
        self.next_file += 1;
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, HfDatasetError> {
        while let Some(decoder) = &mut self.decoder {
            match decoder.next() {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => return Ok(Some(batch)),
                Some(Err(source)) => {
                    let path = &self.split.files()[self.next_file - 1];
                    return Err(arrow_error("read", path)(source));
                }
                None => self.open_next()?,
            }
        }
        Ok(None)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, HfDatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance();
        if item.is_err() {
            self.decoder = None;
        }
        item.transpose()
    }
}

impl Iterator for Decoder {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Arrow(reader) => reader.next(),
            Self::Parquet(reader) => reader.next(),
        }
    }
}

fn open(
    format: Format,
    path: &Path,
    projection: Option<&[usize]>,
) -> Result<Decoder, HfDatasetError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    match format {
        Format::Arrow => {
            let reader = StreamReader::try_new_buffered(file, projection.map(<[usize]>::to_vec));
            Ok(Decoder::Arrow(Box::new(reader.map_err(arrow_error("read", path))?)))
        }
        Format::Parquet => {
            let error = parquet_error("read", path);
            let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(&error)?;
            if let Some(roots) = projection {
                let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
                builder = builder.with_projection(mask);
            }
            let reader = builder.with_batch_size(PARQUET_BATCH_ROWS).build().map_err(&error)?;
            Ok(Decoder::Parquet(Box::new(reader)))
        }
    }
}
