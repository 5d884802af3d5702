use thesis_core::AsOfDate;

use crate::control_text::PROBE;
use crate::{ChatTemplate, Message, Role, SystemPlace, TokenizeError};

/// What a template does with a conversation, found out by rendering one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateTrial {
    /// Where it takes the system text.
    pub(crate) place: SystemPlace,
    /// What it writes after the assistant's text; `None` where it refuses to show one.
    pub(crate) after_answer: Option<String>,
    /// What it writes between the generation prompt and the assistant's text; `None` where a full
    /// conversation does not begin with the generation prompt.
    pub(crate) before_answer: Option<String>,
}

/// Tries out a template.
///
/// # Errors
/// [`TokenizeError::TemplateRender`] and [`TokenizeError::TemplateDropsText`] where no conversation
/// of a system and a user text gets through.
pub(crate) fn try_template(template: &ChatTemplate) -> Result<TemplateTrial, TokenizeError> {
    let (system, user, answer) = (format!("{PROBE}s"), format!("{PROBE}u"), format!("{PROBE}a"));
    let today = AsOfDate::new(chrono::NaiveDate::default());
    let own = vec![Message::new(Role::System, &*system), Message::new(Role::User, &*user)];
    let (place, mut messages, prompt) = match template.render(&own, true, today) {
        Ok(prompt) if prompt.contains(&system) && prompt.contains(&user) => {
            (SystemPlace::OwnMessage, own, prompt)
        }
        // It raises on the role, or it drops the text in silence.
        _ => {
            let folded = vec![Message::new(Role::User, format!("{system}\n\n{user}"))];
            let prompt = template.render(&folded, true, today)?;
            if !(prompt.contains(&system) && prompt.contains(&user)) {
                return Err(TokenizeError::TemplateDropsText { role: Role::User.as_str() });
            }
            (SystemPlace::UserMessage, folded, prompt)
        }
    };
    messages.push(Message::new(Role::Assistant, &*answer));
    let Ok(full) = template.render(&messages, false, today) else {
        return Ok(TemplateTrial { place, after_answer: None, before_answer: None });
    };
    let Some((before, after)) = full.rsplit_once(&answer) else {
        return Err(TokenizeError::TemplateDropsText { role: Role::Assistant.as_str() });
    };
    let before_answer = before.strip_prefix(&prompt).map(str::to_owned);
    Ok(TemplateTrial { place, after_answer: Some(after.to_owned()), before_answer })
}
