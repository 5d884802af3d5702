use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::completion::unescape;
use crate::{Action, Completion, StructureTag};

mod mention;

use mention::{Found, find_action};

/// How much of the completion grammar an answer kept; best first, and of several faults the worst
/// is named. What is after [`Self::ActionInProse`] has no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AnswerOutcome {
    /// [`Completion::parse`] reads it.
    Valid,
    /// All six tags are in their places, and there is text before, between or after the elements.
    TextOutside,
    /// All six tags occur once, but not in the order of the grammar.
    TagOrder,
    /// An opening tag is missing, with its closing tag or without.
    MissingTag,
    /// A tag was opened and never closed, as where an answer was cut off.
    UnclosedTag,
    /// A tag occurs twice or more. Where actions in several elements differ, it is
    /// [`Self::AmbiguousAction`].
    DoubledTag,
    /// The action was found in a sentence, between the action tags or without any.
    ActionInProse,
    /// Several different actions, and nothing that says which one counts.
    AmbiguousAction,
    /// Between the action tags is something that is no action.
    UnknownAction,
    /// No action anywhere.
    NoAction,
    /// Nothing but white space.
    Empty,
}

impl AnswerOutcome {
    /// All outcomes, best first.
    pub const ALL: [Self; 11] = [
        Self::Valid,
        Self::TextOutside,
        Self::TagOrder,
        Self::MissingTag,
        Self::UnclosedTag,
        Self::DoubledTag,
        Self::ActionInProse,
        Self::AmbiguousAction,
        Self::UnknownAction,
        Self::NoAction,
        Self::Empty,
    ];

    /// The name, as reports and tables write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::TextOutside => "text_outside",
            Self::TagOrder => "tag_order",
            Self::MissingTag => "missing_tag",
            Self::UnclosedTag => "unclosed_tag",
            Self::DoubledTag => "doubled_tag",
            Self::ActionInProse => "action_in_prose",
            Self::AmbiguousAction => "ambiguous_action",
            Self::UnknownAction => "unknown_action",
            Self::NoAction => "no_action",
            Self::Empty => "empty",
        }
    }

    /// What it means, in a few words for a reader of a report.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Valid => "all tags in their places and a known action",
            Self::TextOutside => "text outside of the tags",
            Self::TagOrder => "tags out of order",
            Self::MissingTag => "an opening tag is missing",
            Self::UnclosedTag => "a tag was never closed",
            Self::DoubledTag => "a tag occurs more than once",
            Self::ActionInProse => "the action stands in a sentence",
            Self::AmbiguousAction => "several different actions",
            Self::UnknownAction => "no known action between the action tags",
            Self::NoAction => "no action anywhere",
            Self::Empty => "nothing was written",
        }
    }
}

impl fmt::Display for AnswerOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What could be read of a model's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParsedAnswer {
    /// How much of the grammar it kept.
    pub outcome: AnswerOutcome,
    /// The text after the first opening tag of the reasoning, up to its closing tag or whatever tag
    /// comes next; `None` without that tag.
    pub reasoning: Option<String>,
    /// The support, read likewise.
    pub support: Option<String>,
    /// The action, where one could be read.
    pub action: Option<Action>,
    /// The bytes of the answer that name the action; those of a token with its angle brackets.
    pub action_at: Option<Range<usize>>,
}

/// Reads whatever a model answered. [`AnswerOutcome::Valid`] exactly where [`Completion::parse`]
/// succeeds, with the same texts; anything else is read as far as it can be.
///
/// An action is looked for between the action tags first: the whole text there (of an element that is
/// never closed, its first line), then a mention in it. Without action tags it is looked for in
/// what is outside of closed reasoning and support. In prose only the five plain names count, in any
/// case, with a space, hyphen or underscore in `strong buy`. Mentions right after a word such as
/// `action` or `recommendation` win over those in capitals, and these over others; if the best ones
/// differ, there is no action. Negations are not understood.
pub fn parse_answer(text: &str) -> ParsedAnswer {
    if let Ok(completion) = Completion::parse(text) {
        let action_at = element(text, StructureTag::Action).map(|inner| trimmed(text, inner));
        return ParsedAnswer {
            outcome: AnswerOutcome::Valid,
            reasoning: Some(completion.reasoning),
            support: Some(completion.support),
            action: Some(completion.action),
            action_at,
        };
    }
    let (found, fault) = read_action(text);
    let (outcome, action) = match found {
        Found::One(action, at) => (fault.unwrap_or_else(|| tag_fault(text)), Some((action, at))),
        Found::Several => (AnswerOutcome::AmbiguousAction, None),
        Found::None if text.trim().is_empty() => (AnswerOutcome::Empty, None),
        Found::None => (fault.unwrap_or(AnswerOutcome::NoAction), None),
    };
    let part = |tag| element(text, tag).map(|inner| unescape(&text[inner]));
    ParsedAnswer {
        outcome,
        reasoning: part(StructureTag::Reasoning),
        support: part(StructureTag::Support),
        action: action.as_ref().map(|(action, _)| *action),
        action_at: action.map(|(_, at)| at),
    }
}

