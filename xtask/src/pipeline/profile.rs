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
    let likeness = |name: &str| strsim::jaro_winkler(given, name);
    let nearest = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|name| likeness(name) > 0.75) {
        Some(nearest) => format!("{error}; did you mean `{nearest}`?"),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
description: d
inputs: { theses: t, base_model: m }
stages:
  ingest: { flags: { as-of: 2023-12-31, strict: true, report: false } }
  train-sft: { config: a.yaml, flags: { epochs: 2, learning-rate: 0.001, seed: 7 } }
  fetch-prices: { flags: { policy: [jump=fail, duplicate=drop] } }
fast:
  train-sft: { flags: { epochs: 1, merge: true } }
  evaluate-sft: { config: b.yaml }
";

    fn words(settings: &Settings, stage: StageName) -> String {
        let Some(settings) = settings.get(&stage) else { return String::new() };
        let words = settings.flags.iter().flat_map(|(flag, value)| value.words(flag));
        let config = settings.config.iter().map(|path| path.display().to_string());
        config.chain(words).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn flags_are_words() {
        let profile = Profile::parse(TEXT).unwrap();
        let settings = profile.settings(false);
        assert_eq!(words(&settings, StageName::Ingest), "--as-of 2023-12-31 --strict");
        let want = "a.yaml --epochs 2 --learning-rate 0.001 --seed 7";
        assert_eq!(words(&settings, StageName::TrainSft), want);
        let want = "--policy jump=fail --policy duplicate=drop";
        assert_eq!(words(&settings, StageName::FetchPrices), want);
        assert_eq!(words(&settings, StageName::EvaluateSft), "");
    }

    #[test]
    fn fast_changes_what_it_names() {
        let settings = Profile::parse(TEXT).unwrap().settings(true);
        let want = "a.yaml --epochs 1 --learning-rate 0.001 --merge --seed 7";
        assert_eq!(words(&settings, StageName::TrainSft), want);
        assert_eq!(words(&settings, StageName::EvaluateSft), "b.yaml");
        assert_eq!(words(&settings, StageName::Ingest), "--as-of 2023-12-31 --strict");
    }

    #[test]
    fn unknown_names_have_a_neighbour() {
        let check = |from: &str, to: &str, want: &[&str]| {
            let text = TEXT.replacen(from, to, 1);
            assert_ne!(text, TEXT);
            let error = Profile::parse(&text).unwrap_err().to_string();
            assert!(want.iter().all(|word| error.contains(word)), "{error}");
        };
        check("inputs", "input", &["unknown field `input`", "did you mean `inputs`?"]);
        check("base_model", "basemodel", &["did you mean `base_model`?", "line 3"]);
        check("train-sft", "train", &["unknown variant `train`", "did you mean `train-sft`?"]);
        check("theses", "zzzzzzzz", &["unknown field `zzzzzzzz`"]);
        let nothing_near = Profile::parse(&TEXT.replacen("theses", "zzzzzzzz", 1)).unwrap_err();
        assert!(!nothing_near.to_string().contains("did you mean"), "{nothing_near}");
        check("as-of: 2023-12-31", "out: x", &["stages.ingest.flags.out", "the folder of the run"]);
        check("merge: true", "config: x", &["fast.train-sft.flags.config"]);
        check("merge: true", "merge: {}", &["fast"]);
    }

    #[test]
    fn a_run_is_named_after_its_profile() {
        assert_eq!(path_of("quickstart"), Path::new("configs/profiles/quickstart.yaml"));
        assert_eq!(path_of("mine/a.yml"), Path::new("mine/a.yml"));
        assert_eq!(path_of("a.yml"), Path::new("a.yml"));
        assert_eq!(run_name("quickstart", true), "quickstart-fast");
        assert_eq!(run_name("mine/a.yml", false), "a");
    }

    #[test]
    fn the_profiles_that_are_here_can_be_read() {
        let folder = crate::process::root().join(FOLDER);
        for name in ["quickstart", "smollm2"] {
            let text = fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
            let profile = Profile::parse(&text).unwrap();
            for settings in [profile.settings(false), profile.settings(true)] {
                for config in settings.values().filter_map(|stage| stage.config.as_ref()) {
                    assert!(crate::process::root().join(config).is_file(), "{}", config.display());
                }
            }
        }
    }
}
