//! What every stage binary does around its work, so that all of them feel alike: settings in
//! layers, logs, progress bars, and errors that say what to do.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use clap::Parser;
//! use stage_cli::{CommonArgs, Hint, Stage};
//!
//! #[derive(Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: CommonArgs,
//! }
//!
//! fn main() -> ExitCode {
//!     let args = Args::parse();
//!     stage_cli::run("ingest", &args.common, work)
//! }
//!
//! fn work(stage: &Stage) -> anyhow::Result<ExitCode> {
//!     std::fs::read("theses.xml").hint("export the theses first")?;
//!     stage.print("done");
//!     Ok(ExitCode::SUCCESS)
//! }
//! ```

mod allocator;
mod config;
mod environment;
mod error;
mod logs;
mod progress;
mod stage;

pub use allocator::keep_freed_memory;
pub use config::{ConfigRules, EnvAlias};
pub use error::{Hint, report};
pub use progress::Unit;
pub use stage::{CommonArgs, Stage, run};
