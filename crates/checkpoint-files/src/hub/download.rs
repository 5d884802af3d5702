use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::HubError;
use super::client::{Answer, Client};
use super::digest::Expected;
use super::error::io_error;

/// A file to fetch.
pub(super) struct Wanted<'a> {
    /// The model at its commit, for errors.
    pub(super) model: &'a str,
    /// The commit.
    pub(super) commit: &'a str,
    /// On the hub, from the root.
    pub(super) url_path: &'a str,
    /// Its name.
    pub(super) file: &'a str,
    /// Its size, where the hub's list tells.
    pub(super) size: Option<u64>,
    /// Attempts without progress after the first one.
    pub(super) retries: u32,
}

/// What the hub says about a file's content.
#[derive(Debug, Default)]
struct Truth {
    digest: Option<Expected>,
    size: Option<u64>,
}

/// Fetches a file into `folder`, where it gets its name when all of it is there and is what the hub says; until then it is
/// `FILE.partial`, and a later call goes on with that. `progress` is told how many bytes are there.
pub(super) fn download(
    client: &Client<'_>,
    wanted: &Wanted<'_>,
    folder: &Path,
    progress: &mut dyn FnMut(u64),
) -> Result<(), HubError> {
    let path = folder.join(wanted.file);
    let partial = folder.join(format!("{}.partial", wanted.file));
    let mut truth = Truth { digest: None, size: wanted.size };
    let (mut failures, mut is_second) = (0, false);
    loop {
        let before = length_of(&partial)?;
        let outcome = transfer(client, wanted, &partial, before, &mut truth, progress)?;
        let now = length_of(&partial)?;
        if outcome.is_ok() && truth.size.is_none_or(|size| now >= size) {
            match verify(client, wanted, &partial, now, &truth)? {
                None => break,
                // Another attempt from the first byte; a part of another file may have been there.
                Some(_) if !is_second => {
                    is_second = true;
                    fs::remove_file(&partial).map_err(io_error("remove", &partial))?;
                    continue;
                }
                Some(error) => {
                    fs::remove_file(&partial).map_err(io_error("remove", &partial))?;
                    return Err(error);
                }
            }
        }
        failures = if now > before { 0 } else { failures + 1 };
        if failures > wanted.retries {
            let reason = outcome.err().unwrap_or_else(|| "the file ends too early".to_owned());
            let url = client.address(wanted.url_path);
            return Err(HubError::Unavailable { url, attempts: failures, reason });
        }
        client.wait(failures.max(1));
    }
    let file = File::open(&partial).map_err(io_error("open", &partial))?;
    file.sync_all().map_err(io_error("sync", &partial))?;
    fs::rename(&partial, &path).map_err(io_error("rename", &partial))
}

/// Gets what is missing; the inner error is a transfer that broke off.
fn transfer(
    client: &Client<'_>,
    wanted: &Wanted<'_>,
    partial: &Path,
    start: u64,
    truth: &mut Truth,
    progress: &mut dyn FnMut(u64),
) -> Result<Result<(), String>, HubError> {
    if start > 0 && truth.size == Some(start) && truth.digest.is_some() {
        return Ok(Ok(()));
    }
    let Answer { status, digest, size, commit, start: range_start, mut body } =
        client.file(wanted.url_path, start)?;
    if let Some(commit) = commit.filter(|commit| commit != wanted.commit) {
        let reason = format!("the hub answers with commit {}", commit.escape_debug());
        return Err(HubError::Malformed { url: client.address(wanted.url_path), reason });
    }
    truth.digest = digest.or(truth.digest.take());
    truth.size = size.or(truth.size);
    if status == 416 {
        // All of it is there, or more than all.
        if truth.size == Some(start) {
            return Ok(Ok(()));
        }
        fs::remove_file(partial).map_err(io_error("remove", partial))?;
        return Ok(Err("the file is shorter than what is there of it".to_owned()));
    }
    let from = if status == 206 && range_start == Some(start) { start } else { 0 };
    if status == 206 && from != start {
        fs::remove_file(partial).map_err(io_error("remove", partial))?;
        return Ok(Err("another part came than was asked for".to_owned()));
    }
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .open(partial)
        .map_err(io_error("create", partial))?;
    if length_of(partial)? != from {
        file.set_len(from).map_err(io_error("cut", partial))?;
    }
    file.seek(SeekFrom::Start(from)).map_err(io_error("write", partial))?;
    copy(&mut body.as_reader(), &mut file, from, truth.size, progress).map_err(
        |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => HubError::NoRoom {
                path: partial.parent().unwrap_or(partial).to_owned(),
                file: wanted.file.to_owned(),
                needed: truth.size.unwrap_or(0).saturating_sub(from),
                source,
            },
            _ => io_error("write", partial)(source),
        },
    )
}

/// Copies to the end; the inner error is one of reading. No more than `size` bytes and one are taken.
fn copy(
    from: &mut impl Read,
    to: &mut File,
    start: u64,
    size: Option<u64>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Result<(), String>> {
    let mut buffer = vec![0; 1 << 17];
    let mut at = start;
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => return Ok(Ok(())),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(format!("the transfer broke off: {error}"))),
        };
        to.write_all(&buffer[..n])?;
        at += n as u64;
        progress(at);
        if size.is_some_and(|size| at > size) {
            return Ok(Ok(()));
        }
    }
}

/// Whether the content is what the hub says; what is wrong otherwise.
fn verify(
    client: &Client<'_>,
    wanted: &Wanted<'_>,
    partial: &Path,
    length: u64,
    truth: &Truth,
) -> Result<Option<HubError>, HubError> {
    let wrong = |kind, expected: String, got: String| {
        let (model, file) = (wanted.model.to_owned(), wanted.file.to_owned());
        Some(HubError::Digest { model, file, kind, expected, got })
    };
    if let Some(size) = truth.size
        && size != length
    {
        // A body that is too long is left where that shows, which is up to the network.
        let got = if length > size { "more".to_owned() } else { length.to_string() };
        return Ok(wrong("size", size.to_string(), got));
    }
    let Some(expected) = &truth.digest else {
        let reason =
            "the hub gives no digest of this file, so that it cannot be trusted".to_owned();
        return Err(HubError::Malformed { url: client.address(wanted.url_path), reason });
    };
    let got = expected.of_file(partial).map_err(io_error("read", partial))?;
    let is_same = got == expected.hex();
    Ok(if is_same { None } else { wrong(expected.kind(), expected.hex().to_owned(), got) })
}

fn length_of(path: &Path) -> Result<u64, HubError> {
    match fs::metadata(path) {
        Ok(about) => Ok(about.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io_error("read", path)(error)),
    }
}
