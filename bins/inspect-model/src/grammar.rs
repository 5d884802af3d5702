use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};
use causal_lm::generate::Constraint;
use lm_evaluate::grammar_vocabulary;
use stage_cli::Hint;
use token_grammar::{Grammar, GrammarError};
use tokenize::PromptFormat;

/// The grammar that `--grammar` names.
pub(crate) fn grammar(
    text: &str,
    format: &PromptFormat,
    stop_ids: &[u32],
    vocab_size: usize,
) -> anyhow::Result<Grammar> {
    let unknown = || {
        Err(anyhow!("`{text}` is no grammar"))
            .hint("--grammar takes thesis, json:SCHEMA_FILE, lark:GRAMMAR_FILE or regex:PATTERN")
    };
    let vocabulary = grammar_vocabulary(format, stop_ids, vocab_size)?;
    if text == "thesis" {
        return Ok(Grammar::thesis(&vocabulary)?);
    }
    let Some((kind, value)) = text.split_once(':') else { return unknown() };
    let read = || {
        let path = Path::new(value);
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    match kind {
        "json" => {
            let schema = read()?;
            let schema =
                serde_json::from_str(&schema).with_context(|| format!("{value} is not JSON"))?;
            Ok(Grammar::json_schema(&vocabulary, &schema).with_context(|| value.to_owned())?)
        }
        "lark" => Ok(Grammar::lark(&vocabulary, &read()?).with_context(|| value.to_owned())?),
        "regex" => Ok(Grammar::regex(&vocabulary, value)?),
        _ => unknown(),
    }
}

/// A new answer's way through the grammar.
pub(crate) fn constraint(
    grammar: &Grammar,
    max_new_tokens: usize,
) -> anyhow::Result<Box<dyn Constraint>> {
    let matcher = grammar.matcher(max_new_tokens);
    if let Err(GrammarError::Budget { needed, .. }) = &matcher {
        let hint = format!("--max-new-tokens {needed} or more");
        return Ok(Box::new(matcher.hint(hint)?));
    }
    Ok(Box::new(matcher?))
}
