use std::io::Read;
use std::time::Duration;

use chrono::DateTime;
use ureq::http::{HeaderMap, Uri};
use ureq::{Agent, Body};

use super::digest::Expected;
use super::{HubError, HubSettings};

/// So many redirects in a row, and no more.
const REDIRECTS: usize = 5;

/// The largest answer that is no file, in bytes.
const MAX_ANSWER: u64 = 64 << 20;

/// Asks a hub: follows its redirects without the token, waits when it is asked to, and tries again where that may help.
#[derive(Debug)]
pub(super) struct Client<'a> {
    agent: Agent,
    settings: &'a HubSettings,
    endpoint: String,
}

/// An answer of status 200, 206 or 416, and what the hub said on the way to it.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The file's digest, as the hub itself says; where it redirects to knows nothing of it.
    pub(super) digest: Option<Expected>,
    /// The file's size, likewise.
    pub(super) size: Option<u64>,
    /// The commit, likewise.
    pub(super) commit: Option<String>,
    /// Where the body begins in the file: the first number of `Content-Range`.
    pub(super) start: Option<u64>,
    pub(super) body: Body,
}

/// An attempt without an answer.
enum Failure {
    /// Another one may have it, after so long if the hub says so.
    Again { reason: String, wait: Option<Duration> },
    /// No other one will.
    Final(HubError),
}

