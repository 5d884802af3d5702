use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use thesis_core::{AsOfDate, Diagnostic, Record, Ticker};

use crate::SplitError;
use crate::error::io_error;
use crate::line_blocks::{Block, LineBlocks};
use crate::parse_line::{Entry, ParsedLine, UidHash, fault, parse_line, parse_record};

/// Faults that an error lists; the others are counted.
const LISTED_FAULTS: usize = 10;

/// Where each record of a JSONL file stands, ordered by date and, within a date, by line.
///
/// It holds 40 bytes a record, so that splits of any size are made in little memory.
#[derive(Debug)]
pub struct RecordIndex {
    path: PathBuf,
    entries: Vec<Entry>,
    bytes: u64,
    blake3: String,
}

impl RecordIndex {
    /// Reads the file once, every record whole, on rayon's threads. `progress` is told of bytes
    /// as they are done.
    ///
    /// Lines of white space alone are skipped.
    ///
    /// # Errors
    /// [`SplitError::Faulty`] with the first few of the lines that are no records or whose `uid`
    /// an earlier line has, [`SplitError::NoRecords`] for a file without any, [`SplitError::Io`]
    /// where it cannot be read.
    pub fn read(path: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<Self, SplitError> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let mut blocks = LineBlocks::new(file);
        let mut gathered = Gathered::default();
        let name = path.display().to_string();
        let mut current = blocks.next_block(Block::default()).map_err(io_error("read", path))?;
        let mut spare = Block::default();
        while let Some(block) = current {
            let (parsed, next) = rayon::join(
                || parse_block(&block, &name),
                || blocks.next_block(std::mem::take(&mut spare)),
            );
            gathered.add(parsed, path)?;
            progress(block.bytes.len() as u64);
            current = next.map_err(io_error("read", path))?;
            spare = block;
        }
        let (digest, bytes) = blocks.digest();
        gathered.into_index(path, bytes, digest.to_hex().to_string())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file's BLAKE3 digest, 64 hex digits.
    pub fn blake3(&self) -> &str {
        &self.blake3
    }

    /// How many records there are; at least one.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never: an index has at least one record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The date of each record, in ascending order.
    pub fn dates(&self) -> impl ExactSizeIterator<Item = AsOfDate> {
        self.entries.iter().map(|entry| entry.date)
    }

    /// The first and the last date.
    ///
    /// # Errors
    /// [`SplitError::NoRecords`] for an empty index, which [`RecordIndex::read`] never makes.
    pub fn span(&self) -> Result<(AsOfDate, AsOfDate), SplitError> {
        let (first, last) = (self.entries.first(), self.entries.last());
        let (first, last) = first.zip(last).ok_or(SplitError::NoRecords)?;
        Ok((first.date, last.date))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Reads these records, in this order, from the file.
    pub(crate) fn records(
        &self,
        rows: &[u32],
    ) -> Result<impl Iterator<Item = Result<Record, SplitError>>, SplitError> {
        let mut file = File::open(&self.path).map_err(io_error("open", &self.path))?;
        let mut text = Vec::new();
        Ok(rows.iter().map(move |&row| {
            let entry = &self.entries[row as usize];
            read_line(&mut file, entry, &mut text).map_err(io_error("read", &self.path))?;
            let record = parse_record(&text, entry.line, "").ok();
            record
                .filter(|record| record.as_of_date == entry.date)
                .ok_or_else(|| SplitError::Changed { path: self.path.clone(), line: entry.line })
        }))
    }
}

fn read_line(file: &mut File, entry: &Entry, text: &mut Vec<u8>) -> std::io::Result<()> {
    text.resize(entry.bytes as usize, 0);
    file.seek(SeekFrom::Start(entry.offset))?;
    file.read_exact(text)
}

fn parse_block(block: &Block, file: &str) -> Vec<Result<ParsedLine, Diagnostic>> {
    block.lines().into_par_iter().with_min_len(64).map(|line| parse_line(line, file)).collect()
}

#[derive(Default)]
struct Gathered {
    entries: Vec<Entry>,
    uids: Vec<(UidHash, u32)>,
    tickers: HashMap<Ticker, u32>,
    faults: Vec<Diagnostic>,
    faulty: u64,
}

impl Gathered {
    fn add(
        &mut self,
        lines: Vec<Result<ParsedLine, Diagnostic>>,
        path: &Path,
    ) -> Result<(), SplitError> {
        for line in lines {
            match line {
                Ok(line) => self.add_line(line, path)?,
                Err(fault) => self.add_fault(fault),
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: ParsedLine, path: &Path) -> Result<(), SplitError> {
        let ParsedLine { mut entry, ticker, uid } = line;
        let next = self.tickers.len() as u32;
        entry.ticker = *self.tickers.entry(ticker).or_insert(next);
        let row = u32::try_from(self.entries.len())
            .map_err(|_| SplitError::TooManyRecords { path: path.to_owned() })?;
        self.uids.push((uid, row));
        self.entries.push(entry);
        Ok(())
    }

    fn add_fault(&mut self, fault: Diagnostic) {
        self.faulty += 1;
        if self.faults.len() < LISTED_FAULTS {
            self.faults.push(fault);
        }
    }

    fn into_index(
        mut self,
        path: &Path,
        bytes: u64,
        blake3: String,
    ) -> Result<RecordIndex, SplitError> {
        if self.faulty == 0 {
            self.find_duplicates(path)?;
        }
        if self.faulty > 0 {
            let Self { faults, faulty: total, .. } = self;
            return Err(SplitError::Faulty { path: path.to_owned(), total, faults });
        }
        if self.entries.is_empty() {
            return Err(SplitError::NoRecords);
        }
        let Self { mut entries, .. } = self;
        entries.par_sort_unstable_by_key(|entry| (entry.date, entry.line));
        Ok(RecordIndex { path: path.to_owned(), entries, bytes, blake3 })
    }

    fn find_duplicates(&mut self, path: &Path) -> Result<(), SplitError> {
        let mut uids = std::mem::take(&mut self.uids);
        uids.par_sort_unstable();
        let mut pairs: Vec<(u32, u32)> = uids
            .chunk_by(|a, b| a.0 == b.0)
            .flat_map(|group| group[1..].iter().map(|(_, row)| (*row, group[0].1)))
            .collect();
        pairs.sort_unstable();
        for (row, first) in pairs {
            let [entry, first] = [row, first].map(|row| self.entries[row as usize]);
            let mut message = format!("its uid is that of line {}", first.line);
            if self.faults.len() < LISTED_FAULTS {
                let mut file = File::open(path).map_err(io_error("open", path))?;
                let mut text = Vec::new();
                read_line(&mut file, &entry, &mut text).map_err(io_error("read", path))?;
                if let Ok(record) = parse_record(&text, entry.line, "") {
                    message =
                        format!("uid `{}` is that of line {} already", record.uid, first.line);
                }
            }
            self.add_fault(fault(&path.display().to_string(), entry.line, 1, message));
        }
        Ok(())
    }
}
