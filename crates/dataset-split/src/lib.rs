//! Data sets of records: splits by date alone, walk-forward folds, and the records back.

mod columns;
mod error;
mod indicator_column;
mod place;
mod provenance_column;
mod read_records;
mod schema;
mod text_column;

pub use error::SplitError;
pub use read_records::{DatasetRow, Records, read_records};
pub use schema::record_schema;
