use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use run_manifest::{AtomicFile, FileEntry, Manifest, Run, write_atomic};
use serde::Serialize;
use stage_cli::Hint;

/// The files of one result, named after its JSON file, which is written last: without it, the
/// others are of a run that did not end.
pub(crate) struct Outputs {
    json: PathBuf,
    written: Vec<FileEntry>,
}

impl Outputs {
    /// Makes the folder of the result.
    ///
    /// # Errors
    /// A name that does not end in `.json`, or a folder that cannot be made.
    pub(crate) fn begin(json: &Path) -> anyhow::Result<Self> {
        if json.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("json")) {
            return Err(anyhow::anyhow!("--out {} does not end in .json", json.display())).hint(
                "the other files are named after it: NAME.json, NAME.html, NAME.days.csv, …",
            );
        }
        let folder = json.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))
                .hint("--out names a file in a folder that you may write to")?;
        }
        Ok(Self { json: json.to_owned(), written: Vec::new() })
    }

    /// `NAME.json` with another ending.
    pub(crate) fn path(&self, ending: &str) -> PathBuf {
        let mut name = self.json.file_stem().map_or_else(OsString::new, OsString::from);
        name.push(ending);
        self.json.with_file_name(name)
    }

    /// Writes a file beside the JSON; `ending` may lead into a folder, `.plots/equity.svg`.
    pub(crate) fn write(&mut self, ending: &str, text: &str) -> anyhow::Result<()> {
        let path = self.path(ending);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let mut file = AtomicFile::create(&path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        let mut entry = file.commit()?;
        // Relative to the JSON's folder, also for a file in a folder of its own.
        let name = path.strip_prefix(self.json.parent().unwrap_or(Path::new("")));
        entry.path = name.unwrap_or(&path).to_string_lossy().into_owned();
        self.written.push(entry);
        Ok(())
    }

    /// Writes the JSON with the run's manifest in it.
    pub(crate) fn finish<T: Serialize>(
        self,
        run: Run,
        document: impl FnOnce(Manifest) -> T,
    ) -> anyhow::Result<()> {
        let document = document(run.finish(self.written));
        let text = serde_json::to_string_pretty(&document)? + "\n";
        write_atomic(&self.json, text.as_bytes())?;
        Ok(())
    }
}
