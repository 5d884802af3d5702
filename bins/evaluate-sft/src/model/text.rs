use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use run_manifest::{FileEntry, digest_bytes, read_manifest};
use serde_json::Value;
use stage_cli::Hint;
use thesis_core::StructureTag;
use tokenize::{ModelFiles, PromptFormat, PromptOptions, PromptRecipe, StructureTokens};

use super::Found;
use crate::config::EvalConfig;

/// How a model is asked, as training did it.
#[derive(Debug)]
pub(crate) struct ModelText {
    pub(crate) format: PromptFormat,
    /// Tokens of prompt and answer together to which inputs are shortened.
    pub(crate) shortened_to: Option<usize>,
    files: ModelFiles,
    recipe: PromptRecipe,
}

impl ModelText {
    /// The tokenizer and the recipe of the prompts that lie with the model; what is not there is taken from its base.
    ///
    /// # Errors
    /// No tokenizer anywhere, files that are damaged.
    pub(crate) fn read(found: &Found, config: &EvalConfig) -> anyhow::Result<Self> {
        let folder = found.text.iter().find(|folder| folder.join("tokenizer.json").is_file());
        let files = match folder {
            Some(folder) => with_base(ModelFiles::read(folder)?, found),
            None => ModelFiles::read(&found.weights).with_context(|| {
                format!("cannot read the tokenizer of {}", found.weights.display())
            })?,
        };
        let recipe = match &config.prompt {
            Some(prompt) => PromptRecipe { prompt: prompt.clone(), shortened_to: None },
            None => match recorded(folder.map(PathBuf::as_path), found)? {
                Some(recipe) => recipe,
                None => guessed(&files)?,
            },
        };
        let format = PromptFormat::new(&files, &recipe.prompt)
            .hint("`prompt` in the settings says how prompts are made where training does not")?;
        Ok(Self { format, shortened_to: recipe.shortened_to, files, recipe })
    }

    /// Ids at which an answer ends: those of the model's files, and the token that its template ends a turn with.
    pub(crate) fn stop_ids(&self) -> Vec<u32> {
        let mut ids = self.files.stop_ids();
        let end = self.format.end_token().id;
        if !ids.contains(&end) {
            ids.push(end);
        }
        ids
    }

    /// That a model of `vocab_size` tokens can be asked so.
    ///
    /// # Errors
    /// An added token that the model has no row for.
    pub(crate) fn fits(&self, vocab_size: usize) -> anyhow::Result<()> {
        let added = self.format.tokenizer().get_added_tokens_decoder();
        let beyond = added.iter().filter(|(id, _)| **id as usize >= vocab_size);
        let Some((id, token)) = beyond.min_by_key(|(id, _)| **id) else { return Ok(()) };
        // Tokens of the base that it has no row for either are written by nobody.
        let is_structure = StructureTag::tokens().any(|known| known == token.content);
        if !is_structure || self.format.structure_tokens() == StructureTokens::Plain {
            return Ok(());
        }
        Err(anyhow!(
            "the tokenizer has `{}` with id {id}, and the model's embedding ends at {}",
            token.content,
            vocab_size.saturating_sub(1)
        ))
        .hint("the tokenizer is another model's: was the adapter copied without its base, or --base-model mistaken?")
    }

    /// What prompts follow from, for a manifest.
    pub(crate) fn digest(&self) -> anyhow::Result<FileEntry> {
        let Self { files, recipe, .. } = self;
        let texts = serde_json::json!({
            "tokenizer": digest_bytes(files.tokenizer.as_bytes()),
            "config": files.config,
            "chat_template": files.chat_template,
            "special_tokens": files.special_tokens,
            "generation": files.generation,
            "recipe": recipe,
        });
        let text = texts.to_string();
        let path = files.path.to_string_lossy().into_owned();
        Ok(FileEntry { path, bytes: text.len() as u64, digest: digest_bytes(text.as_bytes()) })
    }
}

/// What the adapter's files do not say, the base's do.
fn with_base(mut files: ModelFiles, found: &Found) -> ModelFiles {
    if let (Some(_), Ok(base)) = (&found.adapter, ModelFiles::read(&found.weights)) {
        files.chat_template = files.chat_template.or(base.chat_template);
        files.generation = files.generation.or(base.generation);
    }
    files
}

/// What a run says about its prompts: `prompt.json`, else the settings of the shards that it read.
fn recorded(folder: Option<&Path>, found: &Found) -> anyhow::Result<Option<PromptRecipe>> {
    let path = folder.map(|folder| folder.join(PromptRecipe::FILE));
    if let Some(path) = path.filter(|path| path.is_file()) {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let recipe = serde_json::from_str(&text)
            .with_context(|| format!("{} does not say how prompts are made", path.display()))?;
        return Ok(Some(recipe));
    }
    let trained = found.trained_with.as_ref().filter(|trained| trained.dataset.is_none());
    let Some(shards) = trained.and_then(|trained| trained.shards.as_ref()) else { return Ok(None) };
    let Ok(manifest) = read_manifest(&shards.join("manifest.json")) else { return Ok(None) };
    Ok(of_shard_settings(manifest.config))
}

fn of_shard_settings(settings: Value) -> Option<PromptRecipe> {
    let keys = ["structure_tokens", "system_prompt", "end_token", "template_variables"];
    let pick = |key: &str| Some((key.to_owned(), settings.get(key)?.clone()));
    let prompt = keys.into_iter().filter_map(pick).collect();
    let shortened = settings.get("on_overflow").is_some_and(|what| what == "truncate-input");
    let most = settings.get("max_length").and_then(Value::as_u64);
    Some(PromptRecipe {
        prompt: serde_json::from_value(Value::Object(prompt)).ok()?,
        shortened_to: most.filter(|_| shortened).map(|most| most as usize),
    })
}

/// Tags and actions are single tokens where the tokenizer has all of them: as `train-sft` takes them from a data set.
fn guessed(files: &ModelFiles) -> anyhow::Result<PromptRecipe> {
    let with = |structure_tokens| PromptOptions { structure_tokens, ..PromptOptions::default() };
    let plain = PromptFormat::new(files, &with(StructureTokens::Plain))?;
    let has = |token| plain.tokenizer().token_to_id(token).is_some();
    let structure_tokens = match StructureTag::tokens().all(has) {
        true => StructureTokens::Added,
        false => StructureTokens::Plain,
    };
    Ok(PromptRecipe { prompt: with(structure_tokens), shortened_to: None })
}
