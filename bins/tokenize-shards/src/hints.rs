use run_manifest::ManifestError;
use stage_cli::Hint;
use tokenize::TokenizeError;

/// Adds what to do about an error, where there is something to say.
pub(crate) fn with_hint<T>(result: Result<T, TokenizeError>) -> anyhow::Result<T> {
    let Err(error) = &result else { return Ok(result?) };
    let hint = match error {
        TokenizeError::Io { action: "read", .. } => {
            "--tokenizer names a model folder, a GGUF file, or a tokenizer.json"
        }
        TokenizeError::NoEndToken => {
            "pass the model folder rather than its tokenizer.json, or name the token: --end-token \
             '<|im_end|>'"
        }
        TokenizeError::UnknownEndToken { .. } => {
            "--end-token takes a single token of the vocabulary, as tokenizer.json spells it"
        }
        TokenizeError::TemplateSyntax { .. } | TokenizeError::TemplateRender { .. } => {
            "the template is the model's chat_template.jinja, or chat_template in its \
             tokenizer_config.json; variables that it asks for go under template_variables in the \
             settings"
        }
        TokenizeError::Record { source, .. } => match **source {
            TokenizeError::Output { .. } => {
                "outputs are <reasoning>…</reasoning><support>…</support><action>BUY</action>; for \
                 any other form take --structure-tokens plain"
            }
            _ => return Ok(result?),
        },
        _ => return Ok(result?),
    };
    result.hint(hint)
}

/// Adds what to do about an output folder that cannot be begun.
pub(crate) fn with_folder_hint<T>(result: Result<T, ManifestError>) -> anyhow::Result<T> {
    match &result {
        Err(ManifestError::Occupied { .. }) => {
            result.hint("name another --out, or remove what is there")
        }
        Err(ManifestError::Io { .. }) => result.hint("--out must be a folder you may write to"),
        _ => Ok(result?),
    }
}
