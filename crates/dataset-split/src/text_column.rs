use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type};
use thesis_core::AsOfDate;

use crate::SplitError;
use crate::place::Place;

/// A column of texts, whatever its type.
pub(crate) struct TextColumn {
    name: &'static str,
    values: StringArray,
}

impl TextColumn {
    /// Takes strings, categories, and the numbers of a `ClassLabel` with these names.
    pub(crate) fn new(
        column: &ArrayRef,
        name: &'static str,
        class_names: Option<Vec<String>>,
        place: &Place,
    ) -> Result<Self, SplitError> {
        let data_type = column.data_type();
        let refuse = || place.column_type(name, data_type, "text");
        let values = match (data_type, class_names) {
            (t, Some(names)) if t.is_integer() => {
                let codes = cast(column, &DataType::Int64).map_err(|_| refuse())?;
                label_texts(codes.as_primitive(), &names)
            }
            (t, _) if is_text(t) => {
                cast(column, &DataType::Utf8).map_err(|_| refuse())?.as_string().clone()
            }
            _ => return Err(refuse()),
        };
        Ok(Self { name, values })
    }

    /// The text of a row of the batch.
    pub(crate) fn get(&self, row: usize, place: &Place) -> Result<&str, SplitError> {
        if self.values.is_null(row) {
            return Err(place.null(self.name, row));
        }
        Ok(self.values.value(row))
    }

    /// The text of a row of the batch, where it has one.
    pub(crate) fn find(&self, row: usize) -> Option<&str> {
        self.values.is_valid(row).then(|| self.values.value(row))
    }
}

/// A column of days, as texts, dates or timestamps.
pub(crate) enum DateColumn {
    Text(TextColumn),
    Date { name: &'static str, days: Date32Array },
}

impl DateColumn {
    pub(crate) fn new(
        column: &ArrayRef,
        name: &'static str,
        place: &Place,
    ) -> Result<Self, SplitError> {
        let data_type = column.data_type();
        let is_day =
            matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..));
        if !is_day {
            return TextColumn::new(column, name, None, place)
                .map(Self::Text)
                .map_err(|_| place.column_type(name, data_type, "a text or a date"));
        }
        let days = cast(column, &DataType::Date32)
            .map_err(|_| place.column_type(name, data_type, "a date without a time zone"))?;
        Ok(Self::Date { name, days: days.as_primitive::<Date32Type>().clone() })
    }

    /// The day of a row of the batch.
    pub(crate) fn get(&self, row: usize, place: &Place) -> Result<AsOfDate, SplitError> {
        match self {
            Self::Text(column) => AsOfDate::parse(column.get(row, place)?)
                .map_err(|source| place.value(column.name, row, source)),
            Self::Date { name, days } => {
                let day = days.is_valid(row).then(|| days.value_as_date(row)).flatten();
                day.map(AsOfDate::new).ok_or_else(|| place.null(name, row))
            }
        }
    }
}

pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

/// Null where no name has that number; `datasets` writes −1 for "no label".
fn label_texts(codes: &Int64Array, names: &[String]) -> StringArray {
    let name = |code: i64| names.get(usize::try_from(code).ok()?).map(String::as_str);
    codes.iter().map(|code| code.and_then(name)).collect()
}
