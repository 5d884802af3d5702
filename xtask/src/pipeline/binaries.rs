use std::path::{Path, PathBuf};

use anyhow::bail;

use super::StageName;
use crate::process::{cargo, root, run as execute, target_folder};

/// Where the stages' programs are.
#[derive(Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
    /// Whether they are ours to build.
    built_here: bool,
}

impl Binaries {
    /// Those of `folder`, else those that cargo builds.
    pub(super) fn new(folder: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(folder) = folder {
            return Ok(Self { folder: folder.to_owned(), built_here: false });
        }
        let target = target_folder()?;
        let target = target.strip_prefix(root()).unwrap_or(&target);
        Ok(Self { folder: target.join("release"), built_here: true })
    }

    /// Brings the programs up to date.
    pub(super) fn build(&self) -> anyhow::Result<()> {
        if !self.built_here {
            return Ok(());
        }
        let mut command = cargo(&["build", "--release"]);
        for stage in StageName::ALL {
            command.args(["--package", stage.as_str()]);
        }
        execute(&mut command)
    }

    /// The program of a stage.
    pub(super) fn path(&self, stage: StageName) -> PathBuf {
        self.folder.join(stage.as_str()).with_extension(std::env::consts::EXE_EXTENSION)
    }

    /// The same, where it is there.
    pub(super) fn existing(&self, stage: StageName) -> anyhow::Result<PathBuf> {
        let path = self.path(stage);
        if !path.is_file() {
            bail!("the program {} is missing", path.display());
        }
        Ok(path)
    }
}
