//! Arrow data sets on disk as Hugging Face `datasets` writes and reads them.
//!
//! Two layouts, both of which `datasets` opens:
//!
//! - [`Format::Arrow`], what `save_to_disk` writes and `load_from_disk` reads: `dataset_dict.json`
//!   and a folder a split with `data-00000-of-0000N.arrow`, `state.json` and `dataset_info.json`;
//! - [`Format::Parquet`], what `load_dataset(FOLDER)` finds: `data/SPLIT-00000-of-0000N.parquet`.
//!
//! A [`SplitWriter`] writes one split, batch by batch; [`DatasetDict::open`] reads either layout
//! back, lazily. The crate knows nothing of what the columns mean.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use arrow::array::{RecordBatch, StringArray};
//! use hf_dataset::{DEFAULT_SHARD_BYTES, DatasetDict, Format, SplitWriter, write_dataset_dict};
//!
//! let folder = tempfile::tempdir()?;
//! let batch = RecordBatch::try_from_iter([
//!     ("uid", Arc::new(StringArray::from(vec!["a", "b"])) as _),
//! ])?;
//! let mut train = SplitWriter::create(
//!     folder.path(), "train", batch.schema(), Format::Arrow, DEFAULT_SHARD_BYTES,
//! )?;
//! train.write(&batch)?;
//! assert_eq!(train.finish()?.rows, 2);
//! write_dataset_dict(folder.path(), &["train"])?;
//!
//! let split = DatasetDict::open(folder.path())?.split("train")?;
//! assert_eq!(split.rows(), 2);
//! for batch in split.batches()? {
//!     println!("{} rows", batch?.num_rows());
//! }
//! # Ok(())
//! # }
//! ```

mod arrow_scan;
mod batches;
mod dict;
mod error;
mod features;
mod hashing_file;
mod json_file;
mod layout;
mod parquet_files;
mod shard;
mod split_reader;
mod split_writer;
mod state;

pub use batches::Batches;
pub use dict::{DatasetDict, write_dataset_dict};
pub use error::HfDatasetError;
pub use features::features_of;
pub use layout::Format;
pub use split_reader::SplitReader;
pub use split_writer::{DEFAULT_SHARD_BYTES, SplitFile, SplitFiles, SplitWriter};