/// The action, and what to call the answer if that is not for its tags to say.
fn read_action(text: &str) -> (Found, Option<AnswerOutcome>) {
    let elements = action_elements(text);
    if elements.is_empty() {
        return match find_action(text, &prose(text)) {
            Found::None => (Found::None, None),
            found => (found, Some(AnswerOutcome::ActionInProse)),
        };
    }
    let mut outright = elements.iter().filter_map(|inner| whole_action(text, inner.clone()));
    if let Some((action, at)) = outright.next() {
        let all_agree = outright.all(|(other, _)| other == action);
        return (if all_agree { Found::One(action, at) } else { Found::Several }, None);
    }
    match find_action(text, &elements) {
        Found::None if elements.iter().all(|inner| text[inner.clone()].trim().is_empty()) => {
            (Found::None, None)
        }
        Found::None => (Found::None, Some(AnswerOutcome::UnknownAction)),
        found => (found, Some(AnswerOutcome::ActionInProse)),
    }
}

/// The texts of all action elements, also of those that lack their beginning or end.
fn action_elements(text: &str) -> Vec<Range<usize>> {
    let (open, close) = (StructureTag::Action.open(), StructureTag::Action.close());
    let tags = tags(text);
    let mut elements = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        if &text[tag.clone()] == open {
            elements.push(tag.end..tags.get(index + 1).map_or(text.len(), |next| next.start));
        } else if &text[tag.clone()] == close {
            let before = index.checked_sub(1).map(|before| tags[before].clone());
            if before.as_ref().is_none_or(|before| &text[before.clone()] != open) {
                elements.push(before.map_or(0, |before| before.end)..tag.start);
            }
        }
    }
    elements
}

/// The action that an element's text is, or the first line of one that no closing tag ends.
fn whole_action(text: &str, inner: Range<usize>) -> Option<(Action, Range<usize>)> {
    let at = trimmed(text, inner.clone());
    if let Some(action) = one_action(&text[at.clone()]) {
        return Some((action, at));
    }
    if text[inner.end..].starts_with(StructureTag::Action.close()) {
        return None;
    }
    let line = text[at.clone()].lines().next().map_or(0, str::len);
    let at = trimmed(text, at.start..at.start + line);
    one_action(&text[at.clone()]).map(|action| (action, at))
}

fn one_action(text: &str) -> Option<Action> {
    Action::ALL.into_iter().find(|action| action.token() == text).or_else(|| text.parse().ok())
}

/// What is outside of reasoning and support that were closed.
fn prose(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    let closed = |tag: StructureTag| {
        let start = text.find(tag.open())?;
        let length = text[start..].find(tag.close())?;
        Some(start..start + length + tag.close().len())
    };
    let mut parts: Vec<Range<usize>> =
        [StructureTag::Reasoning, StructureTag::Support].into_iter().filter_map(closed).collect();
    parts.sort_by_key(|part| part.start);
    for part in parts {
        if part.start > at {
            ranges.push(at..part.start);
        }
        at = at.max(part.end);
    }
    ranges.push(at..text.len());
    ranges
}

/// The worst fault of an answer's tags.
fn tag_fault(text: &str) -> AnswerOutcome {
    let found: Vec<&str> = tags(text).into_iter().map(|tag| &text[tag]).collect();
    let count = |tag: &str| found.iter().filter(|other| **other == tag).count();
    let grammar = StructureTag::ALL.map(|tag| [tag.open(), tag.close()]);
    if grammar.iter().flatten().any(|tag| count(tag) > 1) {
        AnswerOutcome::DoubledTag
    } else if grammar.iter().any(|[open, close]| count(open) == 1 && count(close) == 0) {
        AnswerOutcome::UnclosedTag
    } else if found.len() < 6 {
        AnswerOutcome::MissingTag
    } else if !found.iter().eq(grammar.iter().flatten()) {
        AnswerOutcome::TagOrder
    } else {
        AnswerOutcome::TextOutside
    }
}

/// The text of the first element of a kind, up to its closing tag or whatever tag comes next.
fn element(text: &str, tag: StructureTag) -> Option<Range<usize>> {
    let tags = tags(text);
    let index = tags.iter().position(|at| &text[at.clone()] == tag.open())?;
    let end = tags.get(index + 1).map_or(text.len(), |next| next.start);
    Some(tags[index].end..end)
}

/// Where the tags are, in order.
fn tags(text: &str) -> Vec<Range<usize>> {
    let grammar = StructureTag::ALL.map(|tag| [tag.open(), tag.close()]);
    let tag_at = |(at, _): (usize, &str)| {
        let tag = grammar.iter().flatten().find(|tag| text[at..].starts_with(**tag))?;
        Some(at..at + tag.len())
    };
    text.match_indices('<').filter_map(tag_at).collect()
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = &text[range.clone()];
    let start = range.start + (inner.len() - inner.trim_start().len());
    start..start + inner.trim().len()
}

#[cfg(test)]
mod tests;
