use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use hf_dataset::{Format, SplitFiles, SplitWriter, write_dataset_dict};
use rayon::prelude::*;

use crate::columns::RecordColumns;
use crate::leak_check::check_written;
use crate::schema::record_schema;
use crate::{Balance, PlannedSplit, RecordIndex, SplitError, SplitPlan};

/// Rows of a batch, as many as `datasets` writes into one.
const BATCH_ROWS: usize = 1000;

/// How a data set is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// Arrow or Parquet.
    pub format: Format,
    /// Size in bytes after which another file begins.
    pub max_shard_bytes: u64,
}

/// Writes the splits of `plan` into `folder`, reads them back, and makes sure that no date of one
/// lies among those of another.
///
/// Records are read from the index's file again and written a few thousand at a time, on rayon's
/// threads; the bytes written do not depend on their number. `progress` is told of rows as they
/// are done.
///
/// # Errors
/// [`SplitError::Changed`] where the file is not the one that was indexed,
/// [`SplitError::Dataset`] where the folder cannot be written, [`SplitError::Leak`] and
/// [`SplitError::RowCount`] where what was written is not what should have been.
pub fn write_splits(
    index: &RecordIndex,
    plan: &SplitPlan,
    folder: &Path,
    options: &WriteOptions,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<SplitFiles>, SplitError> {
    let schema = record_schema(plan.balance == Balance::Weights);
    let mut written = Vec::with_capacity(plan.parts.len());
    for part in &plan.parts {
        written.push(write_split(index, part, folder, &schema, options, progress)?);
    }
    if options.format == Format::Arrow {
        let names: Vec<&str> = plan.parts.iter().map(|part| part.split.as_str()).collect();
        write_dataset_dict(folder, &names)?;
    }
    check_written(folder, plan)?;
    Ok(written)
}

fn write_split(
    index: &RecordIndex,
    part: &PlannedSplit,
    folder: &Path,
    schema: &SchemaRef,
    options: &WriteOptions,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<SplitFiles, SplitError> {
    let WriteOptions { format, max_shard_bytes } = *options;
    let name = part.split.as_str();
    let mut writer = SplitWriter::create(folder, name, schema.clone(), format, max_shard_bytes)?;
    let at_once = BATCH_ROWS * rayon::current_num_threads() * 2;
    let mut ready: Vec<RecordBatch> = Vec::new();
    for rows in part.rows.chunks(at_once).chain([[].as_slice()]) {
        // One thread writes what is ready while the others make the next batches.
        let (wrote, made) = rayon::join(
            || {
                ready.iter().try_for_each(|batch| {
                    writer.write(batch)?;
                    progress(batch.num_rows() as u64);
                    Ok::<_, SplitError>(())
                })
            },
            || {
                let batches = rows.par_chunks(BATCH_ROWS);
                batches
                    .map(|rows| make_batch(index, part, rows, schema))
                    .collect::<Result<Vec<_>, SplitError>>()
            },
        );
        wrote?;
        ready = made?;
    }
    Ok(writer.finish()?)
}

fn make_batch(
    index: &RecordIndex,
    part: &PlannedSplit,
    rows: &[u32],
    schema: &SchemaRef,
) -> Result<RecordBatch, SplitError> {
    let mut columns = RecordColumns::default();
    for record in index.records(rows)? {
        let record = record?;
        columns.push(&record, part.class_weights[record.action]);
    }
    columns.finish(schema).map_err(|source| SplitError::Batch { source })
}
