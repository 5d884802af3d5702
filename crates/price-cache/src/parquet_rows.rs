use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use thesis_core::{Bar, DateOrder, Diagnostic, Severity, Ticker};

use crate::PriceError;
use crate::bar_row::{Fault, Judgement, Price, judge};
use crate::columns::Columns;
use crate::error::{io_error, parquet_error};
use crate::parquet_dates::Dates;
use crate::series::{Diagnostics, Series};

/// Bars by ticker (`None` where the file has no column for it), and what was left out.
pub(crate) type BarsByTicker = (BTreeMap<Option<Ticker>, Vec<Bar>>, Vec<Diagnostic>);

/// Reads a Parquet file of any writer: columns by the names of the usual exports, whatever their
/// number types. Diagnostics name the row as line, from 1, and the place of the field as column.
///
/// # Errors
/// [`PriceError::Io`], [`PriceError::Parquet`], [`PriceError::Damaged`], [`PriceError::Columns`].
pub(crate) fn read_parquet(
    path: &Path,
    order: DateOrder,
    wanted: &dyn Fn(&Ticker) -> bool,
) -> Result<BarsByTicker, PriceError> {
    undamaged(path, || read_columns(path, order, wanted))
}

/// Whether this file has a column for the ticker.
pub(crate) fn has_ticker_column(path: &Path) -> Result<bool, PriceError> {
    undamaged(path, || Ok(find(path, &open(path)?)?.ticker.is_some()))
}

/// Runs `read` on a file, of which the Parquet reader panics on some that are damaged.
pub(crate) fn undamaged<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, PriceError>,
) -> Result<T, PriceError> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(PriceError::Damaged { path: path.to_owned() }))
}

fn read_columns(
    path: &Path,
    order: DateOrder,
    wanted: &dyn Fn(&Ticker) -> bool,
) -> Result<BarsByTicker, PriceError> {
    let builder = open(path)?;
    let file = path.to_string_lossy();
    let mut diagnostics = Diagnostics::new(&file);
    let mut columns = find(path, &builder)?;
    columns.date_order = Some(order);
    if columns.volume.is_none() {
        let message = "no volume column, read as 0".to_owned();
        diagnostics.push(1, Severity::Warning, Fault { column: 1, message });
    }
    let used = [columns.date, columns.open, columns.high, columns.low, columns.close];
    let optional = [columns.adj_close, columns.volume, columns.ticker].into_iter().flatten();
    let mut used: Vec<usize> = used.into_iter().chain(optional).collect();
    used.sort_unstable();
    used.dedup();
    let mask = ProjectionMask::roots(builder.parquet_schema(), used.iter().copied());
    let reader = builder.with_projection(mask).build().map_err(parquet_error("read", path))?;

    let mut series = BTreeMap::<Option<Ticker>, Series>::new();
    let mut rows_before = 0_u64;
    for batch in reader {
        let batch = batch.map_err(parquet_error("read", path))?;
        let rows = Rows::new(path, &batch, &columns, &used)?;
        rows.read(rows_before, wanted, &mut series, &mut diagnostics);
        rows_before += batch.num_rows() as u64;
    }
    let bars = series.into_iter().map(|(ticker, series)| (ticker, series.into_bars()));
    Ok((bars.filter(|(_, bars)| !bars.is_empty()).collect(), diagnostics.list))
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, PriceError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet_error("read", path))
}

fn find(
    path: &Path,
    builder: &ParquetRecordBatchReaderBuilder<File>,
) -> Result<Columns, PriceError> {
    let names = builder.schema().fields().iter().map(|field| field.name().as_str());
    Columns::find(names.clone()).map_err(|missing| {
        let found: Vec<&str> = names.collect();
        let reason =
            format!("missing columns: {}; found: {}", missing.join(", "), found.join(", "));
        PriceError::Columns { path: path.to_owned(), reason }
    })
}

/// The columns of one batch, as what they are needed as.
struct Rows {
    columns: Columns,
    dates: Dates,
    open: Float64Array,
    high: Float64Array,
    low: Float64Array,
    close: Float64Array,
    adj_close: Option<Float64Array>,
    volume: Option<Float64Array>,
    tickers: Option<StringArray>,
    len: usize,
}

