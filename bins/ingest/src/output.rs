use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;
use run_manifest::{AtomicFile, FileEntry, Run, write_atomic};
use serde::Serialize;
use thesis_core::{AsOfDate, Diagnostic, Record, Ticker};

use crate::counts::Counts;

/// Where a run writes.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) records: PathBuf,
    pub(crate) rejects: PathBuf,
    manifest: PathBuf,
    report: Option<PathBuf>,
}

impl Paths {
    /// All paths follow from that of the records: `all.jsonl` has its rejects in
    /// `all.rejects.jsonl` and its manifest in `all.manifest.json`.
    pub(crate) fn new(records: &Path, report: Option<&Path>) -> anyhow::Result<Self> {
        let Some(stem) = records.file_stem().map(|stem| stem.to_string_lossy()) else {
            bail!("--out {} names no file", records.display());
        };
        if records.is_dir() {
            bail!("--out {} is a folder; name a file in it, such as all.jsonl", records.display());
        }
        Ok(Self {
            records: records.to_owned(),
            rejects: records.with_file_name(format!("{stem}.rejects.jsonl")),
            manifest: records.with_file_name(format!("{stem}.manifest.json")),
            report: report.map(Path::to_owned),
        })
    }

    /// The folder of the records.
    pub(crate) fn folder(&self) -> &Path {
        match self.records.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

/// An item that was refused: a line of the rejects.
#[derive(Debug, Serialize)]
pub(crate) struct RejectedItem<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) reason: String,
    pub(crate) message: &'a str,
    pub(crate) raw: &'a str,
}

/// The files of a run in the making; nothing is in its place before [`Output::commit`].
pub(crate) struct Output {
    records: AtomicFile,
    rejects: AtomicFile,
    /// The next index of each ticker and date.
    indices: HashMap<(Ticker, AsOfDate), u32>,
    pub(crate) counts: Counts,
}

impl Output {
    pub(crate) fn create(paths: &Paths) -> anyhow::Result<Self> {
        Ok(Self {
            records: AtomicFile::create(&paths.records)?,
            rejects: AtomicFile::create(&paths.rejects)?,
            indices: HashMap::new(),
            counts: Counts::default(),
        })
    }

    /// The index of the next record of a ticker and date, from 0.
    pub(crate) fn next_index(&mut self, ticker: &Ticker, date: AsOfDate) -> u32 {
        let next = self.indices.entry((ticker.clone(), date)).or_default();
        *next += 1;
        *next - 1
    }

    /// Writes records in their order.
    pub(crate) fn write(&mut self, records: &[Record]) -> anyhow::Result<()> {
        records.iter().for_each(|record| self.counts.record(record));
        let lines: Result<Vec<_>, _> = records.par_chunks(64).map(to_lines).collect();
        for piece in lines? {
            self.records.write_all(&piece).context("cannot write the records")?;
        }
        Ok(())
    }

    /// Writes a refused item and counts its diagnostic.
    pub(crate) fn reject(
        &mut self,
        reason: String,
        diagnostic: Diagnostic,
        raw: &str,
    ) -> anyhow::Result<()> {
        let Diagnostic { file, line, column, severity: _, message } = &diagnostic;
        let item = RejectedItem { file, line: *line, column: *column, reason, message, raw };
        let mut text = serde_json::to_vec(&item)?;
        text.push(b'\n');
        self.rejects.write_all(&text).context("cannot write the rejects")?;
        *self.counts.rejected.entry(item.reason).or_default() += 1;
        self.counts.diagnostic(diagnostic);
        Ok(())
    }

    /// Puts every file in its place, the manifest last.
    pub(crate) fn commit(self, paths: &Paths, run: Run) -> anyhow::Result<Counts> {
        let Self { records, rejects, indices: _, counts } = self;
        // While the files change, no manifest vouches for them.
        match fs::remove_file(&paths.manifest) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot replace {}", paths.manifest.display()));
            }
            _ => {}
        }
        let mut outputs = vec![records.commit()?, rejects.commit()?];
        if let Some(report) = &paths.report {
            let mut text = serde_json::to_vec_pretty(&counts)?;
            text.push(b'\n');
            let path = report.strip_prefix(paths.folder()).unwrap_or(report);
            let path = path.to_string_lossy().into_owned();
            outputs.push(FileEntry { path, ..write_atomic(report, &text)? });
        }
        write_atomic(&paths.manifest, run.finish(outputs).to_json()?.as_bytes())?;
        Ok(counts)
    }
}

fn to_lines(records: &[Record]) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::with_capacity(records.len() * 2048);
    for record in records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
