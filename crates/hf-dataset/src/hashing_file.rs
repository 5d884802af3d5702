use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A file that takes the digest of what is written to it.
pub(crate) struct HashingFile {
    writer: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl HashingFile {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let writer = BufWriter::with_capacity(1 << 18, File::create_new(path)?);
        Ok(Self { writer, hasher: blake3::Hasher::new() })
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.hasher.count()
    }

    /// Writes out what is still in memory; the file's size in bytes and its digest.
    pub(crate) fn finish(mut self) -> io::Result<(u64, blake3::Hash)> {
        self.writer.flush()?;
        Ok((self.hasher.count(), self.hasher.finalize()))
    }
}

impl Write for HashingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
