use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thesis_core::{Completion, StructureTag};
use tokenizers::{AddedToken, Tokenizer};

use crate::end_token::find_end_token;
use crate::load_tokenizer::{NAMED_TOKENS, add_tokens, load_tokenizer};
use crate::question::plain_prompt;
use crate::template_trial::{TemplateTrial, try_template};
use crate::text_tokenizer::TextTokenizer;
use crate::{
    ChatTemplate, EndToken, Example, ModelFiles, Note, Question, StructureTokens, SystemPlace,
    TokenizeError, conversation,
};

/// What a prompt format leaves to its user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromptOptions {
    /// How tags and actions are written.
    pub structure_tokens: StructureTokens,
    /// The system text; without it the record's instruction takes that place.
    pub system_prompt: Option<String>,
    /// The token that ends an answer, where the one found is not wanted.
    pub end_token: Option<String>,
    /// Variables of the chat template, such as `enable_thinking`.
    pub template_variables: Map<String, Value>,
}

/// How a model is asked, and how it answers, in token ids.
///
/// Training and inference share it, so that a prompt is the same in both. Prompt and answer are
/// tokenized apart: no token spans the boundary. Text that spells a control token stays text.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tokenizers/bpe"));
/// use thesis_core::AsOfDate;
/// use tokenize::{ModelFiles, PromptFormat, PromptOptions, Question};
///
/// let format = PromptFormat::new(&ModelFiles::read(folder)?, &PromptOptions::default())?;
/// let question = Question {
///     instruction: "Call it.",
///     input: "RSI(14)=54.9",
///     as_of_date: AsOfDate::parse("2021-01-04")?,
/// };
/// let prompt = format.prompt_ids(&question)?;
/// assert!(format.decode(&prompt)?.ends_with("<|im_start|>assistant\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PromptFormat {
    text: TextTokenizer,
    template: Option<ChatTemplate>,
    place: SystemPlace,
    system_prompt: Option<String>,
    structure_tokens: StructureTokens,
    prefix: Vec<u32>,
    end_token: EndToken,
    pad_id: u32,
    notes: Vec<Note>,
}

impl PromptFormat {
    /// Builds the format of a model.
    ///
    /// # Errors
    /// Files that are damaged or contradict each other, a template that does not compile or refuses
    /// any conversation, and a model without an end token: each has its [`TokenizeError`].
    pub fn new(files: &ModelFiles, options: &PromptOptions) -> Result<Self, TokenizeError> {
        let PromptOptions { structure_tokens, system_prompt, end_token, template_variables } =
            options;
        let mut tokenizer = load_tokenizer(files)?;
        if *structure_tokens == StructureTokens::Added {
            add_tokens(&mut tokenizer, StructureTag::tokens())?;
        }
        let template = chat_template(files, template_variables)?;
        let trial = template.as_ref().map(try_template).transpose()?;
        let after_answer = trial.as_ref().and_then(|trial| trial.after_answer.as_deref());
        let end_token = find_end_token(&tokenizer, files, end_token.as_deref(), after_answer)?;
        let pad = ["pad_token", "eos_token"]
            .iter()
            .find_map(|key| files.named_token(key).and_then(|token| tokenizer.token_to_id(token)));
        let notes = notes(files, trial.as_ref(), &end_token);
        let source = files.chat_template.as_deref().unwrap_or_default();
        let unknown = files.named_token("unk_token");
        let text = TextTokenizer::new(tokenizer, |token| has_meaning(token, source), unknown)?;
        let prefix = if template.is_some() { Vec::new() } else { text.prefix()? };
        Ok(Self {
            text,
            template,
            place: trial.map_or(SystemPlace::OwnMessage, |trial| trial.place),
            system_prompt: system_prompt.clone(),
            structure_tokens: *structure_tokens,
            prefix,
            pad_id: pad.unwrap_or(end_token.id),
            end_token,
            notes,
        })
    }

    /// The ids of a prompt, up to where the answer begins.
    ///
    /// # Errors
    /// [`TokenizeError::TemplateRender`] where the template refuses this conversation,
    /// [`TokenizeError::Encode`] where the tokenizer fails.
    pub fn prompt_ids(&self, question: &Question<'_>) -> Result<Vec<u32>, TokenizeError> {
        let ids = self.text.encode_marked(&self.marked_prompt(question)?)?;
        Ok(if self.prefix.is_empty() { ids } else { [&*self.prefix, &ids].concat() })
    }

    /// The ids of an answer with its end token; `output` as a record holds it.
    ///
    /// # Errors
    /// [`TokenizeError::NoTarget`] for an empty output, [`TokenizeError::Output`] for one that does
    /// not follow the grammar where structure tokens are wanted, [`TokenizeError::Encode`] where
    /// the tokenizer fails.
    pub fn target_ids(&self, output: &str) -> Result<Vec<u32>, TokenizeError> {
        if output.trim().is_empty() {
            return Err(TokenizeError::NoTarget);
        }
        let control = self.text.control();
        let marked = match self.structure_tokens {
            StructureTokens::Added => {
                let text = self.answer_text(output)?;
                control.mark(&text, is_structure).into_owned()
            }
            StructureTokens::Plain => control.mark(output, |_| false).into_owned(),
        };
        let mut ids = self.text.encode_marked(&marked)?;
        ids.push(self.end_token.id);
        Ok(ids)
    }

