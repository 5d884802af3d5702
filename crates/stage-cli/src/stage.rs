use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use run_manifest::Run;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{ConfigRules, Layered, layered};
use crate::environment::Environment;
use crate::error::report;
use crate::logs::Logs;
use crate::progress::{Bars, Unit};

/// Flags that every stage has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// YAML file with settings; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Threads to work with [default: one per processor]; changes no result
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Least severity of the messages on standard error
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
    /// Print no progress bars
    #[arg(long)]
    pub no_progress: bool,
}

/// Least severity of the messages shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Nothing but the final error.
    Off,
    /// Errors.
    Error,
    /// Warnings and worse.
    Warn,
    /// What a person wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
        }
    }
}

/// What a stage's work gets from its surroundings.
#[derive(Debug)]
pub struct Stage {
    name: &'static str,
    config_file: Option<PathBuf>,
    logs: Logs,
    bars: Bars,
}

/// Runs a stage's work: sets up threads and logs, and turns an error into its report on standard
/// error and exit code 1.
pub fn run(
    name: &'static str,
    common: &CommonArgs,
    work: impl FnOnce(&Stage) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let CommonArgs { config, threads, log_level, no_progress } = common;
    let bars = Bars::new(*no_progress);
    let logs = Logs::default();
    logs.install(&bars, (*log_level).into());
    if let Some(threads) = threads {
        // Fails only where a pool exists already, in a test; then that one serves.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(*threads)).build_global();
    }
    let stage = Stage { name, config_file: config.clone(), logs, bars };
    match work(&stage) {
        Ok(code) => code,
        Err(error) => {
            let text = report(&error);
            tracing::debug!("{text}");
            let _ = writeln!(io::stderr(), "{text}");
            ExitCode::FAILURE
        }
    }
}

impl Stage {
    /// The stage's settings: defaults, then the file of `--config`, then the environment and a file
    /// `.env` (`THESISFORGE_STAGE_KEY`, and `THESISFORGE_STAGE_SECTION__KEY`), then `flags`, of which an
    /// absent value leaves the others alone.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value of the wrong type.
    pub fn config<T>(&self, flags: &impl Serialize) -> anyhow::Result<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        self.config_with(&ConfigRules::default(), flags)
    }

    /// [`Stage::config`] of a stage that has variables by other names, or settings that stand for each
    /// other.
    ///
    /// # Errors
    /// As [`Stage::config`].
    pub fn config_with<T>(&self, rules: &ConfigRules, flags: &impl Serialize) -> anyhow::Result<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let environment = Environment::of_process(&working_folder()?)?;
        let file = self.config_file.as_deref();
        let Layered { settings, by_variables } =
            layered(self.name, file, &environment, rules, flags)?;
        for (key, variable) in by_variables {
            tracing::info!("`{key}` is set by {variable}");
        }
        Ok(settings)
    }

    /// A variable of the environment or of a file `.env`, such as the key of a service; `None` where it is
    /// not set, or empty. It is the caller's to keep it out of logs.
    ///
    /// # Errors
    /// A file `.env` that cannot be read or has a faulty line, a value that is not UTF-8.
    pub fn variable(&self, name: &str) -> anyhow::Result<Option<String>> {
        let environment = Environment::of_process(&working_folder()?)?;
        Ok(environment.variable(name)?.map(|variable| variable.value.to_owned()))
    }

    /// Begins the run with its resolved settings; `version` is the binary's own.
    ///
    /// # Errors
    /// Settings without a JSON form.
    pub fn begin(&self, version: &str, config: &impl Serialize) -> anyhow::Result<Run> {
        let run = Run::begin(self.name, version, config)?;
        tracing::debug!(run = run.id(), version, "begins");
        Ok(run)
    }

    /// Writes the run's log files under `folder/logs`, from its first line on.
    ///
    /// # Errors
    /// Files that cannot be made.
    pub fn log_to(&self, folder: &Path, run: &Run) -> anyhow::Result<()> {
        self.logs.attach(&folder.join("logs"), run.id())
    }

    /// A progress bar on standard error; silent where that is no terminal.
    pub fn progress(&self, what: &str, total: u64, unit: Unit) -> ProgressBar {
        self.bars.add(what, total, unit)
    }

    /// Prints a line of data to standard output. A reader that has gone away is no error.
    pub fn print(&self, text: impl fmt::Display) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stdout(), "{text}");
        });
    }
}

fn working_folder() -> anyhow::Result<PathBuf> {
    std::env::current_dir().context("the working folder cannot be told")
}
