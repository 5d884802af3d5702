use std::path::Path;

use lora_train::ActionFinder;
use run_manifest::{read_manifest, write_atomic};
use serde::Deserialize;
use tokenize::{
    ModelFiles, OnOverflow, PromptFormat, PromptOptions, PromptRecipe, TokenizerFile, token_bytes,
    tokenizer_files,
};

use crate::check::{Checked, base_tokenizer, prompt_format};
use crate::config::SftConfig;

/// How the model reads and writes text: the tokenizer that its rows were made with, and how.
pub(super) struct Text {
    files: ModelFiles,
    format: PromptFormat,
    recipe: PromptRecipe,
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
        let shards = config.shards.as_deref().filter(|_| config.dataset.is_none());
        if let Some(recipe) = shards.and_then(recipe_of_shards) {
            let format = PromptFormat::new(&files, &recipe.prompt)?;
            return Ok(Self { files, format, recipe });
        }
        let format = prompt_format(&files)?;
        let structure_tokens = format.structure_tokens();
        let prompt = PromptOptions { structure_tokens, ..PromptOptions::default() };
        Ok(Self { files, format, recipe: PromptRecipe { prompt, shortened_to: None } })
    }

    /// Writes the tokenizer's files and the recipe of the prompts into `folder`: what a model is asked with.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        for file in self.tokenizer_files()? {
            write_atomic(&folder.join(file.name), file.text.as_bytes())?;
        }
        let recipe = serde_json::to_string_pretty(&self.recipe)? + "\n";
        write_atomic(&folder.join(PromptRecipe::FILE), recipe.as_bytes())?;
        Ok(())
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
    fn tokenizer_files(&self) -> anyhow::Result<Vec<TokenizerFile>> {
        Ok(tokenizer_files(&self.files, &self.format)?)
    }
}

/// The settings of `tokenize-shards` that prompts follow from.
#[derive(Deserialize)]
struct ShardSettings {
    structure_tokens: tokenize::StructureTokens,
    system_prompt: Option<String>,
    end_token: Option<String>,
    template_variables: serde_json::Map<String, serde_json::Value>,
    max_length: usize,
    on_overflow: OnOverflow,
}

/// How the prompts of shards were made; `None` for those that `tokenize-shards` did not write.
fn recipe_of_shards(shards: &Path) -> Option<PromptRecipe> {
    let manifest = read_manifest(&shards.join("manifest.json")).ok()?;
    let settings: ShardSettings = serde_json::from_value(manifest.config).ok()?;
    let ShardSettings {
        structure_tokens,
        system_prompt,
        end_token,
        template_variables,
        max_length,
        on_overflow,
    } = settings;
    Some(PromptRecipe {
        prompt: PromptOptions { structure_tokens, system_prompt, end_token, template_variables },
        shortened_to: (on_overflow == OnOverflow::TruncateInput).then_some(max_length),
    })
}
