use std::path::Path;

use crate::CheckpointError;
use crate::error::{quoted, shortened};

/// Reads forward through the bytes of a file; nothing is allocated on the word of a count alone.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { path, bytes, at: 0 }
    }

    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// Where the next byte is read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Bytes not read yet.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, n: u64, what: &str) -> Result<&'a [u8], CheckpointError> {
        let rest = &self.bytes[self.at..];
        let part = usize::try_from(n).ok().and_then(|n| rest.get(..n));
        let part = part.ok_or_else(|| self.truncated(what, n))?;
        self.at += part.len();
        Ok(part)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], CheckpointError> {
        match self.bytes[self.at..].first_chunk::<N>() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.truncated(what, N as u64)),
        }
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, CheckpointError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, CheckpointError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of things that take at least so many bytes each, so that all of them can be there.
    pub(super) fn count(&mut self, each: u64, what: &str) -> Result<usize, CheckpointError> {
        let count = self.u64(what)?;
        match usize::try_from(count) {
            Ok(n) if count.checked_mul(each).is_some_and(|bytes| bytes <= self.left() as u64) => {
                Ok(n)
            }
            _ => {
                let what = format!("{what}, {count} long,");
                Err(self.truncated(&what, count.saturating_mul(each)))
            }
        }
    }

    /// A string: its length, then so many bytes of UTF-8.
    pub(super) fn string(&mut self, what: &str) -> Result<&'a str, CheckpointError> {
        let length = self.u64(what)?;
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map_err(|error| {
            let begin = quoted(&String::from_utf8_lossy(bytes));
            let reason = format!("{}: {begin} is not UTF-8: {error}", shortened(what));
            CheckpointError::header(self.path, reason)
        })
    }

    pub(super) fn truncated(&self, what: &str, needed: u64) -> CheckpointError {
        CheckpointError::Truncated {
            path: self.path.to_owned(),
            what: what.to_owned(),
            needed,
            left: self.left() as u64,
        }
    }
}
