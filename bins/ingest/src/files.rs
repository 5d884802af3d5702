use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use stage_cli::Hint;
use walkdir::WalkDir;

use crate::file_size;

/// An input file.
#[derive(Debug)]
pub(crate) struct InputFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its path below the input folder, with `/` between the parts.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) bytes: u64,
}

impl InputFile {
    /// Whether its name ends in `.extension`, in any case.
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        has_extension(&self.path, &[extension])
    }
}

/// The files of these extensions (in any case) below `root` in the order of their paths, or `root`
/// itself where it is a file. Links to folders are not followed, so no loop can hold this up.
pub(crate) fn find(root: &Path, extensions: &[&str]) -> anyhow::Result<Vec<InputFile>> {
    let wanted = extensions.iter().map(|e| format!(".{e}")).collect::<Vec<_>>().join(" or ");
    let hint = format!("name a folder that holds {wanted} files, or one such file");
    if !root.exists() {
        return Err(anyhow!("{} does not exist", root.display())).hint(hint);
    }
    if root.is_file() {
        let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        return Ok(vec![InputFile { path: root.to_owned(), name, bytes: file_size(root)? }]);
    }
    let mut files = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list {}", root.display()))?;
        let path = entry.path();
        if has_extension(path, extensions) && path.is_file() {
            let below = path.strip_prefix(root).unwrap_or(path);
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            let bytes = file_size(path)?;
            files.push(InputFile { path: path.to_owned(), name: parts.join("/"), bytes });
        }
    }
    if files.is_empty() {
        return Err(anyhow!("no {wanted} file below {}", root.display())).hint(hint);
    }
    Ok(files)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|e| found.eq_ignore_ascii_case(e)))
}
