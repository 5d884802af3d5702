use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use arrow::ipc::{MessageHeader, RecordBatch, root_as_message};

use crate::HfDatasetError;
use crate::error::io_error;

/// No message's header comes near this size; a larger figure is damage.
const MAX_HEADER_BYTES: u64 = 256 << 20;

const CONTINUATION: u32 = u32::MAX;

/// Counts the rows of an Arrow IPC stream by the headers of its messages, without its data, and
/// makes sure that it is whole: `save_to_disk` always writes an end mark.
pub(crate) fn count_rows(path: &Path) -> Result<u64, HfDatasetError> {
    let read = io_error("read", path);
    let file = File::open(path).map_err(io_error("open", path))?;
    let size = file.metadata().map_err(io_error("read", path))?.len();
    let mut scan = Scan { reader: BufReader::new(file), size, at: 0, path, rows: 0 };
    match scan.run() {
        Ok(rows) => Ok(rows),
        Err(Fault::Refused(error)) => Err(error),
        Err(Fault::Io(source)) => Err(read(source)),
    }
}

struct Scan<'a> {
    reader: BufReader<File>,
    size: u64,
    at: u64,
    path: &'a Path,
    rows: u64,
}

enum Fault {
    Refused(HfDatasetError),
    Io(std::io::Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl Scan<'_> {
    fn run(&mut self) -> Result<u64, Fault> {
        let mut first = true;
        while let Some((header_bytes, prefix)) = self.header_size()? {
            if header_bytes > MAX_HEADER_BYTES {
                return Err(self.refuse("a message has an impossible size"));
            }
            self.need(prefix + header_bytes)?;
            let mut header = vec![0; header_bytes as usize];
            self.reader.read_exact(&mut header)?;
            let Ok(message) = root_as_message(&header) else {
                return Err(self.refuse("a message has no readable header"));
            };
            let Ok(body) = u64::try_from(message.bodyLength()) else {
                return Err(self.refuse("a message has a negative size"));
            };
            if first && message.header_type() != MessageHeader::Schema {
                return Err(self.refuse("the first message is no schema"));
            }
            let batch = message.header_as_record_batch();
            let dictionary = message.header_as_dictionary_batch().and_then(|d| d.data());
            if batch.or(dictionary).is_some_and(|batch| !fits(batch, body)) {
                return Err(self.refuse("a column lies outside of its message"));
            }
            let rows = batch.map_or(0, |batch| batch.length());
            let total = (prefix + header_bytes).saturating_add(body);
            self.need(total)?;
            self.at += total;
            self.reader.seek(SeekFrom::Start(self.at))?;
            let Ok(rows) = u64::try_from(rows) else {
                return Err(self.refuse("a batch has a negative number of rows"));
            };
            self.rows = self.rows.saturating_add(rows);
            first = false;
        }
        if first {
            return Err(self.refuse("there is no schema"));
        }
        Ok(self.rows)
    }

    /// Size of the next header, and of what stands before it; `None` at the end mark.
    fn header_size(&mut self) -> Result<Option<(u64, u64)>, Fault> {
        self.need(4)?;
        let (word, prefix) = match self.word()? {
            CONTINUATION => {
                self.need(8)?;
                (self.word()?, 8)
            }
            // Streams of Arrow before 0.15 have no continuation mark.
            word => (word, 4),
        };
        Ok((word != 0).then_some((u64::from(word), prefix)))
    }

    fn word(&mut self) -> Result<u32, Fault> {
        let mut word = [0; 4];
        self.reader.read_exact(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn need(&self, bytes: u64) -> Result<(), Fault> {
        if self.size - self.at >= bytes {
            return Ok(());
        }
        let (path, rows, offset) = (self.path.to_owned(), self.rows, self.at);
        Err(Fault::Refused(HfDatasetError::Truncated { path, rows, offset }))
    }

    fn refuse(&self, reason: &'static str) -> Fault {
        let (path, offset) = (self.path.to_owned(), self.at);
        Fault::Refused(HfDatasetError::NotArrow { path, reason, offset })
    }
}

/// Whether the buffers of a batch lie in its body and its columns have a length; the Arrow library
/// takes that for granted.
fn fits(batch: RecordBatch<'_>, body: u64) -> bool {
    let inside = |offset: i64, length: i64| {
        let end = u64::try_from(offset).ok().zip(u64::try_from(length).ok());
        end.is_some_and(|(offset, length)| offset.saturating_add(length) <= body)
    };
    let rows = 0..=i64::from(u32::MAX);
    batch.buffers().is_none_or(|buffers| buffers.iter().all(|b| inside(b.offset(), b.length())))
        && batch.nodes().is_none_or(|nodes| nodes.iter().all(|n| rows.contains(&n.length())))
}
