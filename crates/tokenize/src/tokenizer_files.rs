use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokenizers::AddedToken;

use crate::{ModelFiles, PromptFormat, TokenizeError};

/// A file of a saved tokenizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizerFile {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub text: String,
}

#[derive(Serialize)]
struct TokenEntry<'a> {
    id: u32,
    #[serde(flatten)]
    token: &'a AddedToken,
}

/// The files of the tokenizer that `format` made of `files`, as transformers loads them.
///
/// `tokenizer.json` keeps its text but for the tokens that were added, and for truncation and
/// padding, which are off. `tokenizer_config.json` is made where there was none.
///
/// # Errors
/// [`TokenizeError::Json`] where `tokenizer.json` is no object.
pub fn tokenizer_files(
    files: &ModelFiles,
    format: &PromptFormat,
) -> Result<Vec<TokenizerFile>, TokenizeError> {
    let json = |source| TokenizeError::Json { path: files.path.clone(), source };
    let added = format.tokenizer().get_added_tokens_decoder();
    let mut added: Vec<(u32, AddedToken)> = added.into_iter().collect();
    added.sort_unstable_by_key(|(id, _)| *id);
    let mut saved = vec![TokenizerFile {
        name: "tokenizer.json",
        text: with_added_tokens(&files.tokenizer, &added).map_err(json)?,
    }];
    let mut config = files.config.clone().unwrap_or_else(|| minimal_config(format));
    // Without a class transformers would ask the model's config.json, which is not here.
    config.entry("tokenizer_class").or_insert_with(|| json!("PreTrainedTokenizerFast"));
    if let Some(Value::Object(decoder)) = config.get_mut("added_tokens_decoder") {
        for (id, token) in &added {
            let entry = serde_json::to_value(token).map_err(json)?;
            decoder.entry(id.to_string()).or_insert(entry);
        }
    }
    saved.push(object_file("tokenizer_config.json", &config).map_err(json)?);
    if let Some(template) = &files.chat_template {
        saved.push(TokenizerFile { name: "chat_template.jinja", text: template.clone() });
    }
    let others = [
        ("special_tokens_map.json", &files.special_tokens),
        ("generation_config.json", &files.generation),
    ];
    for (name, object) in others {
        if let Some(object) = object {
            saved.push(object_file(name, object).map_err(json)?);
        }
    }
    Ok(saved)
}

/// `tokenizer.json` with all of `added` in its list, a line a key.
fn with_added_tokens(text: &str, added: &[(u32, AddedToken)]) -> Result<String, serde_json::Error> {
    let mut keys: IndexMap<String, Box<RawValue>> = serde_json::from_str(text)?;
    let entries = added.iter().map(|(id, token)| {
        serde_json::to_string(&TokenEntry { id: *id, token }).map(|entry| format!("\n    {entry}"))
    });
    let list = entries.collect::<Result<Vec<_>, _>>()?.join(",");
    let list = if list.is_empty() { "[]".to_owned() } else { format!("[{list}\n  ]") };
    for (key, value) in [("truncation", "null"), ("padding", "null"), ("added_tokens", &list)] {
        keys.insert(key.to_owned(), RawValue::from_string(value.to_owned())?);
    }
    let lines: Vec<_> =
        keys.iter().map(|(key, value)| format!("  {}: {value}", json!(key))).collect();
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

fn minimal_config(format: &PromptFormat) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("tokenizer_class".into(), json!("PreTrainedTokenizerFast"));
    config.insert("eos_token".into(), json!(format.end_token().text));
    config.insert("clean_up_tokenization_spaces".into(), json!(false));
    config
}

fn object_file(
    name: &'static str,
    object: &Map<String, Value>,
) -> Result<TokenizerFile, serde_json::Error> {
    Ok(TokenizerFile { name, text: serde_json::to_string_pretty(object)? + "\n" })
}
