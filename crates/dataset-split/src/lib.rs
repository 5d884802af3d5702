//! Data sets of records: splits by date alone, walk-forward folds, and the records back.
//!
//! A record's date decides where it belongs; chance never does. The way is
//! [`RecordIndex::read`], then a [`Cut`] from [`SplitConfig::cut`] or [`walk_forward`], then
//! [`plan_splits`], [`statistics`] and [`write_splits`], which reads back what it wrote.
//! [`read_records`] reads records from any data set that holds them.
//!
//! ```
//! use dataset_split::{FoldMode, Split, WalkForward, walk_forward};
//! use thesis_core::AsOfDate;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let dates = [AsOfDate::parse("2021-01-04")?, AsOfDate::parse("2023-12-29")?];
//! let folds = walk_forward(&dates, &WalkForward {
//!     mode: FoldMode::Rolling,
//!     train_days: 365,
//!     val_days: 0,
//!     test_days: 90,
//!     step_days: 90,
//!     embargo_days: 5,
//! })?;
//! assert_eq!(folds.len(), 8);
//! assert_eq!(folds[0].cut.range(Split::Test).unwrap().to_string(), "2022-01-04 to 2022-04-03");
//! # Ok(())
//! # }
//! ```

mod balance;
mod columns;
mod cut;
mod date_range;
mod error;
mod indicator_column;
mod leak_check;
mod lengths;
mod line_blocks;
mod parse_line;
mod per_action;
mod place;
mod provenance_column;
mod read_records;
mod record_index;
mod schema;
mod split;
mod split_config;
mod split_plan;
mod statistics;
mod text_column;
mod walk_forward;
mod warning;
mod write_splits;

pub use balance::Balance;
pub use cut::{Cut, Placement};
pub use date_range::DateRange;
pub use error::SplitError;
pub use hf_dataset::{DEFAULT_SHARD_BYTES, Format};
pub use lengths::Lengths;
pub use per_action::PerAction;
pub use read_records::{DatasetRow, Records, read_records};
pub use record_index::RecordIndex;
pub use schema::record_schema;
pub use split::Split;
pub use split_config::{Boundaries, DateBounds, SplitConfig};
pub use split_plan::{PlannedSplit, SplitPlan, plan_splits};
pub use statistics::{SplitStatistics, Statistics, statistics};
pub use walk_forward::{Fold, FoldMode, WalkForward, walk_forward};
pub use warning::Warning;
pub use write_splits::{WriteOptions, write_splits};
