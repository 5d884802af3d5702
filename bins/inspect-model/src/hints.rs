use causal_lm::LoadError;
use stage_cli::Hint;

/// Adds what to do about a model that does not load, where there is something to say.
pub(crate) fn with_load_hint<T>(result: Result<T, LoadError>) -> anyhow::Result<T> {
    match &result {
        Err(LoadError::UnsupportedFamily { .. }) => {
            result.hint("--model takes a decoder of one of these families; a fine-tune has the family of its base")
        }
        Err(LoadError::Tensors { .. }) => {
            result.hint("the weights are of another model than config.json, or the download is not complete")
        }
        _ => Ok(result?),
    }
}
