use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Date64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use chrono::{DateTime, FixedOffset, NaiveDate};
use chrono_tz::Tz;
use thesis_core::{AsOfDate, DateOrder};

/// A column of dates, whatever the type it was written with.
pub(crate) enum Dates {
    Days(Date32Array),
    Milliseconds(Date64Array),
    Timestamps {
        ticks: Int64Array,
        a_second: i64,
        zone: Option<Zone>,
    },
    Texts(StringArray),
    /// 20250110 for 2025-01-10.
    Numbers(Int64Array),
}

/// A time zone as Arrow writes it: `America/New_York`, `UTC`, `-05:00`.
#[derive(Clone, Copy)]
pub(crate) enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Dates {
    /// Takes a column as dates: `date32`, `date64`, timestamps of any unit (of those with a zone
    /// the day there), text, and whole numbers such as 20250110.
    ///
    /// # Errors
    /// A type that no date is written with, in words.
    pub(crate) fn from_array(array: &ArrayRef) -> Result<Self, String> {
        let fault = |error: ArrowError| error.to_string();
        Ok(match array.data_type() {
            DataType::Date32 => Self::Days(array.as_primitive().clone()),
            DataType::Date64 => Self::Milliseconds(array.as_primitive().clone()),
            DataType::Timestamp(unit, zone) => {
                let a_second = match unit {
                    TimeUnit::Second => 1,
                    TimeUnit::Millisecond => 1_000,
                    TimeUnit::Microsecond => 1_000_000,
                    TimeUnit::Nanosecond => 1_000_000_000,
                };
                let zone = zone.as_deref().map(parse_zone).transpose()?;
                let ticks = cast(array, &DataType::Int64).map_err(fault)?;
                Self::Timestamps {
                    ticks: ticks.as_primitive::<Int64Type>().clone(),
                    a_second,
                    zone,
                }
            }
            kind if kind.is_integer() => {
                let numbers = cast(array, &DataType::Int64).map_err(fault)?;
                Self::Numbers(numbers.as_primitive::<Int64Type>().clone())
            }
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Dictionary(..) => {
                let texts = cast(array, &DataType::Utf8).map_err(fault)?;
                Self::Texts(texts.as_string::<i32>().clone())
            }
            other => return Err(format!("dates cannot be read from the type {other}")),
        })
    }

    /// The day in row `index`.
    ///
    /// # Errors
    /// What is wrong with the value, in words.
    pub(crate) fn day(&self, index: usize, order: DateOrder) -> Result<NaiveDate, String> {
        let of_seconds = |seconds, zone: &Option<Zone>| {
            let instant = DateTime::from_timestamp(seconds, 0)?;
            Some(match zone {
                None => instant.date_naive(),
                Some(Zone::Named(zone)) => instant.with_timezone(zone).date_naive(),
                Some(Zone::Fixed(offset)) => instant.with_timezone(offset).date_naive(),
            })
        };
        let (known, shown) = match self {
            _ if self.is_null(index) => return Err("there is no date".to_owned()),
            Self::Texts(texts) => {
                let date = AsOfDate::parse_with(texts.value(index), order);
                return date.map(AsOfDate::day).map_err(|error| error.to_string());
            }
            Self::Days(days) => {
                let days = i64::from(days.value(index));
                (days.checked_mul(86_400).and_then(|s| of_seconds(s, &None)), days)
            }
            Self::Milliseconds(values) => {
                let value = values.value(index);
                (of_seconds(value.div_euclid(1_000), &None), value)
            }
            Self::Timestamps { ticks, a_second, zone } => {
                let value = ticks.value(index);
                (of_seconds(value.div_euclid(*a_second), zone), value)
            }
            Self::Numbers(numbers) => {
                let number = numbers.value(index);
                let plausible =
                    u32::try_from(number).ok().filter(|n| (18_000_101..=22_001_231).contains(n));
                let date = plausible.and_then(|n| {
                    NaiveDate::from_ymd_opt((n / 10_000) as i32, n / 100 % 100, n % 100)
                });
                (date, number)
            }
        };
        known.ok_or_else(|| format!("{shown} is not a date"))
    }

    fn is_null(&self, index: usize) -> bool {
        match self {
            Self::Days(array) => array.is_null(index),
            Self::Milliseconds(array) => array.is_null(index),
            Self::Timestamps { ticks, .. } => ticks.is_null(index),
            Self::Texts(array) => array.is_null(index),
            Self::Numbers(array) => array.is_null(index),
        }
    }
}

fn parse_zone(name: &str) -> Result<Zone, String> {
    if let Ok(zone) = name.parse() {
        return Ok(Zone::Named(zone));
    }
    let offset = name.parse().map(Zone::Fixed);
    offset.map_err(|_| format!("`{name}` is no time zone that is known"))
}
