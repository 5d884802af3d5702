use std::fmt;

/// Something about a model's files that a person should know before training.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// There is no chat template.
    NoTemplate,
    /// The template takes no system text of its own.
    SystemFolded,
    /// A full conversation has text between the generation prompt and the answer.
    AnswerPrefix {
        /// That text.
        text: String,
    },
    /// A full conversation does not begin with the generation prompt.
    PromptDiffers,
    /// Generation would not stop at the end token that is trained.
    EndNotInStopIds {
        /// The end token.
        token: String,
        /// Its id.
        id: u32,
        /// The ids at which generation stops.
        stop_ids: Vec<u32>,
    },
}

impl Note {
    /// Whether training goes on but its result may not work.
    pub const fn is_warning(&self) -> bool {
        matches!(self, Self::EndNotInStopIds { .. })
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTemplate => f.write_str(
                "the model has no chat template: a prompt is instruction and input, with an empty \
                 line after each",
            ),
            Self::SystemFolded => f.write_str(
                "the chat template takes no system message: its text stands in front of the user's",
            ),
            Self::AnswerPrefix { text } => write!(
                f,
                "in a full conversation the chat template writes {text:?} before the answer, but \
                 not in a generation prompt; training follows the generation prompt, as inference \
                 does"
            ),
            Self::PromptDiffers => f.write_str(
                "a full conversation does not begin with the generation prompt of the chat \
                 template; training follows the generation prompt, as inference does",
            ),
            Self::EndNotInStopIds { token, id, stop_ids } => write!(
                f,
                "answers end with `{token}` (id {id}), at which the model's generation_config.json \
                 does not stop (eos_token_id {stop_ids:?}); add it there, or generation runs on"
            ),
        }
    }
}
