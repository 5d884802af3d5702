use std::fmt;

use crate::{Action, CoreError};

/// What a model learns to write: reasoning, support and one action, between tags.
///
/// `Display` renders it, [`Completion::parse`] reads it back; `parse(render(x)) == x` for any text,
/// because a tag that occurs inside a text is written with `&lt;`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Why.
    pub reasoning: String,
    /// The points that carry it, joined by [`SUPPORT_SEPARATOR`].
    pub support: String,
    /// The call.
    pub action: Action,
}

/// Stands between the points of a support.
pub const SUPPORT_SEPARATOR: &str = " | ";

/// A tag of the completion grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructureTag {
    /// Around the reasoning.
    Reasoning,
    /// Around the supporting points.
    Support,
    /// Around the action.
    Action,
}

impl StructureTag {
    /// The tags in the order of a completion.
    pub const ALL: [Self; 3] = [Self::Reasoning, Self::Support, Self::Action];

    /// The opening tag.
    pub const fn open(self) -> &'static str {
        match self {
            Self::Reasoning => "<reasoning>",
            Self::Support => "<support>",
            Self::Action => "<action>",
        }
    }

    /// The closing tag.
    pub const fn close(self) -> &'static str {
        match self {
            Self::Reasoning => "</reasoning>",
            Self::Support => "</support>",
            Self::Action => "</action>",
        }
    }

    /// Everything that has a meaning of its own in a completion: the tags, opening before closing,
    /// then the tokens of the five actions.
    pub fn tokens() -> impl Iterator<Item = &'static str> {
        let tags = Self::ALL.into_iter().flat_map(|tag| [tag.open(), tag.close()]);
        tags.chain(Action::ALL.map(Action::token))
    }
}

impl Completion {
    /// Reads a completion that follows the grammar to the letter, but for white space between the
    /// parts. The action may stand there as its word or as its token.
    ///
    /// # Errors
    /// [`CoreError::Completion`] where a tag is missing, doubled or out of order, or where text
    /// stands outside of the tags; [`CoreError::Action`] where the action is unknown.
    pub fn parse(text: &str) -> Result<Self, CoreError> {
        let (reasoning, rest) = element(text, StructureTag::Reasoning)?;
        let (support, rest) = element(rest, StructureTag::Support)?;
        let (action, rest) = element(rest, StructureTag::Action)?;
        if !rest.trim().is_empty() {
            let reason = format!("text after `{}`", StructureTag::Action.close());
            return Err(CoreError::Completion { reason });
        }
        let action = match Action::ALL.into_iter().find(|a| a.token() == action.trim()) {
            Some(action) => action,
            None => action.parse()?,
        };
        Ok(Self { reasoning: unescape(reasoning), support: unescape(support), action })
    }

    /// Writes the completion, with `action` as the text between the action tags.
    pub fn render_with(&self, action: &str) -> String {
        use StructureTag::{Action, Reasoning, Support};
        let (reasoning, support) = (escape(&self.reasoning), escape(&self.support));
        [
            Reasoning.open(),
            &reasoning,
            Reasoning.close(),
            Support.open(),
            &support,
            Support.close(),
            Action.open(),
            action,
            Action.close(),
        ]
        .concat()
    }
}

impl fmt::Display for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render_with(self.action.as_str()))
    }
}

/// The text of the element that `text` begins with, and what follows it.
fn element(text: &str, tag: StructureTag) -> Result<(&str, &str), CoreError> {
    let missing = |part: &str| CoreError::Completion { reason: format!("`{part}` is missing") };
    let inner = text.trim_start().strip_prefix(tag.open()).ok_or_else(|| missing(tag.open()))?;
    let (inner, rest) = inner.split_once(tag.close()).ok_or_else(|| missing(tag.close()))?;
    match StructureTag::ALL.iter().flat_map(|t| [t.open(), t.close()]).find(|t| inner.contains(t)) {
        Some(nested) => {
            let reason = format!("`{nested}` inside of `{}`", tag.open());
            Err(CoreError::Completion { reason })
        }
        None => Ok((inner, rest)),
    }
}

