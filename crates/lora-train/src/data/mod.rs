//! Token shards as batches, in an order that follows from a seed.
//!
//! [`TokenRows`] holds a split in memory: rows of one or more examples, checked. A [`Plan`] says which rows a
//! step takes, for any number of processes, and [`TokenRows::micro_batch`] puts rows into a flat batch
//! without padding. Where a run is in its data follows from the number of its next step alone.

mod class_weights;
mod columns;
mod epoch_order;
mod error;
mod micro_batch;
mod note;
mod plan;
mod raw_row;
mod read;
mod row_columns;
#[cfg(test)]
mod tests;
mod token_rows;

pub use class_weights::ClassWeights;
pub use error::{DataError, RowFault};
pub use micro_batch::MicroBatch;
pub use note::DataNote;
pub use plan::{Plan, PlanOptions};
pub use read::{ReadOptions, TokenizedExample};
pub use token_rows::TokenRows;
