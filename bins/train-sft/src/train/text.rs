use std::path::Path;

use lora_train::ActionFinder;
use tokenize::{ModelFiles, PromptFormat, TokenizerFile, token_bytes, tokenizer_files};

use crate::check::{Checked, base_tokenizer, prompt_format};
use crate::config::SftConfig;

/// How the model reads and writes text: the tokenizer that its rows were made with.
pub(super) struct Text {
    files: ModelFiles,
    format: PromptFormat,
}

impl Text {
    /// The shards' tokenizer, else the base model's; `None`, with a warning, where there is none.
    pub(super) fn of(config: &SftConfig, checked: &Checked) -> Option<Self> {
        match Self::read(config, checked) {
            Ok(text) => Some(text),
            Err(error) => {
                tracing::warn!(
                    "no tokenizer, so no sample answers, no accuracy of actions, and none beside the adapter: {error:#}"
                );
                None
            }
        }
    }

    fn read(config: &SftConfig, checked: &Checked) -> anyhow::Result<Self> {
        let files = match &checked.tokenizer {
            Some(folder) => ModelFiles::read(folder)?,
            None => base_tokenizer(Path::new(&config.base_model))?,
        };
        let format = prompt_format(&files)?;
        Ok(Self { files, format })
    }

    pub(super) fn format(&self) -> &PromptFormat {
        &self.format
    }

    /// Ids at which an answer ends.
    pub(super) fn stop_ids(&self) -> Vec<u32> {
        let mut ids = self.files.stop_ids();
        let end = self.format.end_token().id;
        if !ids.contains(&end) {
            ids.push(end);
        }
        ids
    }

    /// What finds actions in answers; `None` for tokenizers whose tokens have no bytes of their own.
    pub(super) fn action_finder(&self) -> Option<ActionFinder> {
        let bytes = token_bytes(self.format.tokenizer()).ok()?;
        Some(ActionFinder::new(bytes.into_iter().map(Option::unwrap_or_default).collect()))
    }

    /// The tokenizer's files, as transformers loads them.
    pub(super) fn tokenizer_files(&self) -> anyhow::Result<Vec<TokenizerFile>> {
        Ok(tokenizer_files(&self.files, &self.format)?)
    }
}
