use super::LoadOptions;
use super::source::Source;
use crate::LoadError;
use crate::adapter::AdapterPlan;

/// Rows of the embedding with those of new tokens behind the stored ones: the adapter's, and what the options ask for.
///
/// # Errors
/// [`LoadError::NewToken`] where the head, which is no embedding, would have no rows for them.
pub(super) fn vocab_size(
    source: &Source,
    options: &LoadOptions,
    adapter: Option<&AdapterPlan>,
) -> Result<usize, LoadError> {
    let stored = source.config.vocab_size;
    let of_adapter = adapter.map_or(0, AdapterPlan::min_vocab_size);
    let rows = stored.max(of_adapter).max(options.min_vocab_size);
    match rows > stored && !source.config.tied_head {
        true => Err(LoadError::NewToken {
            path: source.path().to_owned(),
            token: rows - 1,
            vocab_size: stored,
            reason: HEAD_APART,
        }),
        false => Ok(rows),
    }
}

/// Why a model with a head of its own has no place for tokens beyond its embedding.
pub(crate) const HEAD_APART: &str =
    "the head, which is not tied to the embedding, would have no row for it";
