use std::path::Path;

use lora_train::ActionFinder;
use thesis_core::StructureTag;
use tokenize::{
    ModelFiles, PromptFormat, PromptOptions, StructureTokens, TokenizerFile, token_bytes,
    tokenizer_files,
};

use crate::check::{Checked, base_tokenizer};
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
        let with =
            |structure_tokens| PromptOptions { structure_tokens, ..PromptOptions::default() };
        let plain = PromptFormat::new(&files, &with(StructureTokens::Plain))?;
        let has = |token| plain.tokenizer().token_to_id(token).is_some();
        let format = match StructureTag::tokens().all(has) {
            true => PromptFormat::new(&files, &with(StructureTokens::Added))?,
            false => plain,
        };
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
