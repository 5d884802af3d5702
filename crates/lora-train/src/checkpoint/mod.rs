//! Folders named `checkpoint-STEP` that are complete or absent.
//!
//! [`write()`] stages a folder beside its final name, brings every file to disk, writes the manifest with the digests of
//! all of them last, and renames. [`newest`] takes the highest step whose digests verify, and says why it passed over
//! others. [`prune`] removes old ones. At any moment the process may be killed, or the machine lose its power: what
//! stands under a `checkpoint-STEP` is whole, and what does not is swept by the next [`write()`].
//!
//! **One run owns a folder.** Of several processes one writes; all may read.

mod error;
mod exact_float;
mod leftovers;
mod name;
mod newest;
mod prune;
mod state;
mod sync_folder;
mod tensors;
mod verify;
mod write;

pub use error::CheckpointError;
pub use newest::{Found, Newest, newest};
pub use prune::prune;
pub use state::{EarlyStopping, TrainingState};
pub use tensors::{StoredTensor, TensorValues, load_tensors, save_tensors};
pub use verify::verify;
pub use write::write;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod test_folders;
