use std::fmt::Write as _;

use thesis_core::{Action, StructureTag};

use crate::Vocabulary;

/// The grammar of a completion as Lark text. A tag or an action that is a token of the vocabulary is
/// that token; else it is text, the action as its word.
///
/// A text between tags has no `<`, so that it cannot end itself, and something other than white space.
pub(crate) fn thesis_lark(vocabulary: Option<&Vocabulary>) -> String {
    let special = |name: &str| vocabulary.and_then(|vocabulary| vocabulary.special_token(name));
    let tag =
        |name: &str| special(name).map_or_else(|| format!("{name:?}"), |id| format!("<[{id}]>"));
    let actions = Action::ALL.map(|action| match special(action.token()) {
        Some(id) => format!("<[{id}]>"),
        // Without a vocabulary a text is checked, and both ways to write an action are right.
        None if vocabulary.is_none() => format!("{:?} | {:?}", action.token(), action.as_str()),
        None => format!("{:?}", action.as_str()),
    });
    let spaced = vocabulary.is_none_or(Vocabulary::begins_with_space);
    let mut lark = String::from("start:");
    for part in StructureTag::ALL {
        let content = if part == StructureTag::Action { "action" } else { "TEXT" };
        let open = match special(part.open()) {
            // The decoder takes the space off again.
            None if part == StructureTag::Reasoning && spaced => format!("/ ?{}/", part.open()),
            _ => tag(part.open()),
        };
        let _ = write!(lark, " {open} {content} {}", tag(part.close()));
    }
    let _ = write!(lark, "\naction: {}\n", actions.join(" | "));
    lark + r"TEXT: /[^<]*[^<\s][^<]*/" + "\n"
}
