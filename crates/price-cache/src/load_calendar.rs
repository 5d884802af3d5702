use std::fs;
use std::path::Path;

use crate::error::io_error;
use crate::{Calendar, PriceError};

/// The calendar that a setting names: `xnys`, `weekdays`, `none` (every day may have a bar, so there
/// is none), or a file that [`Calendar::parse`] reads.
///
/// # Errors
/// A file that cannot be read, or that holds no calendar.
pub fn load_calendar(name: &str) -> Result<Option<Calendar>, PriceError> {
    Ok(match name {
        "none" => None,
        "xnys" => Some(Calendar::xnys()),
        "weekdays" => Some(Calendar::weekdays()),
        file => {
            let text = fs::read_to_string(file).map_err(io_error("read", Path::new(file)))?;
            Some(Calendar::parse(file, &text)?)
        }
    })
}
