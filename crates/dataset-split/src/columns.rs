use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Builder, Float64Builder, Int64Builder, ListArray, RecordBatch, StringBuilder,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use thesis_core::Record;

use crate::schema::{INDICATOR_FIELDS, INDICATOR_ITEM, METADATA_FIELDS};

/// Gathers records into the columns of a batch.
#[derive(Default)]
pub(crate) struct RecordColumns {
    uid: StringBuilder,
    ticker: StringBuilder,
    as_of_date: StringBuilder,
    instruction: StringBuilder,
    input: StringBuilder,
    output: StringBuilder,
    action: StringBuilder,
    indicator_counts: Vec<usize>,
    indicator_name: StringBuilder,
    indicator_value: Float64Builder,
    file: StringBuilder,
    line: Int64Builder,
    generated_by: StringBuilder,
    version: StringBuilder,
    weight: Float32Builder,
}

impl RecordColumns {
    /// Appends a record and its weight; the weight counts only where the schema has that column.
    pub(crate) fn push(&mut self, record: &Record, weight: f32) {
        self.uid.append_value(&record.uid);
        self.ticker.append_value(record.ticker.as_str());
        self.as_of_date.append_value(record.as_of_date.to_string());
        self.instruction.append_value(&record.instruction);
        self.input.append_value(&record.input);
        self.output.append_value(&record.output);
        self.action.append_value(record.action.as_str());
        self.indicator_counts.push(record.indicators.len());
        for (name, value) in record.indicators.iter() {
            self.indicator_name.append_value(name);
            self.indicator_value.append_option(value);
        }
        let metadata = &record.metadata;
        self.file.append_value(&metadata.file);
        self.line.append_option(i64::try_from(metadata.line).ok());
        self.generated_by.append_option(metadata.generated_by.as_deref());
        self.version.append_option(metadata.version.as_deref());
        self.weight.append_value(weight);
    }

    /// The batch of what was pushed, with the columns of `schema`, which
    /// [`record_schema`](crate::record_schema) made.
    pub(crate) fn finish(mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let pairs = StructArray::try_new(
            INDICATOR_FIELDS.clone(),
            vec![Arc::new(self.indicator_name.finish()), Arc::new(self.indicator_value.finish())],
            None,
        )?;
        let offsets = OffsetBuffer::from_lengths(self.indicator_counts);
        let indicators =
            ListArray::try_new(INDICATOR_ITEM.clone(), offsets, Arc::new(pairs), None)?;
        let metadata = StructArray::try_new(
            METADATA_FIELDS.clone(),
            vec![
                Arc::new(self.file.finish()),
                Arc::new(self.line.finish()),
                Arc::new(self.generated_by.finish()),
                Arc::new(self.version.finish()),
            ],
            None,
        )?;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.uid.finish()),
            Arc::new(self.ticker.finish()),
            Arc::new(self.as_of_date.finish()),
            Arc::new(self.instruction.finish()),
            Arc::new(self.input.finish()),
            Arc::new(self.output.finish()),
            Arc::new(self.action.finish()),
            Arc::new(indicators),
            Arc::new(metadata),
            Arc::new(self.weight.finish()),
        ];
        columns.truncate(schema.fields().len());
        RecordBatch::try_new(schema.clone(), columns)
    }
}
