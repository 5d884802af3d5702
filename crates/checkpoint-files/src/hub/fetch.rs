use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::answer::{self, FileOfModel};
use super::choice::choose;
use super::client::Client;
use super::download::{Wanted, download};
use super::error::io_error;
use super::name::is_commit;
use super::{HubError, HubSettings, ModelName};

/// A model that is there, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its folder, for [`crate::Checkpoint::open`].
    pub folder: PathBuf,
    /// Its commit, to be written down.
    pub commit: String,
    /// Whether it was there already.
    pub was_cached: bool,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Its name.
    pub file: &'a str,
    /// Its number, from 0.
    pub number: usize,
    /// How many files there are.
    pub n_files: usize,
    /// Bytes that are there.
    pub done: u64,
    /// All its bytes, where the hub tells.
    pub size: Option<u64>,
}

/// Makes sure that a model is in the cache: its configuration, tokenizer and safetensors.
///
/// With a full commit for a revision, and that commit in the cache, no request is made. `progress` is called for every piece
/// that arrives. Two processes that want the same model wait for each other.
///
/// # Errors
/// Everything of [`HubError`] but what speaks of names. What has arrived is kept, and the next call goes on with it.
pub fn fetch(
    model: &ModelName,
    settings: &HubSettings,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, HubError> {
    let home = settings.cache.join(format!("{}--{}", model.owner(), model.name()));
    if let Some(commit) = model.commit()
        && home.join(commit).is_dir()
    {
        return Ok(cached(&home, commit));
    }
    if settings.offline {
        let (model, cache) = (model.to_string(), settings.cache.clone());
        return Err(HubError::Offline { model, cache, complete: complete_in(&home) });
    }
    let client = Client::new(settings)?;
    let (owner, name) = (model.owner(), model.name());
    let revision = model.revision().replace('/', "%2F").replace('+', "%2B");
    let question = format!("/api/models/{owner}/{name}/revision/{revision}?blobs=true");
    let (url, json) = client.text(&question)?;
    let answer =
        answer::parse(&json).map_err(|reason| HubError::Malformed { url: url.clone(), reason })?;
    if model.commit().is_some_and(|commit| commit != answer.commit) {
        let reason = format!("it answers with commit {}", answer.commit);
        return Err(HubError::Malformed { url, reason });
    }
    let commit = answer.commit.clone();
    if home.join(&commit).is_dir() {
        return Ok(cached(&home, &commit));
    }

    let pinned = model.at(&commit);
    let files = choose(&pinned.to_string(), &answer)?;
    let staging = home.join(format!(".partial-{commit}"));
    let lock_path = home.join(".lock");
    fs::create_dir_all(&home).map_err(io_error("create", &home))?;
    let lock = File::create(&lock_path).map_err(io_error("create", &lock_path))?;
    lock.lock().map_err(io_error("lock", &lock_path))?;
    if home.join(&commit).is_dir() {
        return Ok(cached(&home, &commit));
    }
    fs::create_dir_all(&staging).map_err(io_error("create", &staging))?;
    for (number, file) in files.iter().enumerate() {
        let mut told = |done| {
            let FileOfModel { name, size } = file;
            progress(Progress { file: name, number, n_files: files.len(), done, size: *size });
        };
        if let Ok(about) = fs::metadata(staging.join(&file.name)) {
            told(about.len());
            continue;
        }
        let wanted = Wanted {
            model: &pinned.to_string(),
            commit: &commit,
            url_path: &format!("/{owner}/{name}/resolve/{commit}/{}", file.name),
            file: &file.name,
            size: file.size,
            retries: settings.retries,
        };
        download(&client, &wanted, &staging, &mut told)?;
    }
    let folder = home.join(&commit);
    sync(&staging)?;
    fs::rename(&staging, &folder).map_err(io_error("rename", &staging))?;
    sync(&home)?;
    Ok(Fetched { folder, commit, was_cached: false })
}

fn cached(home: &Path, commit: &str) -> Fetched {
    Fetched { folder: home.join(commit), commit: commit.to_owned(), was_cached: true }
}

/// The commits of a model that are all there.
fn complete_in(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut commits: Vec<String> = names.filter(|name| is_commit(name)).collect();
    commits.sort_unstable();
    commits
}

/// Makes renames inside of a folder durable.
fn sync(folder: &Path) -> Result<(), HubError> {
    if cfg!(unix) {
        let handle = File::open(folder).map_err(io_error("open", folder))?;
        handle.sync_all().map_err(io_error("sync", folder))?;
    }
    Ok(())
}
