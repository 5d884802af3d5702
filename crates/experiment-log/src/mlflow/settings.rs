use std::fmt;
use std::time::Duration;

use crate::LogError;

/// How a tracking server is reached, and what the run is called there.
#[derive(Debug, Clone, PartialEq)]
pub struct MlflowSettings {
    /// Address of the server: `http://host:port`, with or without a path.
    pub tracking_uri: String,
    /// Who is asking.
    pub credentials: Credentials,
    /// The experiment that the run belongs to; it is made where there is none.
    pub experiment: String,
    /// Name of a new run; the server makes one up where there is none.
    pub run_name: Option<String>,
    /// A run to go on with, by the server's name of it.
    pub run_id: Option<String>,
    /// For one request as a whole.
    pub timeout: Duration,
    /// How far apart metrics are sent.
    pub send_every: Duration,
    /// How long a server that failed is left alone.
    pub retry_after: Duration,
    /// Metrics that are kept while a server fails; beyond that the oldest ones go.
    pub capacity: usize,
}

/// Who is asking. Its debug form hides secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// The bearer of a token.
    Token(String),
    /// Somebody with a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
}

impl MlflowSettings {
    /// Settings for a server that asks for no credentials.
    pub fn new(tracking_uri: impl Into<String>, experiment: impl Into<String>) -> Self {
        Self {
            tracking_uri: tracking_uri.into(),
            credentials: Credentials::None,
            experiment: experiment.into(),
            run_name: None,
            run_id: None,
            timeout: Duration::from_secs(10),
            send_every: Duration::from_secs(5),
            retry_after: Duration::from_secs(60),
            capacity: 100_000,
        }
    }

    /// Settings by the variables that MLflow's own client reads: `MLFLOW_TRACKING_URI`,
    /// `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
    /// `None` without an address. `variable` looks one up, as `|name| std::env::var(name).ok()`.
    pub fn from_variables(
        experiment: impl Into<String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Option<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let tracking_uri = set("MLFLOW_TRACKING_URI")?;
        // Name and password first, as in MLflow's client.
        let credentials = match (set("MLFLOW_TRACKING_USERNAME"), set("MLFLOW_TRACKING_TOKEN")) {
            (Some(user), _) => Credentials::Basic {
                user,
                password: set("MLFLOW_TRACKING_PASSWORD").unwrap_or_default(),
            },
            (None, Some(token)) => Credentials::Token(token),
            (None, None) => Credentials::None,
        };
        Some(Self { credentials, ..Self::new(tracking_uri, experiment) })
    }

    /// The address without a slash at its end.
    pub(super) fn base_url(&self) -> Result<&str, LogError> {
        let fault = |reason: String| Err(LogError::Setting { name: "MLFLOW_TRACKING_URI", reason });
        let uri = self.tracking_uri.trim().trim_end_matches('/');
        let Some((scheme, rest)) = uri.split_once("://") else {
            return fault(format!("`{uri}` is no address of a server, like http://localhost:5000"));
        };
        if !matches!(scheme, "http" | "https") {
            return fault(format!("`{scheme}://` is not supported, only http:// and https://"));
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            let reason = "it holds a name or password; these go into MLFLOW_TRACKING_USERNAME and \
                          MLFLOW_TRACKING_PASSWORD";
            return fault(reason.to_owned());
        }
        if authority.is_empty() || uri.contains(['?', '#', ' ']) {
            return fault(format!("`{uri}` is no address of a server"));
        }
        Ok(uri)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::Basic { .. } => "Basic { … }",
        })
    }
}
