mod clock;
pub(crate) mod json;
mod retry_after;

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use ureq::Agent;

use crate::{ApiKey, SourceError};

pub use clock::{Clock, SystemClock};

/// So many questions in a row that got no answer, and the next ones are asked but once each, until
/// one gets an answer: thousands of tickers are not waited for at a service that is down.
const PATIENCE: u32 = 3;

/// Yahoo answers 429 to clients whose name does not begin so.
const USER_AGENT: &str =
    concat!("Mozilla/5.0 (compatible; thesisforge/", env!("CARGO_PKG_VERSION"), ")");

/// How a web service is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// For one attempt as a whole, from the connection to the last byte.
    pub timeout: Duration,
    /// Attempts after the first one, where the service is overloaded or the connection fails.
    pub retries: u32,
    /// Most requests a second, those of all threads together. Not above 0 means without a limit.
    pub rate: f64,
    /// Before the second attempt; it doubles with each further one, up to [`Self::longest_wait`].
    pub first_wait: Duration,
    /// The longest wait for another attempt. A service that asks for more is given up.
    pub longest_wait: Duration,
    /// The largest answer, unpacked, in bytes.
    pub max_bytes: u64,
    /// Of the random part of the waits.
    pub seed: u64,
    /// What the client calls itself; characters other than printable ASCII are left out.
    pub user_agent: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            retries: 4,
            rate: 4.0,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(120),
            max_bytes: 64 << 20,
            seed: 0,
            user_agent: USER_AGENT.to_owned(),
        }
    }
}

/// A client of one web service: paced, patient, and silent about keys.
///
/// Redirects are not followed, so that a key in a query never reaches another host.
#[derive(Debug)]
pub struct HttpClient {
    agent: Agent,
    settings: HttpSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Before this no further request goes out.
    next: DateTime<Utc>,
    /// Questions without an answer since the last one with.
    unanswered: u32,
    /// Of SplitMix64 (Steele, Lea & Flood, 2014).
    random: u64,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// An attempt that another one may better.
struct Failure {
    reason: String,
    /// What the service asked to wait.
    wait: Option<Duration>,
}

impl HttpClient {
    /// A client; `clock` is [`SystemClock`] outside of tests.
    pub fn new(settings: HttpSettings, clock: Arc<dyn Clock>) -> Self {
        // What no header can hold makes the client panic.
        let printable = |c: &char| matches!(c, ' '..='~');
        let user_agent: String = settings.user_agent.chars().filter(printable).collect();
        let agent = Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(user_agent)
            .accept("application/json")
            .build()
            .new_agent();
        let state =
            Mutex::new(State { next: DateTime::UNIX_EPOCH, unanswered: 0, random: settings.seed });
        Self { agent, settings, clock, state }
    }

    /// Gets `url`, trying again where that may help. Any status that speaks of the question rather
    /// than of the service's health is an answer. `key` is hidden from every text.
    ///
    /// # Errors
    /// [`SourceError::Unavailable`] and [`SourceError::Malformed`].
    pub(crate) fn get(
        &self,
        source_name: &str,
        url: &str,
        key: Option<&ApiKey>,
    ) -> Result<Answer, SourceError> {
        let result = self.get_patiently(source_name, url, key);
        let unanswered = matches!(result, Err(SourceError::Unavailable { .. }));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unanswered = if unanswered { state.unanswered.saturating_add(1) } else { 0 };
        result
    }

