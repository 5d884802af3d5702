use std::sync::Arc;

use crate::TokenizeError;

/// Texts at which generation ends.
#[derive(Debug, Clone, Default)]
pub struct StopStrings {
    strings: Arc<[String]>,
}

impl StopStrings {
    /// Takes any number of texts; with none nothing ever stops.
    ///
    /// # Errors
    /// [`TokenizeError::EmptyStopString`] for an empty one.
    pub fn new(strings: impl IntoIterator<Item = String>) -> Result<Self, TokenizeError> {
        let strings: Arc<[String]> = strings.into_iter().collect();
        if strings.iter().any(String::is_empty) {
            return Err(TokenizeError::EmptyStopString);
        }
        Ok(Self { strings })
    }

    /// Begins to watch a text.
    pub fn matcher(&self) -> StopMatcher {
        StopMatcher { stops: self.clone(), held: String::new(), ready: 0, stopped: false }
    }
}

/// What a piece of text brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopMatch<'a> {
    /// Text that is certain to stand before any stop string.
    pub text: &'a str,
    /// The stop string that is complete now; after it there is no more text.
    pub stop: Option<&'a str>,
}

/// Watches a text that comes in pieces for the first stop string, and cuts it there.
///
/// Text that may be the beginning of a stop string is held back. The first stop string is the one
/// that is complete first, and the longer one where two are at the same place: the result does not
/// depend on how the text is cut into pieces.
#[derive(Debug, Clone)]
pub struct StopMatcher {
    stops: StopStrings,
    held: String,
    /// How much of `held` was given out by the last call.
    ready: usize,
    stopped: bool,
}

impl StopMatcher {
    /// Adds a piece of text. After a stop nothing comes any more.
    pub fn push(&mut self, piece: &str) -> StopMatch<'_> {
        self.held.drain(..self.ready);
        self.ready = 0;
        if self.stopped {
            return StopMatch { text: "", stop: None };
        }
        self.held.push_str(piece);
        let found = self.stops.strings.iter().filter_map(|stop| {
            let start = self.held.find(stop.as_str())?;
            Some((start + stop.len(), start, stop))
        });
        if let Some((_, start, stop)) = found.min_by_key(|(end, start, _)| (*end, *start)) {
            self.stopped = true;
            self.held.truncate(start);
            self.ready = start;
            return StopMatch { text: &self.held, stop: Some(stop) };
        }
        self.ready = self.held.len() - self.held_back();
        StopMatch { text: &self.held[..self.ready], stop: None }
    }

    /// Ends the text and returns what was held back.
    pub fn finish(&mut self) -> &str {
        self.held.drain(..self.ready);
        self.ready = self.held.len();
        &self.held
    }

    /// Whether a stop string was found.
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The length of the longest end of `held` with which a stop string begins.
    fn held_back(&self) -> usize {
        let ends = |stop: &String| {
            let most = (stop.len() - 1).min(self.held.len());
            (1..=most).rev().find(|n| self.held.as_bytes().ends_with(&stop.as_bytes()[..*n]))
        };
        self.stops.strings.iter().filter_map(ends).max().unwrap_or(0)
    }
}
