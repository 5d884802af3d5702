use thesis_core::{AsOfDate, Record};

use crate::{Message, Role};

/// What a model is asked: a record without its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// What the model is asked to do.
    pub instruction: &'a str,
    /// What it is shown.
    pub input: &'a str,
    /// The day that a template's `strftime_now` tells.
    pub as_of_date: AsOfDate,
}

impl<'a> From<&'a Record> for Question<'a> {
    fn from(record: &'a Record) -> Self {
        let Record { instruction, input, as_of_date, .. } = record;
        Self { instruction, input, as_of_date: *as_of_date }
    }
}

/// Where a conversation puts its system text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemPlace {
    /// In a message of its own.
    OwnMessage,
    /// In front of the user's text: the template knows no system role.
    UserMessage,
}

/// The conversation that asks `question`.
///
/// The system text is `system_prompt`, else the instruction; the user's text is the input, with the
/// instruction in front of it where there is a system prompt. Empty parts are left out.
pub fn conversation(
    question: &Question<'_>,
    system_prompt: Option<&str>,
    place: SystemPlace,
) -> Vec<Message> {
    let Question { instruction, input, .. } = *question;
    let (system, user) = match system_prompt {
        Some(prompt) => (prompt, paragraphs(&[instruction, input])),
        None => (instruction, input.to_owned()),
    };
    match place {
        _ if system.is_empty() => vec![Message::new(Role::User, user)],
        SystemPlace::OwnMessage => {
            vec![Message::new(Role::System, system), Message::new(Role::User, user)]
        }
        SystemPlace::UserMessage => vec![Message::new(Role::User, paragraphs(&[system, &user]))],
    }
}

/// The prompt of a model without a chat template: every part, and an empty line after each.
pub(crate) fn plain_prompt(question: &Question<'_>, system_prompt: Option<&str>) -> String {
    let parts = [system_prompt.unwrap_or_default(), question.instruction, question.input];
    paragraphs(&parts) + "\n\n"
}

fn paragraphs(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_what() {
        let check = |system_prompt, place, want: &[(Role, &str)]| {
            let as_of_date = AsOfDate::parse("2021-01-04").unwrap();
            let question = Question { instruction: "do", input: "x", as_of_date };
            let got = conversation(&question, system_prompt, place);
            let want: Vec<_> = want.iter().map(|(role, text)| Message::new(*role, *text)).collect();
            assert_eq!(got, want);
        };
        check(None, SystemPlace::OwnMessage, &[(Role::System, "do"), (Role::User, "x")]);
        check(
            Some("be"),
            SystemPlace::OwnMessage,
            &[(Role::System, "be"), (Role::User, "do\n\nx")],
        );
        check(Some("be"), SystemPlace::UserMessage, &[(Role::User, "be\n\ndo\n\nx")]);
        check(None, SystemPlace::UserMessage, &[(Role::User, "do\n\nx")]);
        check(Some(""), SystemPlace::OwnMessage, &[(Role::User, "do\n\nx")]);
    }
}
