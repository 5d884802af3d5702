use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read;

use indicatif::HumanBytes;
use rayon::prelude::*;
use run_manifest::{FileEntry, Run, digest_bytes};
use stage_cli::{Stage, Unit};
use thesis_core::{Diagnostic, Record, RecordTemplate, Severity};
use thesis_xml::{
    Located, ParseOptions, Parsed, Reject, RejectReason, content_digest, parse_theses,
    record_from_thesis,
};

use crate::config::IngestConfig;
use crate::files::InputFile;
use crate::output::Output;

/// Bytes of input whose theses are in memory at a time: few at first, since a page's first touch is
/// dear and copies are told from then on, then more, since threads wait for each other after each.
const BATCH_BYTES: (u64, u64) = (2 << 20, 16 << 20);

/// Reads the files in parallel, a batch at a time, and writes their records in the files' order.
pub(crate) fn ingest(
    stage: &Stage,
    config: &IngestConfig,
    template: &RecordTemplate,
    files: &[InputFile],
    run: &mut Run,
    output: &mut Output,
) -> anyhow::Result<()> {
    let options = ParseOptions { as_of: config.as_of, date_order: config.date_order };
    let progress =
        stage.progress("reading theses", files.iter().map(|file| file.bytes).sum(), Unit::Bytes);
    let mut seen = HashSet::new();
    for batch in batches(files) {
        let outcomes: Vec<Outcome> = batch
            .par_iter()
            .map(|file| {
                let outcome = read(file, config.max_file_bytes(), &options, &seen);
                progress.inc(file.bytes);
                outcome
            })
            .collect();
        let mut fresh = Vec::new();
        for (file, outcome) in batch.iter().zip(outcomes) {
            let Outcome { entry, parsed, digests, duplicates } = outcome;
            output.counts.files += 1;
            output.counts.bytes += file.bytes;
            output.counts.duplicates += duplicates;
            entry.into_iter().for_each(|entry| run.add_input_entry(entry));
            let Parsed { theses, rejects, diagnostics } = parsed;
            diagnostics.into_iter().for_each(|d| output.counts.diagnostic(d));
            for Reject { reason, diagnostic, raw } in rejects {
                output.reject(reason.to_string(), diagnostic, &raw)?;
            }
            for (located, digest) in theses.into_iter().zip(digests) {
                if seen.insert(digest) {
                    let thesis = &located.thesis;
                    let index = output.next_index(&thesis.ticker, thesis.as_of_date);
                    fresh.push((located, file.name.as_str(), index));
                } else {
                    output.counts.duplicates += 1;
                }
            }
        }
        let records: Vec<Record> = fresh
            .into_par_iter()
            .map(|(located, file, index)| record_from_thesis(located, file, index, template))
            .collect();
        output.write(&records)?;
    }
    progress.finish_and_clear();
    Ok(())
}

/// What came of one file.
struct Outcome {
    entry: Option<FileEntry>,
    parsed: Parsed,
    /// The content of each thesis, for telling duplicates.
    digests: Vec<u128>,
    /// How many theses were left out because an earlier batch had them.
    duplicates: u64,
}

fn read(file: &InputFile, limit: u64, options: &ParseOptions, seen: &HashSet<u128>) -> Outcome {
    // A page's first touch costs far more than a later one, so each thread keeps its buffer.
    thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    if file.bytes > limit {
        let message = format!(
            "the file has {}, more than the {} of --max-file-mib; split it, or raise the limit",
            HumanBytes(file.bytes),
            HumanBytes(limit)
        );
        return refused(file, RejectReason::TooLarge, message);
    }
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        // One byte more than the limit tells a file that grew meanwhile.
        let read = File::open(&file.path).and_then(|f| f.take(limit + 1).read_to_end(buffer));
        if let Err(error) = read {
            return refused(file, RejectReason::Unreadable, format!("cannot be read: {error}"));
        }
        let (bytes, digest) = (buffer.len() as u64, digest_bytes(buffer));
        let path = file.path.to_string_lossy().into_owned();
        let mut parsed = parse_theses(&file.name, buffer, options);
        let found = parsed.theses.len();
        let mut digests = Vec::with_capacity(found);
        parsed.theses.retain(|Located { thesis, .. }| {
            let digest = content_digest(thesis);
            let fresh = !seen.contains(&digest);
            digests.extend(fresh.then_some(digest));
            fresh
        });
        let duplicates = (found - parsed.theses.len()) as u64;
        Outcome { entry: Some(FileEntry { path, bytes, digest }), parsed, digests, duplicates }
    })
}

fn refused(file: &InputFile, reason: RejectReason, message: String) -> Outcome {
    let severity = Severity::Error;
    let diagnostic = Diagnostic { file: file.name.clone(), line: 1, column: 1, severity, message };
    let reject = Reject { reason, diagnostic, raw: String::new() };
    let parsed = Parsed { rejects: vec![reject], ..Parsed::default() };
    Outcome { entry: None, parsed, digests: Vec::new(), duplicates: 0 }
}

/// Runs of files within bounds that double up to the larger one, or of one file that is larger.
fn batches(files: &[InputFile]) -> impl Iterator<Item = &[InputFile]> {
    let (mut limit, most) = BATCH_BYTES;
    let mut rest = files;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|file| {
            bytes += file.bytes;
            bytes <= limit
        });
        let (batch, later) = rest.split_at(fitting.count().max(1).min(rest.len()));
        rest = later;
        limit = (2 * limit).min(most);
        (!batch.is_empty()).then_some(batch)
    })
}
