use std::borrow::Cow;

use aho_corasick::{AhoCorasick, BuildError, MatchKind};

/// Unicode noncharacters: no text that people exchange holds them, so they can carry meaning
/// between a template and the tokenizer. Where they occur nonetheless they become U+FFFD.
const RESERVED: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDD3}';
const ALIAS_OPEN: char = '\u{FDD0}';
const ALIAS_CLOSE: char = '\u{FDD1}';
/// Stands before what only looks like a control token.
const MARK: char = '\u{FDD2}';
/// Begins a text that stands for a content while a template is tried out.
pub(crate) const PROBE: char = '\u{FDD3}';

/// Tells the control tokens that a template writes from text that merely spells one.
///
/// News may quote `<|im_end|>` or `<BUY>`. Contents are marked before they go through a template;
/// after it, what bears no mark is the template's own and gets an alias under which the tokenizer
/// knows it, and the marks go. No tokenizer pass sees the difference between the rest and a text
/// without control tokens, so ids are those of the usual pipeline.
#[derive(Debug, Clone)]
pub(crate) struct ControlText {
    overlapping: AhoCorasick,
    longest: AhoCorasick,
    tokens: Vec<String>,
}

impl ControlText {
    pub(crate) fn new(tokens: Vec<String>) -> Result<Self, BuildError> {
        let overlapping = AhoCorasick::new(&tokens)?;
        let longest =
            AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&tokens)?;
        Ok(Self { overlapping, longest, tokens })
    }

    /// Marks what spells a control token in `content`, except the tokens in `genuine`.
    pub(crate) fn mark<'a>(
        &self,
        content: &'a str,
        genuine: impl Fn(&str) -> bool,
    ) -> Cow<'a, str> {
        let content = match content.contains(RESERVED_CHARS) {
            true => Cow::Owned(content.replace(RESERVED_CHARS, "\u{FFFD}")),
            false => Cow::Borrowed(content),
        };
        let mut starts: Vec<usize> = self
            .overlapping
            .find_overlapping_iter(content.as_ref())
            .filter(|found| !genuine(&self.tokens[found.pattern().as_usize()]))
            .map(|found| found.start())
            .collect();
        if starts.is_empty() {
            return content;
        }
        starts.sort_unstable();
        starts.dedup();
        let mut out = String::with_capacity(content.len() + starts.len() * MARK.len_utf8());
        let mut done = 0;
        for start in starts {
            out.push_str(&content[done..start]);
            out.push(MARK);
            done = start;
        }
        out.push_str(&content[done..]);
        Cow::Owned(out)
    }

    /// Writes the unmarked control tokens of a rendered text as aliases, and removes the marks.
    pub(crate) fn resolve(&self, rendered: &str) -> String {
        let mut out = String::with_capacity(rendered.len());
        let mut done = 0;
        for found in self.longest.find_iter(rendered) {
            let before = &rendered[done..found.start()];
            if before.ends_with(MARK) {
                continue;
            }
            out.extend(before.chars().filter(|c| *c != MARK));
            push_alias(&mut out, found.pattern().as_usize());
            done = found.end();
        }
        out.extend(rendered[done..].chars().filter(|c| *c != MARK));
        out
    }

    /// Every control token with its alias.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&str, String)> {
        self.tokens.iter().enumerate().map(|(index, token)| {
            let mut alias = String::new();
            push_alias(&mut alias, index);
            (token.as_str(), alias)
        })
    }
}

const RESERVED_CHARS: fn(char) -> bool = |c| RESERVED.contains(&c);

fn push_alias(out: &mut String, index: usize) {
    out.push(ALIAS_OPEN);
    out.push_str(&index.to_string());
    out.push(ALIAS_CLOSE);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text() -> ControlText {
        ControlText::new(["<a>", "<a><b>", "ab", "ba", "x"].map(String::from).into()).unwrap()
    }

    #[test]
    fn marked_text_stays_text_and_the_rest_becomes_aliases() {
        let check = |content: &str, want: &str| {
            let control = text();
            let rendered = format!("<a>{}x", control.mark(content, |_| false));
            assert_eq!(
                control.resolve(&rendered),
                format!("\u{FDD0}0\u{FDD1}{want}\u{FDD0}4\u{FDD1}")
            );
        };
        check("plain", "plain");
        check("<a>", "<a>");
        check("<a><b>", "<a><b>");
        check("aba", "aba");
        check("xx<<a>", "xx<<a>");
        check("\u{FDD0}0\u{FDD1}", "\u{FFFD}0\u{FFFD}");
        check("\u{FDD2}x", "\u{FFFD}x");
    }

    #[test]
    fn genuine_tokens_are_not_marked() {
        let control = text();
        let marked = control.mark("<a>x", |token| token == "<a>");
        assert_eq!(control.resolve(&marked), "\u{FDD0}0\u{FDD1}x");
    }

    proptest! {
        #[test]
        fn a_marked_content_comes_back_as_it_was(content in "[<>abx\\PC]{0,20}") {
            let control = text();
            prop_assert_eq!(control.resolve(&control.mark(&content, |_| false)), content);
        }
    }
}
