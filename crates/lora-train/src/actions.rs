use std::ops::Range;

use thesis_core::Action;

/// The bytes of each token of a vocabulary: what finds the action in an answer's tokens.
#[derive(Debug, Clone, Default)]
pub struct ActionFinder {
    bytes: Vec<Vec<u8>>,
}

impl ActionFinder {
    /// A finder for a vocabulary; `bytes` are those of each token, empty where it has none.
    pub fn new(bytes: Vec<Vec<u8>>) -> Self {
        Self { bytes }
    }

    /// Which of an answer's tokens name its action: those with a byte of `BUY` in `<action>BUY</action>`, or the token
    /// `<BUY>` in its place.
    pub fn find(&self, answer: &[u32], action: Action) -> Option<Range<usize>> {
        let mut text = Vec::new();
        let mut ends = Vec::with_capacity(answer.len());
        for &id in answer {
            text.extend_from_slice(self.bytes.get(id as usize).map_or(&[][..], Vec::as_slice));
            ends.push(text.len());
        }
        let name = action.as_str();
        let bytes = [format!("<action>{name}</action>"), format!("<action><{name}></action>")];
        let at = bytes.iter().find_map(|wanted| {
            let at = text.windows(wanted.len()).rposition(|window| window == wanted.as_bytes())?;
            Some(at + "<action>".len()..at + wanted.len() - "</action>".len())
        })?;
        let first = ends.iter().position(|&end| end > at.start)?;
        let last = ends.iter().position(|&end| end >= at.end)?;
        Some(first..last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tokens: &[&str], action: Action, expected: Option<Range<usize>>) {
        let finder =
            ActionFinder::new(tokens.iter().map(|token| token.as_bytes().to_vec()).collect());
        let answer: Vec<u32> = (0..tokens.len() as u32).collect();
        assert_eq!(finder.find(&answer, action), expected, "{tokens:?}");
    }

    #[test]
    fn the_tokens_of_the_action() {
        check(&["<action>", "<BUY>", "</action>"], Action::Buy, Some(1..2));
        check(&["x <act", "ion>", "BU", "Y", "</action>"], Action::Buy, Some(2..4));
        check(&["<action", ">B", "UY<", "/action>", "\n"], Action::Buy, Some(1..3));
        check(&["<action>", "STRONG", "_", "SELL", "</action>"], Action::StrongSell, Some(1..4));
        check(&["<action>", "SELL", "</action>"], Action::Buy, None);
        check(&["BUY"], Action::Buy, None);
        check(&[], Action::Buy, None);
        // The last one counts: an answer may quote.
        check(&["<action>BUY</action>", "<action>", "BUY", "</action>"], Action::Buy, Some(2..3));
    }
}
