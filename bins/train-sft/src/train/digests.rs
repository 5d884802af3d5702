use std::path::Path;

use checkpoint_files::Checkpoint;
use lora_train::Digests;
use run_manifest::{FileEntry, Run, digest_bytes, digest_file};
use serde_json::Value;

use crate::check::Data;
use crate::config::SftConfig;

/// The files that a run reads, with their digests.
pub(super) struct Inputs {
    model: Vec<FileEntry>,
    data: Vec<FileEntry>,
}

impl Inputs {
    pub(super) fn read(config: &SftConfig, data: &Data) -> anyhow::Result<Self> {
        let base = Path::new(&config.base_model);
        let mut model = Vec::new();
        let settings = base.join("config.json");
        if settings.is_file() {
            model.push(digest(&settings)?);
        }
        let tokenizer = base.join("tokenizer.json");
        if config.dataset.is_some() && tokenizer.is_file() {
            model.push(digest(&tokenizer)?);
        }
        for file in Checkpoint::open(base)?.files() {
            model.push(digest(file)?);
        }
        let files = [Some(&data.train), data.validation.as_ref()];
        let files = files.into_iter().flatten().flat_map(|rows| rows.files());
        let data = files.map(|file| digest(file)).collect::<anyhow::Result<_>>()?;
        Ok(Self { model, data })
    }

    /// Digests of what must not change between a checkpoint and the run that goes on from it.
    pub(super) fn digests(&self, config: &SftConfig) -> Digests {
        let settings = Value::Object(config.decisive());
        Digests {
            config: digest_bytes(settings.to_string().as_bytes()),
            data: Some(together(&self.data)),
            model: Some(together(&self.model)),
        }
    }

    /// Names them in a manifest.
    pub(super) fn note(self, run: &mut Run) {
        self.model.into_iter().chain(self.data).for_each(|entry| run.add_input_entry(entry));
    }
}

fn digest(path: &Path) -> anyhow::Result<FileEntry> {
    Ok(digest_file(path, &path.to_string_lossy())?)
}

/// The digest of all digests: of what files hold, and not of where they lie.
fn together(files: &[FileEntry]) -> String {
    let digests: Vec<&str> = files.iter().map(|entry| entry.digest.as_str()).collect();
    digest_bytes(digests.join("\n").as_bytes())
}
