use std::path::Path;

use anyhow::{Context, anyhow};
use chrono::Utc;
use stage_cli::Hint;
use thesis_core::{AsOfDate, StructureTag};
use tokenize::{ModelFiles, PromptFormat, PromptOptions, Question, StructureTokens};

use crate::args::GenerateArgs;
use crate::source::Source;

/// The files that say how a model reads and writes text.
pub(crate) fn model_files(source: &Source) -> anyhow::Result<ModelFiles> {
    Ok(ModelFiles::read(source.path())?)
}

/// The same for a model with an adapter, whose own tokenizer knows the tokens that it brings.
pub(crate) fn files_with_adapter(
    source: &Source,
    adapter: Option<&Path>,
) -> anyhow::Result<ModelFiles> {
    let base = model_files(source);
    let Some(folder) = adapter.filter(|folder| folder.join("tokenizer.json").is_file()) else {
        return base;
    };
    let mut files = ModelFiles::read(folder)?;
    // What the adapter does not say, the base does.
    if let Ok(base) = base {
        files.chat_template = files.chat_template.or(base.chat_template);
        files.generation = files.generation.or(base.generation);
    }
    Ok(files)
}

/// How the model is asked. Tags of an answer are single tokens where the tokenizer has all of them.
pub(crate) fn prompt_format(
    files: &ModelFiles,
    system: Option<String>,
) -> anyhow::Result<PromptFormat> {
    let with = |structure_tokens| PromptOptions {
        structure_tokens,
        system_prompt: system.clone(),
        ..PromptOptions::default()
    };
    let plain = PromptFormat::new(files, &with(StructureTokens::Plain))?;
    let has = |token| plain.tokenizer().token_to_id(token).is_some();
    if StructureTag::tokens().all(has) {
        return Ok(PromptFormat::new(files, &with(StructureTokens::Added))?);
    }
    Ok(plain)
}

/// The ids of what the flags ask.
pub(crate) fn prompt_ids(args: &GenerateArgs, format: &PromptFormat) -> anyhow::Result<Vec<u32>> {
    if let Some(prompt) = &args.prompt {
        let encoding = format.tokenizer().encode(prompt.as_str(), true);
        let encoding = encoding.map_err(|error| anyhow!(error)).context("the prompt")?;
        return Ok(encoding.get_ids().to_vec());
    }
    let as_of_date = match &args.as_of_date {
        Some(date) => AsOfDate::parse(date).hint("--as-of-date is like 2026-11-21")?,
        None => AsOfDate::new(Utc::now().date_naive()),
    };
    let input = args.chat.as_deref().unwrap_or_default();
    Ok(format.prompt_ids(&Question { instruction: "", input, as_of_date })?)
}

/// Ids at which an answer ends: those of the model's files, and the token that its template ends a turn with.
pub(crate) fn stop_ids(files: &ModelFiles, format: &PromptFormat) -> Vec<u32> {
    let mut ids = files.stop_ids();
    if !ids.contains(&format.end_token().id) {
        ids.push(format.end_token().id);
    }
    ids
}
