use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use run_manifest::{FileEntry, write_atomic};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stage_cli::Hint;

use super::{Key, Line};

const VERSION: u32 = 1;

/// The first line: what the others belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    /// Of all that answers follow from: files, and the settings beside it.
    digest: String,
    settings: Value,
}

/// A file of answers that grows by whole lines, and what it holds.
#[derive(Debug)]
pub(crate) struct AnswersFile {
    path: PathBuf,
    header: Header,
    lines: BTreeMap<Key, Line>,
    /// Open for as long as something is added; nobody else adds to it meanwhile.
    file: Option<File>,
}

impl AnswersFile {
    /// Reads the answers at `path` where they belong to `digest`. Others are set aside, and said so; the end of a last line
    /// that a killed run left is dropped.
    ///
    /// # Errors
    /// A file that cannot be read or moved.
    pub(crate) fn open(path: &Path, digest: &str, settings: Value) -> anyhow::Result<Self> {
        let header = Header { version: VERSION, digest: digest.to_owned(), settings };
        let mut opened = Self { path: path.to_owned(), header, lines: BTreeMap::new(), file: None };
        let text = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(opened),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        match opened.read(&text) {
            Ok(()) => {}
            // Nothing was said yet.
            Err(_) if !text.contains(&b'\n') => {}
            Err(reason) => {
                let aside = opened.set_aside()?;
                tracing::warn!(
                    "the answers in {} {reason}; they are now {}, and all rows are answered anew",
                    path.display(),
                    aside.display()
                );
                opened.lines.clear();
            }
        }
        Ok(opened)
    }

    /// Whether a line is there.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.lines.contains_key(&key)
    }

    /// The line, where it is there.
    pub(crate) fn get(&self, key: Key) -> Option<&Line> {
        self.lines.get(&key)
    }

    /// How many lines are there.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Adds lines; they are in the file when it returns.
    ///
    /// # Errors
    /// A file that cannot be written, or that another run is writing.
    pub(crate) fn add(&mut self, lines: Vec<Line>) -> anyhow::Result<()> {
        let mut text = String::new();
        for line in &lines {
            text += &serde_json::to_string(line)?;
            text.push('\n');
        }
        self.append(&text).with_context(|| format!("cannot write {}", self.path.display()))?;
        tracing::debug!("{} lines were written", lines.len());
        self.lines.extend(lines.into_iter().map(|line| (line.key(), line)));
        Ok(())
    }

    /// Takes the file for this run, so that no other adds to it.
    ///
    /// # Errors
    /// A file that cannot be written, or that another run has taken.
    pub(crate) fn begin(&mut self) -> anyhow::Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        let path = self.path.clone();
        let cannot = || format!("cannot write {}", path.display());
        let mut file =
            OpenOptions::new().create(true).append(true).open(&path).with_context(cannot)?;
        if file.try_lock().is_err() {
            return Err(anyhow!("another run is writing {}", path.display()))
                .hint("wait for it, or name another --out");
        }
        // The end of a line that a killed run left goes.
        let bytes = fs::read(&path).with_context(cannot)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64).with_context(cannot)?;
        if whole == 0 {
            let header = serde_json::to_string(&self.header)? + "\n";
            file.write_all(header.as_bytes()).with_context(cannot)?;
        }
        self.file = Some(file);
        Ok(())
    }

    /// Writes the lines of `keys`, in their order, and nothing else: the file of an undisturbed run.
    ///
    /// # Errors
    /// A line that is not there, a file that cannot be written.
    pub(crate) fn finish(mut self, keys: &[Key]) -> anyhow::Result<FileEntry> {
        let mut text = serde_json::to_string(&self.header)? + "\n";
        for key in keys {
            let line = self.lines.get(key).with_context(|| format!("no answer {key:?}"))?;
            text += &serde_json::to_string(line)?;
            text.push('\n');
        }
        self.file = None;
        Ok(write_atomic(&self.path, text.as_bytes())?)
    }

    fn append(&mut self, text: &str) -> anyhow::Result<()> {
        self.begin()?;
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        Ok(())
    }

    /// Reads the lines; why they are not ours in case of an error.
    fn read(&mut self, bytes: &[u8]) -> Result<(), String> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&bytes[..whole]).map_err(|_| "are no UTF-8".to_owned())?;
        let mut lines = text.lines();
        let header = lines.next().unwrap_or_default();
        let header: Header = serde_json::from_str(header)
            .map_err(|_| "do not say what they belong to".to_owned())?;
        if header != self.header {
            return Err(difference(&header, &self.header));
        }
        for (number, line) in lines.enumerate() {
            let line: Line = serde_json::from_str(line)
                .map_err(|error| format!("are damaged in line {}: {error}", number + 2))?;
            self.lines.insert(line.key(), line);
        }
        Ok(())
    }

    /// Gives the file a name that is free.
    fn set_aside(&self) -> anyhow::Result<PathBuf> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let stem = name.strip_suffix(".jsonl").unwrap_or(&name);
        let free =
            (1..).map(|number| self.path.with_file_name(format!("{stem}.old-{number}.jsonl")));
        let aside = free.into_iter().find(|path| !path.exists()).context("a free name")?;
        fs::rename(&self.path, &aside)
            .with_context(|| format!("cannot move {}", self.path.display()))?;
        Ok(aside)
    }
}

