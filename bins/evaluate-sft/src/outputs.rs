use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use run_manifest::{FileEntry, Manifest, Run, write_atomic};
use stage_cli::Hint;

/// The files of one result, named after its CSV. The manifest is written last, and removed before anything changes: without
/// it, the others are of a run that did not end.
#[derive(Debug)]
pub(crate) struct Outputs {
    csv: PathBuf,
    written: Vec<FileEntry>,
}

impl Outputs {
    /// Makes the folder of the result.
    ///
    /// # Errors
    /// A name that does not end in `.csv`, or a folder that cannot be made.
    pub(crate) fn begin(csv: &Path) -> anyhow::Result<Self> {
        if csv.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("csv")) {
            return Err(anyhow!("--out {} does not end in .csv", csv.display()))
                .hint("the other files are named after it: NAME.csv, NAME.json, NAME.html, …");
        }
        let folder = folder_of(csv);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))
            .hint("--out names a file in a folder that you may write to")?;
        Ok(Self { csv: csv.to_owned(), written: Vec::new() })
    }

    /// The folder of the result.
    pub(crate) fn folder(&self) -> PathBuf {
        folder_of(&self.csv)
    }

    /// `NAME.csv` with another ending.
    pub(crate) fn path(&self, ending: &str) -> PathBuf {
        let mut name = self.csv.file_stem().map_or_else(OsString::new, OsString::from);
        name.push(ending);
        self.csv.with_file_name(name)
    }

    /// Takes back that an earlier result is whole.
    ///
    /// # Errors
    /// A manifest that cannot be removed.
    pub(crate) fn unfinish(&self) -> anyhow::Result<()> {
        let path = self.path(".manifest.json");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Writes a file; `ending` may lead into a folder, `.plots/reliability.svg`.
    pub(crate) fn write(&mut self, ending: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path(ending);
        let entry = write_atomic(&path, text.as_bytes())?;
        self.note(&path, entry);
        Ok(())
    }

    /// Lists a file that is written already.
    pub(crate) fn note(&mut self, path: &Path, entry: FileEntry) {
        let name = path.strip_prefix(self.csv.parent().unwrap_or(Path::new(""))).unwrap_or(path);
        let path = name.to_string_lossy().into_owned();
        self.written.push(FileEntry { path, ..entry });
    }

    /// Writes the manifest.
    pub(crate) fn finish(self, run: Run) -> anyhow::Result<Manifest> {
        let path = self.path(".manifest.json");
        let manifest = run.finish(self.written);
        write_atomic(&path, manifest.to_json()?.as_bytes())?;
        Ok(manifest)
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
