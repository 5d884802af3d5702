use std::ops::Range;

use crate::Action;

/// The actions that a text mentions.
#[derive(Debug)]
pub(super) enum Found {
    /// None.
    None,
    /// One, where it is first mentioned.
    One(Action, Range<usize>),
    /// Several different ones, none of them above the others.
    Several,
}

/// Words after which an action is a call and not a topic.
const CUES: [&str; 9] = [
    "action",
    "recommendation",
    "recommend",
    "rating",
    "rate",
    "verdict",
    "decision",
    "call",
    "conclusion",
];

/// Words that may stand between a cue and its action.
const FILLERS: [&str; 5] = ["is", "a", "an", "of", "as"];

struct Mention {
    action: Action,
    at: Range<usize>,
    /// 2 after a cue, 1 in capitals, else 0.
    weight: u8,
}

/// The action that the given parts of a text mention.
pub(super) fn find_action(text: &str, parts: &[Range<usize>]) -> Found {
    let mentions: Vec<Mention> =
        parts.iter().flat_map(|part| mentions(text, part.clone())).collect();
    let Some(heaviest) = mentions.iter().map(|mention| mention.weight).max() else {
        return Found::None;
    };
    let mut heaviest = mentions.into_iter().filter(|mention| mention.weight == heaviest);
    match heaviest.next() {
        Some(first) if heaviest.all(|other| other.action == first.action) => {
            Found::One(first.action, first.at)
        }
        _ => Found::Several,
    }
}

fn mentions(text: &str, part: Range<usize>) -> Vec<Mention> {
    let words = words(text, part);
    let mut found = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let pair = words.get(index + 1).and_then(|next| {
            let both = words[index].start..next.end;
            let between = &text[words[index].end..next.start];
            let is_gap = between.chars().all(|c| c.is_whitespace() || c == '-');
            plain_name(&text[both.clone()]).filter(|_| is_gap).zip(Some(both))
        });
        let single = || plain_name(&text[words[index].clone()]).zip(Some(words[index].clone()));
        if let Some((action, at)) = pair.clone().or_else(single) {
            let capitals = text[at.clone()].chars().all(|c| !c.is_lowercase());
            let weight = if follows_cue(text, &words[..index]) { 2 } else { u8::from(capitals) };
            found.push(Mention { action, at: with_brackets(text, at), weight });
        }
        index += if pair.is_some() { 2 } else { 1 };
    }
    found
}

fn words(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text[part.clone()].char_indices() {
        let (start, end) = (part.start + at, part.start + at + c.len_utf8());
        if c.is_alphanumeric() || c == '_' {
            match words.last_mut().filter(|last| last.end == start) {
                Some(last) => last.end = end,
                None => words.push(start..end),
            }
        }
    }
    words
}

/// One of the five names, in any case, `strong buy` with whatever between that is neither letter nor digit.
fn plain_name(text: &str) -> Option<Action> {
    let key: String =
        text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    match key.as_str() {
        "strongbuy" => Some(Action::StrongBuy),
        "buy" => Some(Action::Buy),
        "hold" => Some(Action::Hold),
        "sell" => Some(Action::Sell),
        "strongsell" => Some(Action::StrongSell),
        _ => None,
    }
}

fn follows_cue(text: &str, before: &[Range<usize>]) -> bool {
    let words = before.iter().rev().map(|word| text[word.clone()].to_ascii_lowercase());
    let mut words = words.skip_while(|word| FILLERS.contains(&word.as_str()));
    words.next().is_some_and(|word| CUES.contains(&word.as_str()))
}

/// Takes the angle brackets of an action's token in.
fn with_brackets(text: &str, at: Range<usize>) -> Range<usize> {
    let is_token = text[..at.start].ends_with('<') && text[at.end..].starts_with('>');
    if is_token { at.start - 1..at.end + 1 } else { at }
}