    fn get_patiently(
        &self,
        source_name: &str,
        url: &str,
        key: Option<&ApiKey>,
    ) -> Result<Answer, SourceError> {
        let hide = |text: &str| key.map_or_else(|| text.to_owned(), |key| key.hide_in(text));
        let unanswered = self.state.lock().unwrap_or_else(PoisonError::into_inner).unanswered;
        let retries = if unanswered < PATIENCE { self.settings.retries } else { 0 };
        let mut attempts = 0;
        loop {
            self.pace();
            attempts += 1;
            let Failure { reason, wait } = match self.attempt(url) {
                Ok(Ok(answer)) => return Ok(Answer { text: hide(&answer.text), ..answer }),
                Ok(Err(reason)) => {
                    let (source_name, reason) = (source_name.to_owned(), hide(&reason));
                    return Err(SourceError::Malformed { source_name, reason });
                }
                Err(failure) => failure,
            };
            let give_up = |reason: String| {
                let (source_name, reason) = (source_name.to_owned(), hide(&reason));
                SourceError::Unavailable { source_name, attempts, reason }
            };
            if attempts > retries {
                return Err(give_up(reason));
            }
            let longest = self.settings.longest_wait;
            match wait {
                Some(wait) if wait > longest => {
                    let (wait, longest) = (wait.as_secs(), longest.as_secs());
                    let more = format!("; it asks to wait {wait} s, more than {longest} s");
                    return Err(give_up(reason + &more));
                }
                // The service is busy for all threads, not for this one alone.
                Some(wait) => self.hold(wait),
                None => self.clock.sleep(self.backoff(attempts)),
            }
        }
    }

    /// One attempt: an answer, or why the answer is none, or why another attempt may help.
    fn attempt(&self, url: &str) -> Result<Result<Answer, String>, Failure> {
        let failed = |reason: String| Failure { reason, wait: None };
        let response = self.agent.get(url).call();
        let mut response = match response {
            Ok(response) => response,
            // Its text would hold the URL.
            Err(ureq::Error::BadUri(_) | ureq::Error::Http(_)) => {
                return Ok(Err("the base URL cannot be used".to_owned()));
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        let status = response.status().as_u16();
        if matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504) {
            let header = response.headers().get("retry-after");
            let text = header.and_then(|value| value.to_str().ok());
            let wait = text.and_then(|text| retry_after::parse(text, self.clock.now()));
            return Err(Failure { reason: format!("status {status}"), wait });
        }
        if (300..400).contains(&status) {
            return Ok(Err(format!("status {status}: it sends elsewhere, which is not followed")));
        }
        let limit = self.settings.max_bytes;
        let mut bytes = Vec::new();
        let read = response.body_mut().as_reader().take(limit.saturating_add(1));
        let mut read = read;
        read.read_to_end(&mut bytes)
            .map_err(|error| failed(format!("the answer broke off: {error}")))?;
        if bytes.len() as u64 > limit {
            return Ok(Err(format!("the answer is larger than {limit} bytes")));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ok(Answer { status, text }))
    }

    /// Waits for this request's turn.
    fn pace(&self) {
        let rate = self.settings.rate;
        let spacing =
            if rate > 0.0 { Duration::try_from_secs_f64(1.0 / rate) } else { Ok(Duration::ZERO) };
        let spacing =
            TimeDelta::from_std(spacing.unwrap_or(Duration::MAX)).unwrap_or(TimeDelta::MAX);
        let now = self.clock.now();
        let turn = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = state.next.max(now);
            state.next = turn.checked_add_signed(spacing).unwrap_or(turn);
            turn
        };
        if let Ok(wait) = (turn - now).to_std()
            && !wait.is_zero()
        {
            self.clock.sleep(wait);
        }
    }

    /// Lets no request out for so long.
    fn hold(&self, wait: Duration) {
        let until =
            TimeDelta::from_std(wait).ok().and_then(|w| self.clock.now().checked_add_signed(w));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.next = state.next.max(until.unwrap_or(state.next));
    }

    /// The wait after so many attempts: doubling, between half of it and all of it by chance, so
    /// that clients that failed together do not come back together.
    fn backoff(&self, attempts: u32) -> Duration {
        let doubled = self.settings.first_wait.saturating_mul(1 << (attempts - 1).min(20));
        let bits = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.random = state.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
            split_mix(state.random)
        };
        let share = 0.5 + 0.5 * (bits >> 11) as f64 / (1_u64 << 53) as f64;
        doubled.min(self.settings.longest_wait).mul_f64(share)
    }
}

fn split_mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
