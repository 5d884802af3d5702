use std::fmt;

/// A web service's key. It is shown nowhere: its `Debug` is `ApiKey(…)`, and texts that may hold it
/// go through [`ApiKey::hide_in`].
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes a key, without the white space around it; `None` where nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let key = text.trim();
        (!key.is_empty()).then(|| Self(key.to_owned()))
    }

    /// The key as a value in a URL's query.
    pub(crate) fn in_query(&self) -> String {
        percent_encode(&self.0)
    }

    /// `text` with a `…` wherever the key stands, as it is or as in a query.
    pub fn hide_in(&self, text: &str) -> String {
        text.replace(&self.in_query(), "…").replace(&self.0, "…")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// `text` with everything but letters, digits and `-._~` written as `%XX` (RFC 3986).
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_nowhere() {
        let key = ApiKey::new(" s3cr&t \n").unwrap();
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "ApiKey(…) Some(ApiKey(…))");
        let text = "GET /eod?api_token=s3cr%26t: s3cr&t is no key";
        assert_eq!(key.hide_in(text), "GET /eod?api_token=…: … is no key");
        assert_eq!(ApiKey::new(" \n"), None);
    }
}
