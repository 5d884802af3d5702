use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use thesis_core::Provenance;

use crate::SplitError;
use crate::place::Place;
use crate::schema::METADATA;
use crate::text_column::TextColumn;

/// Where each row came from; parts that the data set does not have are empty.
#[derive(Default)]
pub(crate) struct ProvenanceColumn {
    file: Option<TextColumn>,
    line: Option<Int64Array>,
    generated_by: Option<TextColumn>,
    version: Option<TextColumn>,
}

impl ProvenanceColumn {
    pub(crate) fn new(column: Option<&ArrayRef>, place: &Place) -> Result<Self, SplitError> {
        let column = match column {
            None => return Ok(Self::default()),
            Some(column) if column.data_type().is_null() => return Ok(Self::default()),
            Some(column) => column,
        };
        let refuse = || {
            let expected = "a struct of file, line, generated_by and version";
            place.column_type(METADATA, column.data_type(), expected)
        };
        let parts = column.as_struct_opt().ok_or_else(refuse)?;
        let text = |name: &'static str| {
            let part = parts.column_by_name(name);
            part.map(|part| TextColumn::new(part, METADATA, None, place)).transpose()
        };
        let line = match parts.column_by_name("line") {
            Some(line) => {
                let lines = cast(line, &DataType::Int64).map_err(|_| refuse())?;
                Some(lines.as_primitive::<Int64Type>().clone())
            }
            None => None,
        };
        Ok(Self {
            file: text("file")?,
            line,
            generated_by: text("generated_by")?,
            version: text("version")?,
        })
    }

    /// The provenance of a row of the batch.
    pub(crate) fn get(&self, row: usize) -> Provenance {
        let text = |column: &Option<TextColumn>| {
            column.as_ref().and_then(|column| column.find(row)).map(str::to_owned)
        };
        let line = self.line.as_ref().filter(|lines| lines.is_valid(row));
        Provenance {
            file: text(&self.file).unwrap_or_default(),
            line: line.and_then(|lines| u64::try_from(lines.value(row)).ok()).unwrap_or(0),
            generated_by: text(&self.generated_by),
            version: text(&self.version),
        }
    }
}
