use thesis_core::{ParsedAnswer, StructureTag};
use tokenize::{Detokenizer, PromptFormat, SpecialTokens};

use crate::{ActionChoices, LmEvaluateError};

/// Text of answers, and where in them an action is named.
#[derive(Debug)]
pub struct AnswerReader<'f> {
    format: &'f PromptFormat,
    detokenizer: Detokenizer,
}

impl<'f> AnswerReader<'f> {
    /// A reader of what a model with this format writes.
    ///
    /// # Errors
    /// A tokenizer whose tokens have no bytes of their own.
    pub fn new(format: &'f PromptFormat) -> Result<Self, LmEvaluateError> {
        Ok(Self { format, detokenizer: Detokenizer::new(format.tokenizer())? })
    }

    /// The text of an answer, control tokens as they are named.
    pub fn text(&self, ids: &[u32]) -> String {
        let mut stream = self.detokenizer.stream(SpecialTokens::Keep);
        let mut text = String::new();
        for &id in ids {
            text.push_str(stream.push(id));
        }
        text.push_str(stream.finish());
        text
    }

    /// The five actions at the place where `answer` names its own; behind its last `<action>` where it names none, and
    /// behind its end and an `<action>` where it has no such tag.
    ///
    /// # Errors
    /// As [`ActionChoices::new`].
    pub fn choices(
        &self,
        answer: &str,
        parsed: &ParsedAnswer,
    ) -> Result<ActionChoices, LmEvaluateError> {
        ActionChoices::new(self.format, &before_action(answer, parsed))
    }
}

/// The text up to and with the `<action>` at which actions are compared.
fn before_action(answer: &str, parsed: &ParsedAnswer) -> String {
    let open = StructureTag::Action.open();
    let named = parsed.action_at.as_ref().and_then(|at| {
        let before = answer.get(..at.start)?.trim_end();
        before.ends_with(open).then_some(before)
    });
    let last = || answer.rfind(open).map(|at| &answer[..at + open.len()]);
    named.or_else(last).map_or_else(|| format!("{answer}{open}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use thesis_core::parse_answer;

    use super::*;

    #[test]
    fn where_actions_are_compared() {
        let check = |answer: &str, want: &str| {
            assert_eq!(before_action(answer, &parse_answer(answer)), want, "{answer}");
        };
        check("<action>BUY</action>", "<action>");
        check("a<action> BUY</action>b", "a<action>");
        check("a<action><BUY></action>", "a<action>");
        check("a<action>?</action>", "a<action>");
        check("a<action>", "a<action>");
        check("I would BUY", "I would BUY<action>");
        check("", "<action>");
    }
}
