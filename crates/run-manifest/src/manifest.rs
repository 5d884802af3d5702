use std::fs;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::io_error;
use crate::{FileEntry, ManifestError, digest_bytes, digest_file};

/// Stands in every manifest and report.
pub const NOTICE: &str = "Research software. Nothing here is investment advice.";

/// What a run was made from and what it made: the contents of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The stage, such as `ingest`.
    pub stage: String,
    /// Stage, UTC time of start and process id; names the log files.
    pub run_id: String,
    /// The program.
    pub tool: Tool,
    /// How the run ended.
    pub status: Status,
    /// UTC, RFC 3339.
    pub started: String,
    /// UTC, RFC 3339.
    pub finished: String,
    /// Every setting as the run used it.
    pub config: Value,
    /// Digest of `config` as compact JSON.
    pub config_digest: String,
    /// Seed of all random choices, where there are any.
    pub seed: Option<u64>,
    /// Where tensors lived.
    pub device: String,
    /// Digest of the base model, where one is used.
    pub model_digest: Option<String>,
    /// What the run read, paths as they were given.
    pub inputs: Vec<FileEntry>,
    /// What the run wrote, paths relative to the manifest's folder.
    pub outputs: Vec<FileEntry>,
    /// The machine.
    pub host: Host,
    /// [`NOTICE`].
    pub notice: String,
}

/// The program that wrote a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `thesisforge`.
    pub name: String,
    /// Version of the stage's binary.
    pub version: String,
    /// The commit it was built from, where it was built in a checkout.
    pub git_commit: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All outputs are there.
    Finished,
}

/// Facts about the machine that bear on speed and on floating-point results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Logical processors that the run could use.
    pub cpus: usize,
}

/// A run in progress: gathers what its manifest will say.
#[derive(Debug)]
pub struct Run {
    manifest: Manifest,
}

impl Run {
    /// Begins a run of `stage` by a binary of `version`, with its resolved configuration.
    ///
    /// # Errors
    /// [`ManifestError::Config`] where the configuration has no JSON form.
    pub fn begin(
        stage: &str,
        version: &str,
        config: &impl Serialize,
    ) -> Result<Self, ManifestError> {
        let config = serde_json::to_value(config)
            .map_err(|source| ManifestError::Config { stage: stage.to_owned(), source })?;
        let now = Utc::now();
        let config_digest = digest_bytes(config.to_string().as_bytes());
        let manifest = Manifest {
            stage: stage.to_owned(),
            run_id: format!("{stage}-{}-{}", now.format("%Y%m%dT%H%M%SZ"), std::process::id()),
            tool: Tool {
                name: "thesisforge".to_owned(),
                version: version.to_owned(),
                git_commit: option_env!("THESISFORGE_GIT_COMMIT").map(str::to_owned),
            },
            status: Status::Finished,
            started: timestamp(now),
            finished: String::new(),
            config,
            config_digest,
            seed: None,
            device: "cpu".to_owned(),
            model_digest: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            host: Host {
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                cpus: std::thread::available_parallelism().map_or(1, usize::from),
            },
            notice: NOTICE.to_owned(),
        };
        Ok(Self { manifest })
    }

    /// Names this run and its log files.
    pub fn id(&self) -> &str {
        &self.manifest.run_id
    }

    /// The stage.
    pub fn stage(&self) -> &str {
        &self.manifest.stage
    }

    /// What is known so far, for a report that the run writes itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Notes a file that the run reads, with its digest.
    ///
    /// # Errors
    /// [`ManifestError::Io`] where it cannot be read.
    pub fn add_input(&mut self, path: &Path) -> Result<(), ManifestError> {
        let entry = digest_file(path, &path.to_string_lossy())?;
        self.add_input_entry(entry);
        Ok(())
    }

    /// Notes a file whose digest the run took while reading it.
    pub fn add_input_entry(&mut self, entry: FileEntry) {
        self.manifest.inputs.push(entry);
    }

    /// Notes the seed of all random choices.
    pub fn set_seed(&mut self, seed: u64) {
        self.manifest.seed = Some(seed);
    }

    /// Ends the run with the files it wrote.
    pub fn finish(mut self, outputs: Vec<FileEntry>) -> Manifest {
        self.manifest.outputs = outputs;
        self.manifest.finished = timestamp(Utc::now());
        self.manifest
    }
}

impl Manifest {
    /// The manifest as it stands in its file: indented JSON and a final newline.
    ///
    /// # Errors
    /// [`ManifestError::Config`] where the configuration has no JSON form.
    pub fn to_json(&self) -> Result<String, ManifestError> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|source| ManifestError::Config { stage: self.stage.clone(), source })
    }
}

/// Reads a manifest.
///
/// # Errors
/// [`ManifestError::Io`] where it cannot be read, [`ManifestError::Malformed`] where it is none.
pub fn read_manifest(path: &Path) -> Result<Manifest, ManifestError> {
    let text = fs::read_to_string(path).map_err(io_error("read", path))?;
    serde_json::from_str(&text)
        .map_err(|source| ManifestError::Malformed { path: path.to_owned(), source })
}

fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_and_its_config_digest_follows_the_config() {
        let begin = |n: u32| {
            Run::begin("ingest", "1.2.3", &serde_json::json!({ "n": n }))
                .unwrap()
                .finish(Vec::new())
        };
        let (one, two) = (begin(1), begin(2));
        assert_ne!(one.config_digest, two.config_digest);
        assert_eq!(one.config_digest, begin(1).config_digest);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.json");
        fs::write(&path, one.to_json().unwrap()).unwrap();
        assert_eq!(read_manifest(&path).unwrap(), one);
        fs::write(&path, "{}").unwrap();
        assert!(matches!(read_manifest(&path), Err(ManifestError::Malformed { .. })));
    }
}
