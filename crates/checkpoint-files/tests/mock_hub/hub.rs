//! A hub with one small model and its CDN: redirects, digests in tags, parts of files.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkpoint_files::hub::{Clock, Fetched, HubError, HubSettings, ModelName, Token, fetch};
use checkpoint_files::{Checkpoint, TensorSource, write_safetensors};
use chrono::{DateTime, Utc};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{MockServer, Reply, Request};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const TOKEN: &str = "hf_s3cretS3cret";

/// A clock that waiting moves on, and nothing else.
#[derive(Debug)]
struct TestClock(Mutex<(DateTime<Utc>, Vec<u64>)>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.lock().expect("a lock").0
    }

    fn sleep(&self, time: Duration) {
        let mut state = self.0.lock().expect("a lock");
        state.0 += time;
        state.1.push(time.as_secs());
    }
}

/// Changes the answer to a request: the request, how often its target was asked before, and the usual answer.
type Twist = Arc<dyn Fn(&Request, usize, Reply) -> Reply + Send + Sync>;

pub(crate) struct Hub {
    pub(crate) hub: MockServer,
    pub(crate) cdn: MockServer,
    pub(crate) folder: TempDir,
    clock: Arc<TestClock>,
    pub(crate) settings: HubSettings,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn git_sha1(content: &[u8]) -> String {
    let begin = format!("blob {}\0", content.len());
    hex(&Sha1::new().chain_update(begin).chain_update(content).finalize())
}

/// A model's weights: 4,000 bytes of tensor.
pub(crate) fn weights() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("w");
    let values: Vec<f32> = (0..1000).map(|i| i as f32).collect();
    write_safetensors(&path, [TensorSource::f32("w", [1000], values)], &Default::default())
        .expect("a file");
    fs::read(path).expect("the file")
}

pub(crate) fn content(file: &str) -> Option<Vec<u8>> {
    match file {
        "config.json" => Some(br#"{"model_type":"llama"}"#.to_vec()),
        "tokenizer.json" => Some(vec![b'x'; 700]),
        "model.safetensors" => Some(weights()),
        _ => None,
    }
}

/// The list of files, with their sizes.
fn model_json() -> String {
    let text = include_str!("../../../../fixtures/hub/model.json");
    let mut json: serde_json::Value = serde_json::from_str(text).expect("JSON");
    for file in json["siblings"].as_array_mut().expect("a list") {
        let name = file["rfilename"].as_str().expect("a name").to_owned();
        if let Some(content) = content(&name) {
            file["size"] = content.len().into();
        }
    }
    json.to_string()
}

/// What the hub answers: large files on a CDN, small ones by a path of its own.
fn answer(request: &Request, cdn: &str) -> Reply {
    let target = request.target.as_str();
    if target.starts_with("/api/models/acme/tiny/revision/") {
        return Reply::new(200, model_json()).header("Content-Type", "application/json");
    }
    if let Some(file) = target.strip_prefix("/api/resolve-cache/models/acme/tiny/") {
        let content = content(file).expect("a small file");
        return Reply::file(request, &content)
            .header("ETag", format!("W/\"{}\"", git_sha1(&content)));
    }
    let file = target.strip_prefix(&format!("/acme/tiny/resolve/{COMMIT}/"));
    let Some((file, content)) = file.and_then(|file| Some((file, content(file)?))) else {
        return Reply::new(404, "Repository not found")
            .header("X-Error-Code", "RepoNotFound")
            .header("X-Error-Message", "Repository not found");
    };
    let reply = match file.ends_with(".safetensors") {
        true => Reply::new(302, "Found. Redirecting to the CDN")
            .header("Location", format!("{cdn}/repos/ab/cd?X-Amz-Signature=s1gned"))
            .header("X-Linked-Etag", format!("\"{}\"", sha256(&content))),
        false => Reply::new(307, "Temporary Redirect")
            .header("Location", format!("/api/resolve-cache/models/acme/tiny/{file}"))
            .header("X-Linked-Etag", format!("\"{}\"", git_sha1(&content))),
    };
    reply.header("X-Repo-Commit", COMMIT).header("X-Linked-Size", content.len().to_string())
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self::with(|_, _, reply| reply)
    }

    pub(crate) fn with(
        twist: impl Fn(&Request, usize, Reply) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let twist: Twist = Arc::new(twist);
        let counted = |usual: Box<dyn Fn(&Request) -> Reply + Send>| {
            let (twist, asked) = (Arc::clone(&twist), Mutex::new(Vec::<String>::new()));
            move |request: &Request| {
                let mut asked = asked.lock().expect("a lock");
                let before = asked.iter().filter(|target| **target == request.target).count();
                asked.push(request.target.clone());
                twist(request, before, usual(request))
            }
        };
        let on_cdn = |request: &Request| {
            Reply::file(request, &weights()).header("ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"")
        };
        let cdn = MockServer::start(counted(Box::new(on_cdn)));
        let cdn_url = cdn.url();
        let hub = MockServer::start(counted(Box::new(move |request| answer(request, &cdn_url))));
        let folder = tempfile::tempdir().expect("a folder");
        let now = "2015-10-21T07:27:00Z".parse().expect("a time");
        let clock = Arc::new(TestClock(Mutex::new((now, Vec::new()))));
        let settings = HubSettings {
            endpoint: hub.url(),
            token: Token::new(TOKEN),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..HubSettings::new(folder.path())
        };
        Self { hub, cdn, folder, clock, settings }
    }

    pub(crate) fn fetch(&self, revision: &str) -> Result<Fetched, HubError> {
        let model: ModelName = format!("hub:acme/tiny@{revision}").parse().expect("a name");
        fetch(&model, &self.settings, &mut |_| ())
    }

    /// The error and its causes, with neither the token nor the signature of the CDN in it.
    pub(crate) fn error(&self, revision: &str) -> String {
        let error = self.fetch(revision).expect_err("an error");
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        for shown in [&text, &format!("{error:?}")] {
            assert!(!shown.contains(TOKEN) && !shown.contains("s1gned"), "{shown}");
        }
        text.replace(&self.hub.url(), "HUB")
            .replace(&self.cdn.url(), "CDN")
            .replace(&self.folder.path().display().to_string(), "DIR")
    }

    pub(crate) fn waits(&self) -> Vec<u64> {
        std::mem::take(&mut self.clock.0.lock().expect("a lock").1)
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.folder.path().join(format!("acme--tiny/.partial-{COMMIT}"))
    }

    /// All is there, and right.
    #[track_caller]
    pub(crate) fn check_complete(&self, fetched: &Fetched) {
        assert_eq!(fetched.folder, self.folder.path().join("acme--tiny").join(COMMIT));
        assert_eq!(fetched.commit, COMMIT);
        let entries = fs::read_dir(&fetched.folder).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["config.json", "model.safetensors", "tokenizer.json"]);
        for name in names {
            assert_eq!(fs::read(fetched.folder.join(&name)).ok(), content(&name), "{name}");
        }
        assert_eq!(Checkpoint::open(&fetched.folder).expect("a checkpoint").tensors().len(), 1);
        assert!(!self.staging().exists());
    }
}

pub(crate) fn targets(server: &MockServer) -> Vec<String> {
    server.requests().into_iter().map(|request| request.target).collect()
}
