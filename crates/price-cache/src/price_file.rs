use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type, Schema};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use run_manifest::AtomicFile;
use thesis_core::{Bar, Ticker};

use crate::error::{io_error, parquet_error};
use crate::parquet_rows::undamaged;
use crate::{Adjustment, CorporateAction, DateRanges, PriceError};

/// The layout of these files; a reader refuses a later one.
const VERSION: u32 = 1;
/// 1970-01-01 as chrono counts days.
const EPOCH: i32 = 719_163;

/// One ticker's bars as the cache keeps them.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceFile {
    /// Where they come from.
    pub meta: PriceMeta,
    /// The bars, ascending by date.
    pub bars: Vec<Bar>,
}

/// Where the bars of a file come from; the file's key-value metadata, under `thesisforge.…`.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceMeta {
    /// Whose bars they are.
    pub ticker: Ticker,
    /// The source's name. All bars of a file come from one source.
    pub source: String,
    /// What open, high, low and close are adjusted for.
    pub adjustment: Adjustment,
    /// When the source was last asked; of files, the close of their last bar, since they say the same at any time.
    pub fetched_at: DateTime<Utc>,
    /// The currency of the prices, where the source tells it.
    pub currency: Option<String>,
    /// The days that the source was asked for. One of them without a bar has none.
    pub fetched: DateRanges,
    /// Splits and dividends, where the source tells them, ascending by date.
    pub actions: Vec<CorporateAction>,
}

impl PriceFile {
    /// Writes the file, complete or not at all: the columns `date` (date32), `open`, `high`, `low`,
    /// `close`, `adj_close` (with nulls) and `volume` (all float64). Equal files have equal bytes.
    ///
    /// # Errors
    /// [`PriceError::Parquet`] and [`PriceError::Write`]; an earlier file is then untouched.
    pub fn write(&self, path: &Path) -> Result<(), PriceError> {
        let batch = batch_of(&self.bars).map_err(parquet_error("write", path))?;
        let level = ZstdLevel::try_new(3).map_err(parquet_error("write", path))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_key_value_metadata(Some(self.meta.to_key_values()))
            .build();
        let file = AtomicFile::create(path)?;
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))
            .map_err(parquet_error("write", path))?;
        writer.write(&batch).map_err(parquet_error("write", path))?;
        let file = writer.into_inner().map_err(parquet_error("write", path))?;
        file.commit()?;
        Ok(())
    }

    /// Reads a file that [`PriceFile::write`] wrote; bars come back bit for bit, unchecked.
    ///
    /// # Errors
    /// [`PriceError::Io`], [`PriceError::Parquet`], [`PriceError::Damaged`], and
    /// [`PriceError::Columns`] where it is another program's, or of a later version.
    pub fn read(path: &Path) -> Result<Self, PriceError> {
        undamaged(path, || {
            let file = File::open(path).map_err(io_error("open", path))?;
            let builder = ParquetRecordBatchReaderBuilder::try_new(file)
                .map_err(parquet_error("read", path))?;
            let fault = |reason| PriceError::Columns { path: path.to_owned(), reason };
            let key_values = builder.metadata().file_metadata().key_value_metadata();
            let meta =
                PriceMeta::from_key_values(key_values.into_iter().flatten()).map_err(fault)?;
            if **builder.schema().fields() != **schema().fields() {
                let reason = "its columns are not those of the price cache".to_owned();
                return Err(fault(reason));
            }
            let mut bars = Vec::new();
            for batch in builder.build().map_err(parquet_error("read", path))? {
                let batch = batch.map_err(parquet_error("read", path))?;
                let read = read_bars(&batch, &mut bars);
                read.ok_or_else(|| PriceError::Damaged { path: path.to_owned() })?;
            }
            if !bars.is_sorted_by(|a, b| a.date < b.date) {
                return Err(PriceError::Damaged { path: path.to_owned() });
            }
            Ok(Self { meta, bars })
        })
    }
}