/// Writes `<` as `&lt;` where it begins a structure token, and one `amp;` more where that escape
/// stood in the text already, so that [`unescape`] gives back the same text.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if StructureTag::tokens().any(|token| rest.starts_with(token)) {
            out.push_str("&lt;");
        } else if escaped_token(rest).is_some() {
            out.push_str("&amp;");
        } else {
            out.push_str(&rest[..1]);
        }
        rest = &rest[1..];
    }
    out.push_str(rest);
    out
}

pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (literal, skip) = match escaped_token(rest) {
            Some(0) => ("<", "&lt;".len()),
            Some(_) => ("&", "&amp;".len()),
            None => ("&", 1),
        };
        out.push_str(literal);
        rest = &rest[skip..];
    }
    out.push_str(rest);
    out
}

/// How many `amp;` the escaped structure token at the beginning of `text` has.
fn escaped_token(text: &str) -> Option<usize> {
    let mut rest = text.strip_prefix('&')?;
    let mut levels = 0;
    while let Some(next) = rest.strip_prefix("amp;") {
        rest = next;
        levels += 1;
    }
    let body = rest.strip_prefix("lt;")?;
    StructureTag::tokens().any(|token| body.starts_with(&token[1..])).then_some(levels)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_form_that_records_hold() {
        let completion = Completion {
            reasoning: "Price < SMA & falling.".into(),
            support: "a | b".into(),
            action: Action::Sell,
        };
        let text = "<reasoning>Price < SMA & falling.</reasoning><support>a | b</support><action>SELL</action>";
        assert_eq!(completion.to_string(), text);
        assert_eq!(Completion::parse(text).unwrap(), completion);
        let token = text.replace("SELL", "<SELL>");
        assert_eq!(Completion::parse(&format!(" {token}\n")).unwrap(), completion);
    }

    #[test]
    fn a_tag_inside_a_text_cannot_end_it() {
        let reasoning = "see </reasoning><action>BUY</action> and &lt;BUY> &amp;lt;BUY> &lt;b>";
        let completion = Completion {
            reasoning: reasoning.into(),
            support: String::new(),
            action: Action::Hold,
        };
        let text = completion.to_string();
        assert_eq!(text.matches("</reasoning>").count(), 1);
        assert!(!text.contains("<BUY>"));
        assert_eq!(Completion::parse(&text).unwrap(), completion);
    }

    #[test]
    fn what_breaks_the_grammar_is_named() {
        let check = |text: &str, want: &str| {
            let error = Completion::parse(text).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        };
        check("", "`<reasoning>` is missing");
        check("<reasoning>a<support></support><action>BUY</action>", "`</reasoning>` is missing");
        check("<reasoning>a</reasoning><action>BUY</action>", "`<support>` is missing");
        check(
            "<reasoning>a</reasoning><support></support><action>?</action>",
            "unknown action `?`",
        );
        check(
            "<reasoning>a<reasoning>b</reasoning><support></support><action>BUY</action>",
            "`<reasoning>` inside of `<reasoning>`",
        );
        check("<reasoning></reasoning><support></support><action>BUY</action>BUY", "text after");
    }

    proptest! {
        #[test]
        fn parse_of_render_is_the_identity(
            reasoning in text_with_tags(), support in text_with_tags(), action in 0..5_usize,
        ) {
            let completion = Completion { reasoning, support, action: Action::ALL[action] };
            prop_assert_eq!(&Completion::parse(&completion.to_string()).unwrap(), &completion);
            let token = completion.render_with(completion.action.token());
            prop_assert_eq!(Completion::parse(&token).unwrap(), completion);
        }
    }

    fn text_with_tags() -> impl Strategy<Value = String> {
        let mut pieces: Vec<String> =
            ["&", "<", "amp;", "lt;", "reasoning>", "</", " ", "é"].map(String::from).into();
        pieces.extend(StructureTag::tokens().map(String::from));
        prop::collection::vec(prop_oneof![prop::sample::select(pieces), "\\PC{0,6}"], 0..12)
            .prop_map(|pieces| pieces.concat())
    }
}