impl<'a> Client<'a> {
    pub(super) fn new(settings: &'a HubSettings) -> Result<Self, HubError> {
        let endpoint = settings.endpoint.trim_end_matches('/').to_owned();
        let wrong = |reason: &str| {
            Err(HubError::Endpoint { url: without_query(&endpoint), reason: reason.to_owned() })
        };
        let Ok(uri) = endpoint.parse::<Uri>() else { return wrong("it is no URL") };
        let (scheme, host) = (uri.scheme_str(), uri.host().unwrap_or_default());
        let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match scheme {
            Some("https") => {}
            Some("http") if is_local || settings.token.is_none() => {}
            Some("http") => return wrong("a token is sent over https only"),
            _ => return wrong("it begins with neither https:// nor http://"),
        }
        if uri.query().is_some() || uri.authority().is_none_or(|a| a.as_str().contains('@')) {
            return wrong("it has a query or a password");
        }
        let agent = Agent::config_builder()
            .timeout_connect(Some(settings.timeout))
            .timeout_recv_response(Some(settings.timeout))
            .timeout_per_read(Some(settings.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // A part of a packed file is no part of the file.
            .accept_encoding("identity")
            .user_agent(concat!("thesisforge/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, settings, endpoint })
    }

    /// Gets a whole answer that is no file.
    pub(super) fn text(&self, path: &str) -> Result<(String, Vec<u8>), HubError> {
        let url = format!("{}{path}", self.endpoint);
        self.patiently(&url, || {
            let mut answer = self.attempt(&url, 0)?;
            let again = |reason: String| Failure::Again { reason, wait: None };
            let mut bytes = Vec::new();
            let read = answer.body.as_reader().take(MAX_ANSWER + 1).read_to_end(&mut bytes);
            read.map_err(|error| again(format!("the answer broke off: {error}")))?;
            if bytes.len() as u64 > MAX_ANSWER {
                let reason = format!("the answer is larger than {MAX_ANSWER} bytes");
                return Err(Failure::Final(HubError::Malformed { url: url.clone(), reason }));
            }
            Ok((without_query(&url), bytes))
        })
    }

    /// Begins to get a file, from this byte on.
    pub(super) fn file(&self, path: &str, start: u64) -> Result<Answer, HubError> {
        let url = format!("{}{path}", self.endpoint);
        self.patiently(&url, || self.attempt(&url, start))
    }

    /// The whole address of a path, for errors.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    /// Waits before the attempt after this many without progress.
    pub(super) fn wait(&self, failures: u32) {
        self.settings.clock.sleep(self.backoff(failures));
    }

    fn patiently<T>(
        &self,
        url: &str,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, HubError> {
        let longest = self.settings.longest_wait;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (reason, wait) = match attempt() {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again { reason, wait }) => (reason, wait),
            };
            let give_up = |reason: String| {
                let (url, reason) = (without_query(url), self.hide(&reason));
                Err(HubError::Unavailable { url, attempts, reason })
            };
            if attempts > self.settings.retries {
                return give_up(reason);
            }
            match wait {
                Some(wait) if wait > longest => {
                    let (wait, longest) = (wait.as_secs(), longest.as_secs());
                    return give_up(format!(
                        "{reason}; it asks to wait {wait} s, more than {longest} s"
                    ));
                }
                Some(wait) => self.settings.clock.sleep(wait),
                None => self.wait(attempts),
            }
        }
    }

    /// One request with all its redirects.
    fn attempt(&self, url: &str, start: u64) -> Result<Answer, Failure> {
        let (mut digest, mut size, mut commit) = (None, None, None);
        let mut url = url.to_owned();
        for _ in 0..=REDIRECTS {
            let is_hub = same_origin(&url, &self.endpoint);
            let response = self.request(&url, start, is_hub)?;
            let (parts, body) = response.into_parts();
            let (status, headers) = (parts.status.as_u16(), &parts.headers);
            if is_hub {
                let etag = text_of(headers, "x-linked-etag").or(text_of(headers, "etag"));
                digest = digest.or_else(|| etag.and_then(Expected::from_etag));
                let linked = text_of(headers, "x-linked-size");
                size = size.or_else(|| linked.and_then(|text| text.trim().parse().ok()));
                commit = commit.or_else(|| text_of(headers, "x-repo-commit").map(str::to_owned));
            }
            match status {
                200 | 206 | 416 => {
                    let range = text_of(headers, "content-range");
                    let start = range.and_then(first_of_range);
                    return Ok(Answer { status, digest, size, commit, start, body });
                }
                300..400 => {
                    let location = text_of(headers, "location").unwrap_or_default();
                    url = self.redirected(&url, location)?;
                }
                _ => return Err(self.failure(&url, status, headers, is_hub)),
            }
        }
        let reason = format!("it redirects more than {REDIRECTS} times");
        Err(Failure::Final(HubError::Malformed { url: without_query(&url), reason }))
    }

    fn request(
        &self,
        url: &str,
        start: u64,
        is_hub: bool,
    ) -> Result<ureq::http::Response<Body>, Failure> {
        let mut request = self.agent.get(url);
        if let Some(token) = self.settings.token.as_ref().filter(|_| is_hub) {
            request = request.header("authorization", token.header());
        }
        if start > 0 {
            request = request.header("range", format!("bytes={start}-"));
        }
        match request.call() {
            Ok(response) => Ok(response),
            // Their texts would hold the address with its query.
            Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => {
                let (url, reason) = (without_query(url), "this address cannot be used".to_owned());
                Err(Failure::Final(HubError::Malformed { url, reason }))
            }
            Err(error) => Err(Failure::Again { reason: error.to_string(), wait: None }),
        }
    }

    /// Where a redirect leads: to a whole address, or to a path on the same host.
    fn redirected(&self, from: &str, location: &str) -> Result<String, Failure> {
        let malformed = |reason: &str| {
            let (url, reason) = (without_query(from), reason.to_owned());
            Err(Failure::Final(HubError::Malformed { url, reason }))
        };
        let to = match (location.starts_with("//"), location.starts_with('/'), origin(from)) {
            (true, ..) => return malformed("it redirects to an address without a scheme"),
            (_, true, Some((scheme, authority))) => format!("{scheme}://{authority}{location}"),
            _ => location.to_owned(),
        };
        match origin(&to) {
            Some((scheme, _)) if scheme == "https" || !self.endpoint.starts_with("https") => Ok(to),
            Some(_) => malformed("it redirects from https to another scheme"),
            None => malformed("it redirects to nowhere"),
        }
    }

    fn failure(&self, url: &str, status: u16, headers: &HeaderMap, is_hub: bool) -> Failure {
        let url = without_query(url);
        let said = text_of(headers, "x-error-message").or(text_of(headers, "x-error-code"));
        let said = said.map(|text| self.hide(text)).unwrap_or_default();
        let said = if said.is_empty() { "no reason is given".to_owned() } else { said };
        match status {
            408 | 425 | 429 | 500..600 => {
                let after = text_of(headers, "retry-after");
                let wait = after.and_then(|text| self.retry_after(text));
                Failure::Again { reason: format!("status {status}"), wait }
            }
            // The signed address has run out; the hub gives out a new one.
            401 | 403 if !is_hub => {
                Failure::Again { reason: format!("status {status}"), wait: None }
            }
            401 | 403 => {
                let hint = match (&self.settings.token, status) {
                    (None, _) => {
                        "the model may be private or gated, or not exist: put a token that may read it into HF_TOKEN"
                    }
                    (Some(_), 401) => "the token is not valid, or the model does not exist",
                    (Some(_), _) => {
                        "the token may not read it: accept the model's terms on its page"
                    }
                };
                let reason = format!("{said}; {hint}");
                Failure::Final(HubError::Refused { url, status, reason })
            }
            404 => Failure::Final(HubError::NotFound { url, reason: said }),
            _ => {
                let reason = format!("status {status}: {said}");
                Failure::Final(HubError::Malformed { url, reason })
            }
        }
    }

    /// What a `Retry-After` asks to wait: seconds, or until a date (RFC 9110, 10.2.3).
    fn retry_after(&self, text: &str) -> Option<Duration> {
        if let Ok(seconds) = text.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
        Some((date.to_utc() - self.settings.clock.now()).to_std().unwrap_or_default())
    }

    fn backoff(&self, failures: u32) -> Duration {
        let doubled = self.settings.first_wait.saturating_mul(1 << (failures.max(1) - 1).min(20));
        doubled.min(self.settings.longest_wait)
    }

    fn hide(&self, text: &str) -> String {
        self.settings.token.as_ref().map_or_else(|| text.to_owned(), |token| token.hide_in(text))
    }
}

/// An address without its query, which may be signed, and without a password.
fn without_query(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => url.to_owned(),
    }
}

fn same_origin(a: &str, b: &str) -> bool {
    origin(a).is_some_and(|a| Some(a) == origin(b))
}

/// Scheme and authority, in lower case.
fn origin(url: &str) -> Option<(String, String)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    Some((scheme.to_owned(), uri.authority()?.as_str().to_ascii_lowercase()))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `bytes 100-199/200` begins at 100.
fn first_of_range(text: &str) -> Option<u64> {
    text.trim().strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
