use std::fmt;

/// The hub's token of a user. It is shown nowhere: its `Debug` is `Token(…)`, and texts that may hold it go through
/// [`Token::hide_in`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token, without the white space around it; `None` where nothing is left, and where it has characters that no
    /// header can hold.
    pub fn new(text: &str) -> Option<Self> {
        let token = text.trim();
        let is_good = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_good.then(|| Self(token.to_owned()))
    }

    /// `text` with a `…` wherever the token stands.
    pub fn hide_in(&self, text: &str) -> String {
        text.replace(&self.0, "…")
    }

    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_nowhere() {
        let token = Token::new(" hf_s3cret \n").unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.hide_in("no such token: hf_s3cret"), "no such token: …");
        for bad in ["", " \n", "hf s3cret", "hf\r\nX: y", "hfü"] {
            assert_eq!(Token::new(bad), None, "{bad:?}");
        }
    }
}
