use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use thesis_core::CoreError;

use crate::SplitError;

/// Where a batch stands, for the errors about its cells.
pub(crate) struct Place {
    pub(crate) split: String,
    /// Rows of the split before the batch.
    pub(crate) rows_before: u64,
}

impl Place {
    pub(crate) fn missing(&self, column: &'static str, batch: &RecordBatch) -> SplitError {
        let schema = batch.schema();
        let found = schema.fields().iter().map(|field| field.name().clone()).collect();
        SplitError::MissingColumn { split: self.split.clone(), column, found }
    }

    pub(crate) fn column_type(
        &self,
        column: &'static str,
        data_type: &DataType,
        expected: &'static str,
    ) -> SplitError {
        let (split, data_type) = (self.split.clone(), data_type.clone());
        SplitError::ColumnType { split, column, data_type, expected }
    }

    pub(crate) fn null(&self, column: &'static str, row: usize) -> SplitError {
        let row = self.rows_before + row as u64;
        SplitError::Null { split: self.split.clone(), column, row }
    }

    pub(crate) fn value(&self, column: &'static str, row: usize, source: CoreError) -> SplitError {
        let row = self.rows_before + row as u64;
        SplitError::Value { split: self.split.clone(), column, row, source }
    }
}