impl Rows {
    fn new(
        path: &Path,
        batch: &RecordBatch,
        columns: &Columns,
        used: &[usize],
    ) -> Result<Self, PriceError> {
        let at = |column: usize| -> &ArrayRef {
            batch.column(used.partition_point(|used| *used < column))
        };
        let fault = |column: usize, reason: String| {
            let name =
                batch.schema().field(used.partition_point(|used| *used < column)).name().clone();
            PriceError::Columns {
                path: path.to_owned(),
                reason: format!("column `{name}`: {reason}"),
            }
        };
        let numbers = |column: usize| {
            let cast = cast(at(column), &DataType::Float64);
            let array = cast.map_err(|error| fault(column, error.to_string()))?;
            Ok::<_, PriceError>(array.as_primitive::<Float64Type>().clone())
        };
        let texts = |column: usize| {
            let cast = cast(at(column), &DataType::Utf8);
            let array = cast.map_err(|error| fault(column, error.to_string()))?;
            Ok::<_, PriceError>(array.as_string::<i32>().clone())
        };
        Ok(Self {
            columns: *columns,
            dates: Dates::from_array(at(columns.date)).map_err(|e| fault(columns.date, e))?,
            open: numbers(columns.open)?,
            high: numbers(columns.high)?,
            low: numbers(columns.low)?,
            close: numbers(columns.close)?,
            adj_close: columns.adj_close.map(numbers).transpose()?,
            volume: columns.volume.map(numbers).transpose()?,
            tickers: columns.ticker.map(texts).transpose()?,
            len: batch.num_rows(),
        })
    }

    fn read(
        &self,
        rows_before: u64,
        wanted: &dyn Fn(&Ticker) -> bool,
        series: &mut BTreeMap<Option<Ticker>, Series>,
        diagnostics: &mut Diagnostics,
    ) {
        let mut known = HashMap::<&str, Result<Option<Ticker>, String>>::new();
        for row in 0..self.len {
            let line = rows_before + row as u64 + 1;
            let ticker = match (&self.tickers, self.columns.ticker) {
                (Some(tickers), Some(column)) => {
                    let text = if tickers.is_null(row) { "" } else { tickers.value(row) };
                    let ticker = known.entry(text).or_insert_with(|| match Ticker::new(text) {
                        Ok(ticker) => Ok(Some(ticker).filter(wanted)),
                        Err(error) => Err(error.to_string()),
                    });
                    match ticker {
                        Ok(Some(ticker)) => Some(&*ticker),
                        Ok(None) => continue,
                        Err(message) => {
                            let fault = fault(column, message.clone());
                            diagnostics.push(line, Severity::Error, fault);
                            continue;
                        }
                    }
                }
                _ => None,
            };
            let mut oddities = Vec::new();
            let added = self.bar(row, &mut oddities).map(|bar| {
                let column = self.columns.date as u64 + 1;
                let ticker = ticker.cloned();
                series.entry(ticker).or_default().add(line, column, bar, diagnostics)
            });
            diagnostics.after_row(line, added, oddities);
        }
    }

    fn bar(&self, row: usize, oddities: &mut Vec<Fault>) -> Result<Bar, Fault> {
        let Columns { date, open, high, low, close, adj_close, volume, ticker: _, date_order } =
            self.columns;
        let order = date_order.unwrap_or_default();
        let day = self.dates.day(row, order).map_err(|message| fault(date, message))?;
        let open_price = price(&self.open, row, open, "open")?;
        let high_price = price(&self.high, row, high, "high")?;
        let low_price = price(&self.low, row, low, "low")?;
        let close_price = price(&self.close, row, close, "close")?;
        let column = |price: Price| match price {
            Price::Open => open,
            Price::High => high,
            Price::Close => close,
        };
        match judge(open_price, high_price, low_price, close_price) {
            Judgement::Sound => {}
            Judgement::Odd(price, message) => oddities.push(fault(column(price), message)),
            Judgement::Impossible(price, message) => return Err(fault(column(price), message)),
        }
        let adjusted = match (&self.adj_close, adj_close) {
            (Some(values), Some(column)) if values.is_valid(row) && !values.value(row).is_nan() => {
                Some(price(values, row, column, "adjusted close")?)
            }
            _ => None,
        };
        let traded = match (&self.volume, volume) {
            (Some(values), Some(column)) => shares(values, row, column, oddities)?,
            _ => 0.0,
        };
        Ok(Bar {
            date: day,
            open: open_price,
            high: high_price,
            low: low_price,
            close: close_price,
            adj_close: adjusted,
            volume: traded,
        })
    }
}

fn price(values: &Float64Array, row: usize, column: usize, name: &str) -> Result<f64, Fault> {
    match value(values, row) {
        Some(value) if value > 0.0 && value.is_finite() => Ok(value),
        Some(value) if value.is_finite() => {
            Err(fault(column, format!("the {name} {value} is not above 0")))
        }
        _ => Err(fault(column, format!("the {name} is not a number"))),
    }
}

fn shares(
    values: &Float64Array,
    row: usize,
    column: usize,
    oddities: &mut Vec<Fault>,
) -> Result<f64, Fault> {
    match value(values, row) {
        Some(value) if value >= 0.0 && value.is_finite() => Ok(value),
        Some(value) => Err(fault(column, format!("the volume {value} cannot be"))),
        None => {
            oddities.push(fault(column, "no volume, read as 0".to_owned()));
            Ok(0.0)
        }
    }
}

fn value(values: &Float64Array, row: usize) -> Option<f64> {
    values.is_valid(row).then(|| values.value(row)).filter(|value| !value.is_nan())
}

/// A fault in the column at this index, which people count from 1.
fn fault(column: usize, message: String) -> Fault {
    Fault { column: column as u64 + 1, message }
}
