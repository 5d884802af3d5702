use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{HeaderValue, Response};
use ureq::{Agent, Body};

use super::{Credentials, MlflowSettings};
use crate::LogError;

/// The longest message of a server that an error quotes, in characters.
const QUOTED: usize = 300;
/// The longest answer that is read, in bytes.
const ANSWER: u64 = 8 << 20;

/// A client of MLflow's REST interface.
#[derive(Debug)]
pub(super) struct Client {
    agent: Agent,
    base_url: String,
    authorization: Option<HeaderValue>,
}

/// What a server said, and where it was asked.
pub(super) struct Answer {
    url: String,
    pub(super) json: Value,
}

impl Client {
    pub(super) fn new(settings: &MlflowSettings) -> Result<Self, LogError> {
        let agent = Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            .http_status_as_error(false)
            // A redirected POST would become a GET; the address is to be mended instead.
            .max_redirects(0)
            .user_agent(concat!("thesisforge/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let base_url = settings.base_url()?.to_owned();
        Ok(Self { agent, base_url, authorization: authorization(&settings.credentials)? })
    }

    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, LogError> {
        let url = self.url(path);
        let mut request = self.agent.get(&url).query_pairs(query.iter().copied());
        if let Some(value) = &self.authorization {
            request = request.header("Authorization", value);
        }
        read(url, request.call())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Answer, LogError> {
        let url = self.url(path);
        let mut request = self.agent.post(&url).content_type("application/json");
        if let Some(value) = &self.authorization {
            request = request.header("Authorization", value);
        }
        read(url, request.send(body.to_string()))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/2.0/mlflow/{path}", self.base_url)
    }
}

impl Answer {
    /// A text or number of the answer, as text.
    pub(super) fn text(&self, pointer: &'static str) -> Result<String, LogError> {
        match self.json.pointer(pointer) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(LogError::Answer { url: self.url.clone(), field: pointer }),
        }
    }
}

fn authorization(credentials: &Credentials) -> Result<Option<HeaderValue>, LogError> {
    let (name, text) = match credentials {
        Credentials::None => return Ok(None),
        Credentials::Token(token) => ("MLFLOW_TRACKING_TOKEN", format!("Bearer {token}")),
        Credentials::Basic { user, password } => {
            let encoded = STANDARD.encode(format!("{user}:{password}"));
            ("MLFLOW_TRACKING_USERNAME", format!("Basic {encoded}"))
        }
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| LogError::Setting {
        name,
        reason: "it has characters that no HTTP header can hold".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

fn read(url: String, answer: Result<Response<Body>, ureq::Error>) -> Result<Answer, LogError> {
    let unreachable =
        |url: &str, source| LogError::Unreachable { url: url.to_owned(), source: Box::new(source) };
    let mut answer = answer.map_err(|source| unreachable(&url, source))?;
    let status = answer.status();
    let text = answer
        .body_mut()
        .with_config()
        .limit(ANSWER)
        .lossy_utf8(true)
        .read_to_string()
        .map_err(|source| unreachable(&url, source))?;
    let json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(Answer { url, json });
    }
    let message = match (json["error_code"].as_str(), json["message"].as_str()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text,
    };
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = line.chars().take(QUOTED).collect();
    Err(LogError::Refused { url, status: status.as_u16(), message })
}
