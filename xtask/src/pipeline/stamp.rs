use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::StageName;
use super::digest::{FileState, Files, Known};

/// All that decides what a stage writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cause {
    /// The command, with the program's name in place of its path.
    pub(super) command: String,
    /// The program's file, by its path; what counts is the digest.
    pub(super) program: Files,
    /// Names of variables, and digests of their values.
    pub(super) environment: BTreeMap<String, String>,
    /// Settings file among them.
    pub(super) inputs: Files,
}

/// How far a stage came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Begun,
    Finished,
}

/// What is noted about a stage, in `pipeline/STAGE.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stamp {
    pub(super) stage: StageName,
    pub(super) state: State,
    pub(super) cause: Cause,
    /// What it wrote.
    pub(super) outputs: Files,
    /// How long its starts took, from the last one that began anew.
    pub(super) seconds: f64,
}

/// A stamp as it was found, and when it was written.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) stamp: Stamp,
    written: SystemTime,
}

impl Found {
    /// Reads a stamp; one that is damaged, or of another version, is none.
    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let written = fs::metadata(path)?.modified()?;
        Ok(serde_json::from_str(&text).ok().map(|stamp| Self { stamp, written }))
    }

    /// Digests that need not be taken again.
    pub(super) fn known(&self) -> Known<'_> {
        let cause = &self.stamp.cause;
        let files = vec![&cause.inputs, &cause.program, &self.stamp.outputs];
        Known { files, taken: Some(self.written) }
    }
}

impl Stamp {
    /// Writes it whole, or not at all.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        write_whole(path, &text)
    }
}

/// Writes a file beside its place, and moves it there when all of it is on disk.
pub(super) fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The name is on disk when its folder is.
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

impl Cause {
    /// What is different from `earlier`, in words; `None` where nothing is.
    pub(super) fn change_since(&self, earlier: &Self) -> Option<String> {
        if self.command != earlier.command {
            return Some("its command is another one".to_owned());
        }
        let digests =
            |files: &Files| files.values().map(|file| file.digest.clone()).collect::<Vec<_>>();
        if digests(&self.program) != digests(&earlier.program) {
            return Some("the program was built anew".to_owned());
        }
        if let Some(name) = difference(&earlier.environment, &self.environment, |a, b| a == b) {
            return Some(format!("the environment's {name}"));
        }
        difference(&earlier.inputs, &self.inputs, same)
    }
}

/// How files differ from what they were, in words.
pub(super) fn change_of_files(earlier: &Files, now: &Files) -> Option<String> {
    difference(earlier, now, same)
}

fn same(earlier: &FileState, now: &FileState) -> bool {
    earlier.digest == now.digest
}

fn difference<T>(
    earlier: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
    same: impl Fn(&T, &T) -> bool,
) -> Option<String> {
    let gone_or_changed = earlier.iter().find_map(|(name, value)| match now.get(name) {
        None => Some(format!("{name} is gone")),
        Some(now) => (!same(value, now)).then(|| format!("{name} has changed")),
    });
    let new = || now.keys().find(|name| !earlier.contains_key(*name));
    gone_or_changed.or_else(|| new().map(|name| format!("{name} is new")))
}

#[cfg(test)]
mod tests {
    use super::super::digest::{Which, digest_files};
    use super::*;

    fn cause(folder: &Path) -> Cause {
        Cause {
            command: "ingest --out a".to_owned(),
            program: Files::new(),
            environment: [("A".to_owned(), "1".to_owned())].into(),
            inputs: digest_files(folder, Which::All, &Known::default()).unwrap(),
        }
    }

    #[test]
    fn each_part_is_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.xml");
        fs::write(&file, "a").unwrap();
        let earlier = cause(dir.path());
        let name = file.display().to_string();
        let check = |now: Cause, want: Option<&str>| {
            assert_eq!(now.change_since(&earlier).as_deref(), want);
        };
        check(earlier.clone(), None);
        check(
            Cause { command: "ingest --out b".to_owned(), ..earlier.clone() },
            Some("its command is another one"),
        );
        let program = [("ingest".to_owned(), FileState::default())].into();
        check(Cause { program, ..earlier.clone() }, Some("the program was built anew"));
        let with = |pairs: &[(&str, &str)]| Cause {
            environment: pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            ..earlier.clone()
        };
        check(with(&[("A", "2")]), Some("the environment's A has changed"));
        check(with(&[]), Some("the environment's A is gone"));
        check(with(&[("A", "1"), ("B", "")]), Some("the environment's B is new"));
        fs::write(&file, "b").unwrap();
        check(cause(dir.path()), Some(&format!("{name} has changed")));
        fs::rename(&file, dir.path().join("b.xml")).unwrap();
        check(cause(dir.path()), Some(&format!("{name} is gone")));
        fs::write(&file, "a").unwrap();
        let new = dir.path().join("b.xml").display().to_string();
        check(cause(dir.path()), Some(&format!("{new} is new")));
    }

    #[test]
    fn a_stamp_reads_back_and_a_damaged_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ingest.json");
        assert!(Found::read(&path).unwrap().is_none());
        let cause = cause(dir.path());
        let (stage, state) = (StageName::Ingest, State::Finished);
        let stamp = Stamp { stage, state, cause, outputs: Files::new(), seconds: 1.5 };
        stamp.write(&path).unwrap();
        assert_eq!(Found::read(&path).unwrap().unwrap().stamp, stamp);
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names, ["ingest.json"]);
        let text = fs::read_to_string(&path).unwrap();
        for damaged in ["", "{}", &text[..text.len() / 2], &text.replace("seconds", "minutes")] {
            fs::write(&path, damaged).unwrap();
            assert!(Found::read(&path).unwrap().is_none(), "{damaged}");
        }
    }
}