impl PriceMeta {
    fn to_key_values(&self) -> Vec<KeyValue> {
        let Self { ticker, source, adjustment, fetched_at, currency, fetched, actions } = self;
        let actions = serde_json::Value::from_iter(actions.iter().map(action_to_json));
        let values = [
            ("version", Some(VERSION.to_string())),
            ("ticker", Some(ticker.to_string())),
            ("source", Some(source.clone())),
            ("adjustment", Some(adjustment.to_string())),
            ("fetched_at", Some(fetched_at.to_rfc3339_opts(SecondsFormat::AutoSi, true))),
            ("currency", currency.clone()),
            ("fetched", Some(fetched.to_string())),
            ("actions", Some(actions.to_string())),
        ];
        let values = values.into_iter().filter_map(|(key, value)| Some((key, value?)));
        values.map(|(key, value)| KeyValue::new(format!("{PREFIX}{key}"), value)).collect()
    }

    fn from_key_values<'a>(values: impl Iterator<Item = &'a KeyValue>) -> Result<Self, String> {
        let values: HashMap<&str, &str> = values
            .filter_map(|pair| Some((pair.key.strip_prefix(PREFIX)?, pair.value.as_deref()?)))
            .collect();
        let get = |key: &str| {
            let value = values.get(key).copied();
            value.ok_or_else(|| format!("it has no metadata `{PREFIX}{key}`"))
        };
        let wrong = |key: &str, value: &str| format!("its metadata `{PREFIX}{key}` is `{value}`");
        let version = get("version")?;
        match version.parse::<u32>() {
            Ok(known) if known <= VERSION => {}
            _ => return Err(format!("it has version {version}; this program reads {VERSION}")),
        }
        let (ticker, adjustment) = (get("ticker")?, get("adjustment")?);
        let (fetched_at, fetched) = (get("fetched_at")?, get("fetched")?);
        let actions = get("actions")?;
        Ok(Self {
            ticker: Ticker::new(ticker).map_err(|_| wrong("ticker", ticker))?,
            source: get("source")?.to_owned(),
            adjustment: Adjustment::from_word(adjustment)
                .ok_or_else(|| wrong("adjustment", adjustment))?,
            fetched_at: DateTime::parse_from_rfc3339(fetched_at)
                .map_err(|_| wrong("fetched_at", fetched_at))?
                .to_utc(),
            currency: get("currency").ok().map(str::to_owned),
            fetched: fetched.parse().map_err(|_| wrong("fetched", fetched))?,
            actions: serde_json::from_str(actions).map_err(|_| wrong("actions", actions))?,
        })
    }
}

const PREFIX: &str = "thesisforge.";

/// Of finite figures JSON cannot fail; others become `null`, and reading them back tells.
fn action_to_json(action: &CorporateAction) -> serde_json::Value {
    serde_json::to_value(action).unwrap_or_default()
}

fn schema() -> Schema {
    let number = |name: &str| Field::new(name, DataType::Float64, name == "adj_close");
    let numbers = ["open", "high", "low", "close", "adj_close", "volume"].map(number);
    let date = Field::new("date", DataType::Date32, false);
    Schema::new([date].into_iter().chain(numbers).collect::<Vec<_>>())
}

fn batch_of(bars: &[Bar]) -> Result<RecordBatch, arrow::error::ArrowError> {
    use chrono::Datelike;
    let dates = bars.iter().map(|bar| bar.date.num_days_from_ce() - EPOCH);
    let dates = Date32Array::from_iter_values(dates);
    let numbers = |of: fn(&Bar) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(bars.iter().map(of)))
    };
    let adj_close: Float64Array = bars.iter().map(|bar| bar.adj_close).collect();
    let columns = vec![
        Arc::new(dates) as ArrayRef,
        numbers(|bar| bar.open),
        numbers(|bar| bar.high),
        numbers(|bar| bar.low),
        numbers(|bar| bar.close),
        Arc::new(adj_close),
        numbers(|bar| bar.volume),
    ];
    RecordBatch::try_new(Arc::new(schema()), columns)
}

