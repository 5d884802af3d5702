use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::Deserialize;

use super::StageName;

/// A profile: what the stages read, and how they are set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// What it is for.
    pub(super) description: String,
    /// What does not come from a stage.
    #[serde(default)]
    pub(super) inputs: ProfileInputs,
    /// A model that `cargo xtask fetch-model` brings where it is not there yet.
    #[serde(default)]
    pub(super) fetch_model: Option<String>,
    /// Settings by stage.
    #[serde(default)]
    pub(super) stages: Settings,
    /// What `--fast` changes of them.
    #[serde(default)]
    pub(super) fast: Settings,
}

/// Settings by stage.
pub(super) type Settings = BTreeMap<StageName, StageSettings>;

/// Where the data and the model are; paths are relative to the workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileInputs {
    #[serde(default)]
    pub(super) theses: Option<PathBuf>,
    #[serde(default)]
    pub(super) prices: Option<PathBuf>,
    #[serde(default)]
    pub(super) base_model: Option<PathBuf>,
}

/// How one stage is set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageSettings {
    /// The file of `--config`.
    #[serde(default)]
    pub(super) config: Option<PathBuf>,
    /// Flags by name, without dashes.
    #[serde(default)]
    pub(super) flags: BTreeMap<String, FlagValue>,
}

/// The value of a flag.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum FlagValue {
    /// `true`: the flag alone. `false`: not at all.
    Switch(bool),
    /// A whole number.
    Whole(i64),
    /// A number; written as Rust writes it.
    Number(f64),
    /// A text.
    Text(String),
    /// The flag once for each.
    Each(Vec<Self>),
}

impl FlagValue {
    /// The words of a command line.
    pub(super) fn words(&self, flag: &str) -> Vec<String> {
        let flagged = |value: String| vec![format!("--{flag}"), value];
        match self {
            Self::Switch(true) => vec![format!("--{flag}")],
            Self::Switch(false) => Vec::new(),
            Self::Whole(number) => flagged(number.to_string()),
            Self::Number(number) => flagged(number.to_string()),
            Self::Text(text) => flagged(text.clone()),
            Self::Each(values) => values.iter().flat_map(|value| value.words(flag)).collect(),
        }
    }
}

/// Flags that the pipeline gives itself.
const TAKEN: [&str; 15] = [
    "base-model",
    "cache",
    "config",
    "dataset",
    "dataset-dir",
    "eval-csv",
    "input",
    "input-dir",
    "jsonl",
    "model-dir",
    "out",
    "out-dir",
    "prices",
    "shards",
    "tokenizer",
];

impl Profile {
    /// Reads the profile of a name under `configs/profiles`, or of a path.
    pub(super) fn load(name_or_path: &str) -> anyhow::Result<Self> {
        let path = path_of(name_or_path);
        let text = fs::read_to_string(&path).with_context(|| {
            format!("cannot read the profile {}; there are {}", path.display(), known())
        })?;
        Self::parse(&text).with_context(|| format!("the profile {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let profile: Self = yaml_serde::from_str(text)
            .map_err(|error| anyhow!(with_nearest(&error.to_string())))?;
        for (part, settings) in [("stages", &profile.stages), ("fast", &profile.fast)] {
            for (stage, settings) in settings {
                let mut flags = settings.flags.keys();
                if let Some(flag) = flags.find(|flag| TAKEN.contains(&flag.as_str())) {
                    bail!(
                        "{part}.{}.flags.{flag}: the pipeline says that itself; inputs are named under `inputs`, \
                         and --out names the folder of the run",
                        stage.as_str()
                    );
                }
            }
        }
        Ok(profile)
    }

    /// Settings by stage; with `fast`, those that it changes are changed.
    pub(super) fn settings(&self, fast: bool) -> Settings {
        let mut settings = self.stages.clone();
        if fast {
            for (stage, change) in &self.fast {
                let stage = settings.entry(*stage).or_default();
                stage.config = change.config.clone().or(stage.config.take());
                stage.flags.extend(change.flags.clone());
            }
        }
        settings
    }
}

/// The name of a run of this profile.
pub(super) fn run_name(name_or_path: &str, fast: bool) -> String {
    let path = path_of(name_or_path);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if fast { format!("{stem}-fast") } else { stem.into_owned() }
}

const FOLDER: &str = "configs/profiles";

fn path_of(name_or_path: &str) -> PathBuf {
    let path = Path::new(name_or_path);
    match path.extension().is_some() || path.components().count() > 1 {
        true => path.to_owned(),
        false => Path::new(FOLDER).join(format!("{name_or_path}.yaml")),
    }
}

/// The names of the profiles that are there.
fn known() -> String {
    let files = fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let stems = files.filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = stems.collect();
    names.sort();
    names.join(", ")
}

/// An error about an unknown name, with the known one that is nearest to it.
fn with_nearest(error: &str) -> String {
    let mut names = error.split('`').skip(1).step_by(2);
    let unknown = error.contains("unknown field") || error.contains("unknown variant");
    let Some(given) = names.next().filter(|_| unknown) else {
        return error.to_owned();
    };
    let distance = |name: &&str| strsim::damerau_levenshtein(given, name);
    match names.min_by_key(distance).filter(|name| distance(name) <= 1 + given.len() / 2) {
        Some(nearest) => format!("{error}; did you mean `{nearest}`?"),
        None => error.to_owned(),
    }
}
