use thesis_core::{AsOfDate, Bar, DateOrder, ParsedNumber, parse_number};

use crate::columns::Columns;
use crate::line_fields::Field;

/// How far a close may stand outside of low to high, as a share of the price.
///
/// Sources adjust each column for splits by itself, in single precision; a basis point is far more
/// than that leaves and far less than a wrong price.
const ROUNDING: f64 = 1e-4;

/// Something about one field of a row.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    /// Where, in characters from 1.
    pub(crate) column: u64,
    pub(crate) message: String,
}

/// Reads one row into a bar, noting in `oddities` what a person should know of a bar that is kept.
///
/// # Errors
/// The first fault for which the row is no possible bar.
pub(crate) fn read(
    row: &[Field],
    columns: &Columns,
    order: DateOrder,
    oddities: &mut Vec<Fault>,
) -> Result<Bar, Fault> {
    if row.len() <= columns.last() {
        let (have, need) = (row.len(), columns.last() + 1);
        let column = row.last().map_or(1, |field| field.column);
        return Err(Fault { column, message: format!("{have} fields where {need} are needed") });
    }
    let date_field = &row[columns.date];
    let date = AsOfDate::parse_with(&date_field.text, order)
        .map_err(|error| fault(date_field, error.to_string()))?
        .day();
    let (open, high) = (price(row, columns.open, "open")?, price(row, columns.high, "high")?);
    let (low, close) = (price(row, columns.low, "low")?, price(row, columns.close, "close")?);
    let column = |price: Price| match price {
        Price::Open => &row[columns.open],
        Price::High => &row[columns.high],
        Price::Close => &row[columns.close],
    };
    match judge(open, high, low, close) {
        Judgement::Sound => {}
        Judgement::Odd(price, message) => oddities.push(fault(column(price), message)),
        Judgement::Impossible(price, message) => return Err(fault(column(price), message)),
    }
    let adj_close = match columns.adj_close {
        Some(index) if parse_number(&row[index].text) != ParsedNumber::Missing => {
            Some(price(row, index, "adjusted close")?)
        }
        _ => None,
    };
    let volume = match columns.volume {
        Some(index) => volume(&row[index], oddities)?,
        None => 0.0,
    };
    Ok(Bar { date, open, high, low, close, adj_close, volume })
}

/// A price that something is to be said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Price {
    Open,
    High,
    Close,
}

/// Whether four prices above 0 can be those of one session.
#[derive(Debug, PartialEq)]
pub(crate) enum Judgement {
    Sound,
    /// They can, but a person should know.
    Odd(Price, String),
    Impossible(Price, String),
}

/// Holds the prices of a session against each other.
pub(crate) fn judge(open: f64, high: f64, low: f64, close: f64) -> Judgement {
    if high < low {
        let message = format!("the high {high} is below the low {low}");
        return Judgement::Impossible(Price::High, message);
    }
    let outside = |value: f64| value < low - low * ROUNDING || value > high + high * ROUNDING;
    let message =
        |name, value| format!("the {name} {value} is outside of low to high, {low} to {high}");
    if outside(close) {
        return Judgement::Impossible(Price::Close, message("close", close));
    }
    match outside(open) {
        true => Judgement::Odd(Price::Open, message("open", open)),
        false => Judgement::Sound,
    }
}

fn price(row: &[Field], index: usize, name: &str) -> Result<f64, Fault> {
    let field = &row[index];
    let text = field.text.trim();
    match parse_number(text.strip_prefix('$').unwrap_or(text)) {
        ParsedNumber::Value(value) if value > 0.0 => Ok(value),
        ParsedNumber::Value(value) => {
            Err(fault(field, format!("the {name} {value} is not above 0")))
        }
        _ => Err(fault(field, format!("the {name} `{text}` is not a number"))),
    }
}

/// Indices and currencies have no volume; their exports write nothing or N/A.
fn volume(field: &Field, oddities: &mut Vec<Fault>) -> Result<f64, Fault> {
    match parse_number(&field.text) {
        ParsedNumber::Value(value) if value >= 0.0 => Ok(value),
        ParsedNumber::Value(value) => Err(fault(field, format!("the volume {value} is negative"))),
        ParsedNumber::Missing => {
            oddities.push(fault(field, "no volume, read as 0".to_owned()));
            Ok(0.0)
        }
        ParsedNumber::Unreadable => {
            Err(fault(field, format!("the volume `{}` is not a number", field.text.trim())))
        }
    }
}

fn fault(field: &Field, message: String) -> Fault {
    Fault { column: field.column, message }
}