    /// The ids of the beginning of an answer, or of any that a model may have written: tags and actions are single tokens
    /// where they are in targets, whether or not the text follows the grammar. No end token follows.
    ///
    /// # Errors
    /// [`TokenizeError::Encode`] where the tokenizer fails.
    pub fn answer_ids(&self, text: &str) -> Result<Vec<u32>, TokenizeError> {
        let added = self.structure_tokens == StructureTokens::Added;
        let genuine = |token: &str| added && is_structure(token);
        self.text.encode_marked(&self.text.control().mark(text, genuine))
    }

    /// The ids of a text in which nothing is a control token.
    ///
    /// # Errors
    /// [`TokenizeError::Encode`] where the tokenizer fails.
    pub fn text_ids(&self, text: &str) -> Result<Vec<u32>, TokenizeError> {
        self.text.encode_marked(&self.text.control().mark(text, |_| false))
    }

    /// Prompt and answer of a record.
    ///
    /// # Errors
    /// As [`PromptFormat::prompt_ids`] and [`PromptFormat::target_ids`].
    pub fn example(&self, question: &Question<'_>, output: &str) -> Result<Example, TokenizeError> {
        Ok(Example { prompt: self.prompt_ids(question)?, target: self.target_ids(output)? })
    }

    /// The text that a model writes for `output`: with structure tokens, the action as its token.
    ///
    /// # Errors
    /// [`TokenizeError::Output`] as in [`PromptFormat::target_ids`].
    pub fn answer_text(&self, output: &str) -> Result<String, TokenizeError> {
        match self.structure_tokens {
            StructureTokens::Plain => Ok(output.to_owned()),
            StructureTokens::Added => {
                let completion =
                    Completion::parse(output).map_err(|source| TokenizeError::Output { source })?;
                Ok(completion.render_with(completion.action.token()))
            }
        }
    }

    /// The text of `ids`, control tokens included.
    ///
    /// # Errors
    /// [`TokenizeError::Encode`] where the tokenizer's decoder fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, TokenizeError> {
        self.text.decode(ids)
    }

    /// The token that ends an answer; generation must stop there.
    pub fn end_token(&self) -> &EndToken {
        &self.end_token
    }

    /// What fills rows: the tokenizer's `pad_token`, else its `eos_token`, else the end token.
    pub fn pad_id(&self) -> u32 {
        self.pad_id
    }

    /// How tags and actions are written.
    pub fn structure_tokens(&self) -> StructureTokens {
        self.structure_tokens
    }

    /// What a person should know about the model's files.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The tokenizer with the tokens that were added.
    pub fn tokenizer(&self) -> &Tokenizer {
        self.text.tokenizer()
    }

    fn marked_prompt(&self, question: &Question<'_>) -> Result<String, TokenizeError> {
        let system_prompt = self.system_prompt.as_deref();
        let control = self.text.control();
        let Some(template) = &self.template else {
            let prompt = plain_prompt(question, system_prompt);
            return Ok(control.mark(&prompt, |_| false).into_owned());
        };
        let mut messages = conversation(question, system_prompt, self.place);
        for message in &mut messages {
            if let std::borrow::Cow::Owned(marked) = control.mark(&message.content, |_| false) {
                message.content = marked;
            }
        }
        template.render(&messages, true, question.as_of_date)
    }
}

/// Compiles the model's template, with the tokens that its files name in scope.
fn chat_template(
    files: &ModelFiles,
    variables: &Map<String, Value>,
) -> Result<Option<ChatTemplate>, TokenizeError> {
    let Some(source) = &files.chat_template else {
        return Ok(None);
    };
    let named = NAMED_TOKENS.iter().filter_map(|key| {
        files.named_token(key).map(|token| ((*key).to_owned(), Value::from(token)))
    });
    let scope = named.chain(variables.clone()).collect();
    ChatTemplate::new(source, scope).map(Some)
}

/// Whether a token that is not special has a meaning of its own all the same: it belongs to the
/// answer's grammar, or the template writes it, as Qwen's does with `<think>`.
fn has_meaning(token: &AddedToken, template: &str) -> bool {
    let text = token.content.as_str();
    let bracketed = text.starts_with(['<', '[']) && text.ends_with(['>', ']']);
    is_structure(text) || (bracketed && template.contains(text))
}

fn is_structure(token: &str) -> bool {
    StructureTag::tokens().any(|known| known == token)
}

fn notes(files: &ModelFiles, trial: Option<&TemplateTrial>, end_token: &EndToken) -> Vec<Note> {
    let mut notes = Vec::new();
    match trial {
        None => notes.push(Note::NoTemplate),
        Some(TemplateTrial { place, after_answer, before_answer }) => {
            if *place == SystemPlace::UserMessage {
                notes.push(Note::SystemFolded);
            }
            match before_answer.as_deref().map(str::trim) {
                Some("") => {}
                Some(_) => {
                    notes.extend(before_answer.clone().map(|text| Note::AnswerPrefix { text }));
                }
                None if after_answer.is_some() => notes.push(Note::PromptDiffers),
                None => {}
            }
        }
    }
    let stop_ids = files.stop_ids();
    if !stop_ids.is_empty() && !stop_ids.contains(&end_token.id) {
        let EndToken { id, text, .. } = end_token.clone();
        notes.push(Note::EndNotInStopIds { token: text, id, stop_ids });
    }
    notes
}
