use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Clock, SystemClock, Token};

/// How a hub is asked, and where its models are kept.
#[derive(Debug, Clone)]
pub struct HubSettings {
    /// The hub.
    pub endpoint: String,
    /// For models that are not everyone's; sent to the hub only, never to where it redirects.
    pub token: Option<Token>,
    /// Where models are kept: `CACHE/ORG--NAME/COMMIT/`.
    pub cache: PathBuf,
    /// Whether to do without the network.
    pub offline: bool,
    /// Attempts after the first one, where the hub is overloaded or the connection fails. What makes progress does not count.
    pub retries: u32,
    /// Before the second attempt; it doubles with each further one, up to [`Self::longest_wait`].
    pub first_wait: Duration,
    /// The longest wait for another attempt. A hub that asks for more is given up.
    pub longest_wait: Duration,
    /// The longest silence of a connection.
    pub timeout: Duration,
    /// The clock that waits go by.
    pub clock: Arc<dyn Clock>,
}

impl HubSettings {
    /// The usual ones, with this cache.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            endpoint: "https://huggingface.co".to_owned(),
            token: None,
            cache: cache.into(),
            offline: false,
            retries: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(300),
            timeout: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
        }
    }

    /// The usual ones, changed by `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` as Hugging Face's own programs read them;
    /// `variable` is `|name| std::env::var(name).ok()` outside of tests.
    pub fn from_variables(
        cache: impl Into<PathBuf>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut settings = Self::new(cache);
        if let Some(endpoint) = variable("HF_ENDPOINT").filter(|text| !text.trim().is_empty()) {
            settings.endpoint = endpoint.trim().to_owned();
        }
        settings.token = variable("HF_TOKEN").as_deref().and_then(Token::new);
        let offline = variable("HF_HUB_OFFLINE").unwrap_or_default().to_ascii_lowercase();
        settings.offline = matches!(offline.as_str(), "1" | "on" | "yes" | "true");
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_change_what_they_name() {
        let settings = HubSettings::from_variables("cache", |_| None);
        assert_eq!(settings.endpoint, "https://huggingface.co");
        assert_eq!((settings.token, settings.offline), (None, false));
        let settings = HubSettings::from_variables("cache", |name| {
            let value = match name {
                "HF_ENDPOINT" => "https://mirror.example ",
                "HF_TOKEN" => "hf_1\n",
                "HF_HUB_OFFLINE" => "TRUE",
                _ => return None,
            };
            Some(value.to_owned())
        });
        assert_eq!(settings.endpoint, "https://mirror.example");
        assert_eq!((settings.token, settings.offline), (Token::new("hf_1"), true));
    }
}
