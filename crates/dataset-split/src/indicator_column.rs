use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray, StringArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use thesis_core::Indicators;

use crate::SplitError;
use crate::place::Place;
use crate::schema::INDICATORS;
use crate::text_column::is_text;

/// The indicators of each row.
pub(crate) enum IndicatorColumn {
    /// The data set has none.
    Absent,
    /// A list of pairs of name and value: ours.
    Pairs { lists: ListArray, names: StringArray, values: Float64Array },
    /// A struct with a field for each name: what `datasets` makes of JSON objects.
    Fields { rows: StructArray, fields: Vec<(String, Float64Array)> },
}

impl IndicatorColumn {
    pub(crate) fn new(column: Option<&ArrayRef>, place: &Place) -> Result<Self, SplitError> {
        let Some(column) = column else {
            return Ok(Self::Absent);
        };
        let data_type = column.data_type();
        let read = match data_type {
            DataType::Null => Some(Self::Absent),
            DataType::List(item) if item.data_type().is_null() => Some(Self::Absent),
            DataType::List(_) => pairs(column.as_list().clone()),
            DataType::LargeList(item) => {
                let lists = cast(column, &DataType::List(item.clone())).ok();
                lists.and_then(|lists| pairs(lists.as_list().clone()))
            }
            DataType::Struct(_) => fields(column.as_struct()),
            _ => None,
        };
        let expected = "a list of {name: string, value: float64}";
        read.ok_or_else(|| place.column_type(INDICATORS, data_type, expected))
    }

    /// The indicators of a row of the batch.
    pub(crate) fn get(&self, row: usize) -> Indicators {
        let mut indicators = Indicators::default();
        match self {
            Self::Absent => {}
            Self::Pairs { lists, names, values } => {
                let offsets = lists.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                for i in range.filter(|&i| lists.is_valid(row) && names.is_valid(i)) {
                    indicators.insert(names.value(i), value(values, i));
                }
            }
            Self::Fields { rows, fields } => {
                for (name, values) in fields.iter().filter(|_| rows.is_valid(row)) {
                    indicators.insert(name, value(values, row));
                }
            }
        }
        indicators
    }
}

fn pairs(lists: ListArray) -> Option<IndicatorColumn> {
    let pairs = lists.values().as_struct_opt()?;
    let names = pairs.column_by_name("name").filter(|names| is_text(names.data_type()))?;
    let names = cast(names, &DataType::Utf8).ok()?.as_string().clone();
    let values = numbers(pairs.column_by_name("value")?)?;
    Some(IndicatorColumn::Pairs { names, values, lists })
}

fn fields(rows: &StructArray) -> Option<IndicatorColumn> {
    let fields = rows.fields().iter().zip(rows.columns());
    let fields = fields.map(|(field, column)| Some((field.name().clone(), numbers(column)?)));
    Some(IndicatorColumn::Fields { rows: rows.clone(), fields: fields.collect::<Option<_>>()? })
}

fn numbers(column: &ArrayRef) -> Option<Float64Array> {
    let data_type = column.data_type();
    let readable = data_type.is_numeric() || data_type.is_null();
    let values = readable.then(|| cast(column, &DataType::Float64).ok()).flatten()?;
    Some(values.as_primitive::<Float64Type>().clone())
}

fn value(values: &Float64Array, row: usize) -> Option<f64> {
    values.is_valid(row).then(|| values.value(row))
}