/// What is not the same, in words.
fn difference(theirs: &Header, ours: &Header) -> String {
    if theirs.version != ours.version {
        return format!("are of version {}", theirs.version);
    }
    let (Value::Object(a), Value::Object(b)) = (&theirs.settings, &ours.settings) else {
        return "belong to another run".to_owned();
    };
    let keys: Vec<&str> =
        a.keys().filter(|key| a.get(*key) != b.get(*key)).map(String::as_str).collect();
    match keys.as_slice() {
        [] => "belong to another run".to_owned(),
        keys => format!("were made otherwise: {} differ", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Cosine;
    use super::*;
    use crate::model::Which;

    fn line(row: usize, cosine: f64) -> Line {
        let uid = format!("TSLA|2021-01-04|{row}");
        Line::Cosine(Cosine { model: Which::Tuned, row, uid, cosine: Some(cosine) })
    }

    fn open(path: &Path, digest: &str) -> AnswersFile {
        AnswersFile::open(path, digest, json!({ "split": digest })).unwrap()
    }

    #[test]
    fn a_run_goes_on_where_a_killed_one_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.answers.jsonl");
        let mut file = open(&path, "a");
        file.add(vec![line(1, 0.1), line(0, 1.0 / 3.0)]).unwrap();
        drop(file);
        let whole = fs::read(&path).unwrap();
        // Killed at any byte: whole lines count, the last piece does not.
        for end in 0..=whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let mut file = open(&path, "a");
            let lines = whole[..end].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(file.len(), lines.saturating_sub(1), "{end}");
            let missing: Vec<Line> = [line(0, 1.0 / 3.0), line(1, 0.1)]
                .into_iter()
                .filter(|line| !file.has(line.key()))
                .collect();
            file.add(missing).unwrap();
            let keys = [line(0, 0.0).key(), line(1, 0.0).key()];
            file.finish(&keys).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let rows: Vec<&str> = text.lines().skip(1).collect();
            assert!(rows[0].contains("\"row\":0") && rows[1].contains("\"row\":1"), "{text}");
            assert_eq!(open(&path, "a").get(keys[0]), Some(&line(0, 1.0 / 3.0)));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was set aside");
    }

    #[test]
    fn answers_of_another_run_are_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.answers.jsonl");
        let check = |text: &str, aside: usize| {
            fs::write(&path, text).unwrap();
            assert_eq!(open(&path, "b").len(), 0);
            let moved = folder.path().join(format!("x.answers.old-{aside}.jsonl"));
            assert_eq!(fs::read_to_string(moved).unwrap(), text);
            assert!(!path.exists());
        };
        open(&path, "a").add(vec![line(0, 0.5)]).unwrap();
        check(&fs::read_to_string(&path).unwrap(), 1);
        check("years of work\n", 2);
        open(&path, "b").add(vec![line(0, 0.5)]).unwrap();
        check(&(fs::read_to_string(&path).unwrap() + "{}\n"), 3);
    }

    #[test]
    fn two_runs_do_not_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.answers.jsonl");
        let mut first = open(&path, "a");
        first.add(vec![line(0, 0.5)]).unwrap();
        let error = open(&path, "a").add(vec![line(1, 0.5)]).unwrap_err();
        assert!(format!("{error:#}").contains("another run is writing"), "{error:#}");
    }
}
