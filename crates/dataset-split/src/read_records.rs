use arrow::array::{Array, AsArray, Float32Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type};
use hf_dataset::{Batches, DatasetDict, SplitReader};
use thesis_core::{Record, Ticker};

use crate::SplitError;
use crate::indicator_column::IndicatorColumn;
use crate::place::Place;
use crate::provenance_column::ProvenanceColumn;
use crate::schema::{
    ACTION, AS_OF_DATE, INDICATORS, INPUT, INSTRUCTION, METADATA, OUTPUT, TICKER, UID, WEIGHT,
};
use crate::text_column::{DateColumn, TextColumn};

/// A row of a data set of records.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetRow {
    /// The record.
    pub record: Record,
    /// How much it counts in training; `None` where the data set has no such column.
    pub weight: Option<f32>,
}

/// Reads a split's rows as records, a batch in memory at a time.
///
/// Data sets need not be ours. Texts may be of any string type, categories or `ClassLabel`s, dates
/// may be texts, dates or timestamps, and `indicators`, `metadata` and `weight` may be missing.
///
/// # Errors
/// [`SplitError::MissingColumn`] where the split lacks a column that every record needs,
/// [`SplitError::Dataset`] where it cannot be opened. Items fail with [`SplitError::ColumnType`],
/// [`SplitError::Null`] and [`SplitError::Value`] where a cell is no part of a record; the iterator
/// ends after the first error.
pub fn read_records(dataset: &DatasetDict, split: &str) -> Result<Records, SplitError> {
    let reader = dataset.split(split)?;
    let batches = Some(reader.batches()?);
    if reader.rows() > 0 {
        check_columns(&reader, split)?;
    }
    Ok(Records { split: split.to_owned(), reader, batches, rows_before: 0, current: None })
}

/// The records of a split: see [`read_records`].
pub struct Records {
    split: String,
    reader: SplitReader,
    /// `None` after an error.
    batches: Option<Batches>,
    /// Rows in the batches before the current one.
    rows_before: u64,
    current: Option<(Columns, usize)>,
}

impl Records {
    /// Rows of the whole split.
    pub fn total(&self) -> u64 {
        self.reader.rows()
    }

    fn advance(&mut self) -> Result<Option<DatasetRow>, SplitError> {
        loop {
            if let Some((columns, row)) = &mut self.current {
                if *row < columns.rows {
                    let item = columns.row(*row)?;
                    *row += 1;
                    return Ok(Some(item));
                }
                self.rows_before += columns.rows as u64;
            }
            let Some(batch) = self.batches.as_mut().and_then(Iterator::next).transpose()? else {
                self.current = None;
                return Ok(None);
            };
            let place = Place { split: self.split.clone(), rows_before: self.rows_before };
            self.current = Some((Columns::new(&batch, &self.reader, place)?, 0));
        }
    }
}

impl Iterator for Records {
    type Item = Result<DatasetRow, SplitError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance();
        if item.is_err() {
            self.current = None;
            self.batches = None;
        }
        item.transpose()
    }
}

fn check_columns(reader: &SplitReader, split: &str) -> Result<(), SplitError> {
    let schema = reader.schema();
    let required = [UID, TICKER, AS_OF_DATE, INSTRUCTION, INPUT, OUTPUT, ACTION];
    match required.into_iter().find(|name| schema.index_of(name).is_err()) {
        None => Ok(()),
        Some(column) => Err(SplitError::MissingColumn {
            split: split.to_owned(),
            column,
            found: schema.fields().iter().map(|field| field.name().clone()).collect(),
        }),
    }
}

/// The columns of a batch, each in the one type that records are made from.
struct Columns {
    place: Place,
    rows: usize,
    uid: TextColumn,
    ticker: TextColumn,
    as_of_date: DateColumn,
    instruction: TextColumn,
    input: TextColumn,
    output: TextColumn,
    action: TextColumn,
    indicators: IndicatorColumn,
    metadata: ProvenanceColumn,
    weight: Option<Float32Array>,
}

impl Columns {
    fn new(batch: &RecordBatch, reader: &SplitReader, place: Place) -> Result<Self, SplitError> {
        let text = |name: &'static str| {
            let column = batch.column_by_name(name).ok_or_else(|| place.missing(name, batch))?;
            TextColumn::new(column, name, reader.class_names(name), &place)
        };
        let dates =
            batch.column_by_name(AS_OF_DATE).ok_or_else(|| place.missing(AS_OF_DATE, batch))?;
        let weight = match batch.column_by_name(WEIGHT) {
            Some(column) => {
                let cast = cast(column, &DataType::Float32)
                    .map_err(|_| place.column_type(WEIGHT, column.data_type(), "a number"))?;
                Some(cast.as_primitive::<Float32Type>().clone())
            }
            None => None,
        };
        Ok(Self {
            rows: batch.num_rows(),
            uid: text(UID)?,
            ticker: text(TICKER)?,
            as_of_date: DateColumn::new(dates, AS_OF_DATE, &place)?,
            instruction: text(INSTRUCTION)?,
            input: text(INPUT)?,
            output: text(OUTPUT)?,
            action: text(ACTION)?,
            indicators: IndicatorColumn::new(batch.column_by_name(INDICATORS), &place)?,
            metadata: ProvenanceColumn::new(batch.column_by_name(METADATA), &place)?,
            weight,
            place,
        })
    }

    fn row(&self, row: usize) -> Result<DatasetRow, SplitError> {
        let place = &self.place;
        let text = |column: &TextColumn| column.get(row, place).map(str::to_owned);
        let record = Record {
            uid: text(&self.uid)?,
            ticker: Ticker::new(self.ticker.get(row, place)?)
                .map_err(|source| place.value(TICKER, row, source))?,
            as_of_date: self.as_of_date.get(row, place)?,
            instruction: text(&self.instruction)?,
            input: text(&self.input)?,
            output: text(&self.output)?,
            action: (self.action.get(row, place)?.parse())
                .map_err(|source| place.value(ACTION, row, source))?,
            indicators: self.indicators.get(row),
            metadata: self.metadata.get(row),
        };
        let weight = self.weight.as_ref().filter(|w| w.is_valid(row)).map(|w| w.value(row));
        Ok(DatasetRow { record, weight })
    }
}
