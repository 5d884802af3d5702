use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use stage_cli::{Hint, Stage};

const FETCH: &str = "--model names a folder with config.json, or a .gguf file; \
                     `cargo xtask fetch-model smollm2` fetches a small one";

/// Where a model lies.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    path: PathBuf,
    kind: SourceKind,
}

/// How a model lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// As transformers saves it.
    Folder,
    /// One file with everything.
    Gguf,
}

impl Source {
    /// Finds what `--model` names; a model of the hub is fetched where it is not in the cache.
    pub(crate) fn find(stage: &Stage, model: &str) -> anyhow::Result<Self> {
        if model.starts_with("hub:") {
            return Self::in_folder(fetched(stage, model)?);
        }
        let path = PathBuf::from(model);
        if path.is_dir() {
            return Self::in_folder(path);
        }
        if !path.is_file() {
            return Err(anyhow!("there is no model at {}", path.display())).hint(FETCH);
        }
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf")) {
            return Ok(Self { path, kind: SourceKind::Gguf });
        }
        Err(anyhow!("{} is neither a folder nor a .gguf file", path.display())).hint(FETCH)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn kind(&self) -> SourceKind {
        self.kind
    }

    /// A transformers folder, or one with a single GGUF file.
    fn in_folder(path: PathBuf) -> anyhow::Result<Self> {
        if path.join("config.json").is_file() {
            return Ok(Self { path, kind: SourceKind::Folder });
        }
        let mut files = gguf_files(&path)?;
        match (files.pop(), files.is_empty()) {
            (Some(path), true) => Ok(Self { path, kind: SourceKind::Gguf }),
            (Some(_), false) => bail!(
                "{} has no config.json but several .gguf files; --model must name one of them",
                path.display()
            ),
            (None, _) => {
                Err(anyhow!("{} has no config.json and no .gguf file", path.display())).hint(FETCH)
            }
        }
    }
}

#[cfg(not(feature = "hub"))]
fn fetched(_: &Stage, model: &str) -> anyhow::Result<PathBuf> {
    Err(anyhow!("`{model}` is on the hub, and inspect-model was built without its client"))
        .hint("build with `--features hub`, or download the model and pass its folder")
}

/// The folder of a model of the hub, in the cache that `THESISFORGE_MODELS` names, else in `models/hub`.
#[cfg(feature = "hub")]
fn fetched(stage: &Stage, model: &str) -> anyhow::Result<PathBuf> {
    use checkpoint_files::hub::{Fetched, HubSettings, ModelName, fetch};
    use stage_cli::Unit;

    let name: ModelName = model.parse().hint("a model is named like hub:ORG/NAME@REVISION")?;
    let variable = |name: &str| std::env::var(name).ok();
    let cache = variable("THESISFORGE_MODELS").unwrap_or_else(|| "models/hub".to_owned());
    let settings = HubSettings::from_variables(cache, variable);
    let bar = stage.progress("fetch", 0, Unit::Bytes);
    let fetched = fetch(&name, &settings, &mut |progress| {
        bar.set_message(progress.file.to_owned());
        bar.set_length(progress.size.unwrap_or(progress.done));
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    let Fetched { folder, commit, was_cached } = fetched?;
    if !was_cached {
        tracing::info!("fetched {model}, commit {commit}");
    }
    Ok(folder)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

fn gguf_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf")) {
            files.push(path);
        }
    }
    Ok(files)
}