fn read_bars(batch: &RecordBatch, bars: &mut Vec<Bar>) -> Option<()> {
    let dates = batch.column(0).as_primitive_opt::<Date32Type>()?;
    let numbers = |column: usize| batch.column(column).as_primitive_opt::<Float64Type>();
    let (open, high, low) = (numbers(1)?, numbers(2)?, numbers(3)?);
    let (close, adj_close, volume) = (numbers(4)?, numbers(5)?, numbers(6)?);
    for row in 0..batch.num_rows() {
        bars.push(Bar {
            date: NaiveDate::from_num_days_from_ce_opt(dates.value(row).checked_add(EPOCH)?)?,
            open: open.value(row),
            high: high.value(row),
            low: low.value(row),
            close: close.value(row),
            adj_close: adj_close.is_valid(row).then(|| adj_close.value(row)),
            volume: volume.value(row),
        });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compact_day::day;

    fn meta() -> PriceMeta {
        PriceMeta {
            ticker: Ticker::new("BRK.B").unwrap(),
            source: "eodhd".to_owned(),
            adjustment: Adjustment::Raw,
            fetched_at: "2026-11-21T08:00:00.25Z".parse().unwrap(),
            currency: Some("USD".to_owned()),
            fetched: "2020-01-01..2020-12-31".parse().unwrap(),
            actions: vec![
                CorporateAction::Split { date: day(20200831), ratio: 4.0 },
                CorporateAction::Dividend { date: day(20201106), amount: 0.205 },
            ],
        }
    }

    fn bits(bar: &Bar) -> (NaiveDate, [u64; 5], Option<u64>) {
        let Bar { date, open, high, low, close, adj_close, volume } = *bar;
        (date, [open, high, low, close, volume].map(f64::to_bits), adj_close.map(f64::to_bits))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn bars_come_back_bit_for_bit(
            days in prop::collection::btree_map(-1_000_000..1_000_000_i32, any::<([u64; 5], Option<u64>)>(), 0..40),
        ) {
            let bar = |(n, (bits, adj)): (&i32, &([u64; 5], Option<u64>))| {
                let [open, high, low, close, volume] = bits.map(f64::from_bits);
                let date = NaiveDate::from_num_days_from_ce_opt(EPOCH + n).unwrap();
                Bar { date, open, high, low, close, adj_close: adj.map(f64::from_bits), volume }
            };
            let bars: Vec<Bar> = days.iter().map(bar).collect();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("A.parquet");
            let file = PriceFile { meta: meta(), bars };
            file.write(&path).unwrap();
            let read = PriceFile::read(&path).unwrap();
            prop_assert_eq!(&read.meta, &file.meta);
            let same = read.bars.iter().map(bits).eq(file.bars.iter().map(bits));
            prop_assert!(same && read.bars.len() == file.bars.len());
            let bytes = std::fs::read(&path).unwrap();
            file.write(&path).unwrap();
            prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn files_of_others_and_of_later_versions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("A.parquet");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/prices-parquet");
        let error = PriceFile::read(&root.join("decimal.parquet")).unwrap_err().to_string();
        assert!(error.ends_with("it has no metadata `thesisforge.version`"), "{error}");
        let file = PriceFile { meta: PriceMeta { currency: None, ..meta() }, bars: Vec::new() };
        file.write(&path).unwrap();
        assert_eq!(PriceFile::read(&path).unwrap(), file);

        let later = |pair: &mut KeyValue| {
            if pair.key == "thesisforge.version" {
                pair.value = Some("2".to_owned());
            }
        };
        let mut values = meta().to_key_values();
        values.iter_mut().for_each(later);
        let error = PriceMeta::from_key_values(values.iter()).unwrap_err();
        assert_eq!(error, "it has version 2; this program reads 1");
    }
}
