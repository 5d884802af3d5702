use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;

/// The columns that training reads; all others are left alone.
pub(super) const COLUMNS: [&str; 8] = [
    "input_ids",
    "labels",
    "attention_mask",
    "uid",
    "action",
    "weight",
    "position_ids",
    "seq_lengths",
];

/// What is wrong with a column as a whole.
pub(super) enum ColumnFault {
    /// A type that cannot be what its name says: the type, and what it should be.
    Type(DataType, &'static str),
    /// Values that cannot be read as what they should be.
    Values(ArrowError),
}

impl From<ArrowError> for ColumnFault {
    fn from(error: ArrowError) -> Self {
        Self::Values(error)
    }
}

/// A column of numbers, any number of them a row.
pub(super) struct Numbers<T: ArrowPrimitiveType> {
    values: PrimitiveArray<T>,
    rows: Rows,
}

/// A column of texts, any number of them a row.
pub(super) struct Texts {
    values: StringArray,
    rows: Rows,
}

pub(super) type Integers = Numbers<Int64Type>;
pub(super) type Floats = Numbers<Float64Type>;

/// Which values belong to which row.
struct Rows {
    /// Row `i` has the values from `offsets[i]` to `offsets[i + 1]`.
    offsets: Vec<usize>,
    /// Rows that are null.
    null: Vec<bool>,
}

/// Whether a column has one value a row or a list of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    ListOrSingle,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    /// A column of a batch; `None` where it has no such column.
    pub(super) fn of(
        batch: &RecordBatch,
        column: &str,
        shape: Shape,
        expected: &'static str,
    ) -> Result<Option<Self>, ColumnFault> {
        let Some(array) = batch.column_by_name(column) else { return Ok(None) };
        let (values, rows) = flatten(array, shape, expected)?;
        let is_number = values.data_type().is_numeric() || *values.data_type() == DataType::Boolean;
        // A float would be cut off to an integer without a word.
        let loses = values.data_type().is_floating() && T::DATA_TYPE.is_integer();
        if !is_number || loses {
            return Err(ColumnFault::Type(array.data_type().clone(), expected));
        }
        let values = cast(&values, &T::DATA_TYPE)?;
        Ok(Some(Self { values: values.as_primitive::<T>().clone(), rows }))
    }

    /// The values of a row; `None` where it is null or has a null in it.
    pub(super) fn row(&self, row: usize) -> Option<&[T::Native]> {
        let range = self.rows.range(row)?;
        let whole = self.values.null_count() == 0
            || self.values.slice(range.start, range.len()).null_count() == 0;
        whole.then(|| &self.values.values()[range])
    }
}

impl Texts {
    /// A column of a batch; `None` where it has no such column.
    pub(super) fn of(
        batch: &RecordBatch,
        column: &str,
        expected: &'static str,
    ) -> Result<Option<Self>, ColumnFault> {
        let Some(array) = batch.column_by_name(column) else { return Ok(None) };
        let (values, rows) = flatten(array, Shape::ListOrSingle, expected)?;
        if values.data_type().is_nested() {
            return Err(ColumnFault::Type(array.data_type().clone(), expected));
        }
        let values = cast(&values, &DataType::Utf8)?;
        Ok(Some(Self { values: values.as_string::<i32>().clone(), rows }))
    }

    /// The values of a row, null ones as `None`; none at all where the row is null.
    pub(super) fn row(&self, row: usize) -> Vec<Option<&str>> {
        let text = |i| self.values.is_valid(i).then(|| self.values.value(i));
        self.rows.range(row).into_iter().flatten().map(text).collect()
    }
}

impl Rows {
    fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        (!self.null[row]).then(|| self.offsets[row]..self.offsets[row + 1])
    }
}

/// The values of all rows behind each other, those of this batch only.
fn flatten(
    array: &ArrayRef,
    shape: Shape,
    expected: &'static str,
) -> Result<(ArrayRef, Rows), ColumnFault> {
    let null: Vec<bool> = (0..array.len()).map(|row| array.is_null(row)).collect();
    let (values, offsets): (ArrayRef, Vec<usize>) = match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            (list.values().clone(), list.offsets().iter().map(|&at| at as usize).collect())
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            (list.values().clone(), list.offsets().iter().map(|&at| at as usize).collect())
        }
        DataType::FixedSizeList(_, _) => {
            let list = array.as_fixed_size_list();
            let length = list.value_length() as usize;
            (list.values().clone(), (0..=list.len()).map(|row| row * length).collect())
        }
        other if shape == Shape::List || other.is_nested() => {
            return Err(ColumnFault::Type(other.clone(), expected));
        }
        _ => {
            // The null of a single value is the value's.
            let rows =
                Rows { offsets: (0..=array.len()).collect(), null: vec![false; array.len()] };
            return Ok((array.clone(), rows));
        }
    };
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let values = values.slice(first, last - first);
    let offsets = offsets.into_iter().map(|at| at - first).collect();
    Ok((values, Rows { offsets, null }))
}

/// An error where a value does not fit, instead of a null.
fn cast(values: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(values, to, &CastOptions { safe: false, ..CastOptions::default() })
}
