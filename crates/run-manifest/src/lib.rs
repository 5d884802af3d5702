//! Run folders: what a stage writes is complete or absent, and says where it came from.
//!
//! A stage begins a [`Run`], names its inputs, writes its outputs through [`AtomicFile`] or into a
//! [`StagedDir`], and ends with a `manifest.json` that holds the digest of every file. The manifest
//! is written last, so a missing one means an unfinished stage.

mod atomic;
mod digest;
mod error;
mod manifest;
mod staged;

pub use atomic::{AtomicFile, write_atomic};
pub use digest::{FileEntry, digest_bytes, digest_file};
pub use error::ManifestError;
pub use manifest::{Host, Manifest, NOTICE, Run, Status, Tool, read_manifest};
pub use staged::StagedDir;
