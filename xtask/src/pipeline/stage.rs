use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::profile::Settings;
use super::run_folder::RunFolder;

/// The stages, in the order in which they run; a name is that of the stage's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StageName {
    Ingest,
    BuildDataset,
    TokenizeShards,
    FetchPrices,
    TrainSft,
    EvaluateSft,
    TradingBacktest,
}

impl StageName {
    /// All of them, in order.
    pub(super) const ALL: [Self; 7] = [
        Self::Ingest,
        Self::BuildDataset,
        Self::TokenizeShards,
        Self::FetchPrices,
        Self::TrainSft,
        Self::EvaluateSft,
        Self::TradingBacktest,
    ];

    /// The name of the stage's program.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::BuildDataset => "build-dataset",
            Self::TokenizeShards => "tokenize-shards",
            Self::FetchPrices => "fetch-prices",
            Self::TrainSft => "train-sft",
            Self::EvaluateSft => "evaluate-sft",
            Self::TradingBacktest => "trading-backtest",
        }
    }
}

/// What becomes of the files that an earlier, unfinished run of the same stage left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftovers {
    /// They are removed.
    Removed,
    /// The stage goes on with them, if it was begun with the same inputs and settings.
    Resumed,
    /// They stay in any case: a cache of what the web said.
    Kept,
}

/// A stage as it will be started.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) name: StageName,
    /// What it does, in a few words.
    pub(super) purpose: &'static str,
    /// What the program is started with.
    pub(super) arguments: Vec<String>,
    /// Files and folders that it reads.
    pub(super) inputs: Vec<PathBuf>,
    /// What it writes: a folder, or a file that its others are named after.
    pub(super) output: PathBuf,
    /// The folder that holds all that it writes, and nothing else.
    pub(super) folder: PathBuf,
    pub(super) leftovers: Leftovers,
}

impl Stage {
    pub(super) fn new(name: StageName, purpose: &'static str) -> Self {
        Self {
            name,
            purpose,
            arguments: Vec::new(),
            inputs: Vec::new(),
            output: PathBuf::new(),
            folder: PathBuf::new(),
            leftovers: Leftovers::Removed,
        }
    }

    /// A flag with a file or folder that the stage reads.
    pub(super) fn reads(mut self, flag: &str, path: &Path) -> Self {
        self.inputs.push(path.to_owned());
        self.takes(flag, &path.to_string_lossy())
    }

    /// The same, where there may be none; then what the stage writes is a copy of what the web says.
    pub(super) fn reads_files(mut self, flag: &str, path: Option<&Path>) -> Self {
        if let Some(path) = path {
            return self.reads(flag, path);
        }
        self.leftovers = Leftovers::Kept;
        self
    }

    /// A flag with the folder or file that the stage writes.
    pub(super) fn writes(mut self, flag: &str, path: &Path) -> Self {
        self.output = path.to_owned();
        self.takes(flag, &path.to_string_lossy())
    }

    /// A flag with a value; none where it is empty.
    pub(super) fn takes(mut self, flag: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.arguments.extend([flag.to_owned(), value.to_owned()]);
        }
        self
    }

    /// The stage goes on by itself where it was killed.
    pub(super) fn resumes(mut self) -> Self {
        self.leftovers = Leftovers::Resumed;
        self
    }

    /// Adds what the profile says about the stage.
    pub(super) fn with(mut self, settings: &Settings, run: &RunFolder) -> Self {
        self.folder = run.folder_of(&self.output);
        if let Some(settings) = settings.get(&self.name) {
            if let Some(config) = &settings.config {
                self = self.reads("--config", config);
            }
            for (flag, value) in &settings.flags {
                self.arguments.extend(value.words(flag));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_programs() {
        for name in StageName::ALL {
            let value = name.to_possible_value().unwrap();
            assert_eq!(value.get_name(), name.as_str());
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
        assert!(StageName::ALL.is_sorted());
    }
}
