//! Models of a hub such as <https://huggingface.co>, into a local folder (feature `hub`).
//!
//! A model is named `hub:ORG/NAME@REVISION`. The revision is part of the name, since a model that changes under its name cannot
//! be trusted to the last digit: a commit is fetched as it is, a branch or tag is looked up and its commit reported, to be
//! written down. Files come from `/ORG/NAME/resolve/COMMIT/FILE`, in part if need be, are held against the digest that the hub
//! gives (SHA-256 for large files, git's blob SHA-1 for small ones), and lie in `CACHE/ORG--NAME/COMMIT/` only when all of them are
//! there. A commit that is there needs no network.
//!
//! It is a blocking client of our own on `ureq`: the crate `hf-hub` 1.0 would bring 208 crates, a runtime among them, for
//! what takes two kinds of requests.

mod answer;
mod choice;
mod client;
mod clock;
mod digest;
mod download;
mod error;
mod fetch;
mod name;
mod settings;
mod token;

pub use clock::{Clock, SystemClock};
pub use error::HubError;
pub use fetch::{Fetched, Progress, fetch};
pub use name::ModelName;
pub use settings::HubSettings;
pub use token::Token;
