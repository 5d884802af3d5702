use std::collections::BTreeMap;

use thesis_core::StructureTag;
use token_grammar::{Grammar, GrammarError, Vocabulary};
use tokenize::{PromptFormat, StructureTokens, begins_with_space, token_bytes};

use crate::LmEvaluateError;

/// The grammar of theses over the tokens of a model: those of its tokenizer, and rows of the embedding that no token has.
/// Tags and actions are single tokens where the format writes them so.
///
/// # Errors
/// [`LmEvaluateError::Tokenize`] for a tokenizer whose tokens have no bytes of their own, [`LmEvaluateError::Grammar`].
pub fn thesis_grammar(
    format: &PromptFormat,
    stop_ids: &[u32],
    vocab_size: usize,
) -> Result<Grammar, LmEvaluateError> {
    let tokenizer = format.tokenizer();
    let mut bytes = token_bytes(tokenizer)?;
    bytes.resize(vocab_size, None);
    let named: BTreeMap<String, u32> = match format.structure_tokens() {
        StructureTokens::Added => StructureTag::tokens()
            .filter_map(|token| Some((token.to_owned(), tokenizer.token_to_id(token)?)))
            .collect(),
        StructureTokens::Plain => BTreeMap::new(),
    };
    let failed = |source: GrammarError| LmEvaluateError::Grammar { source };
    let vocabulary = Vocabulary::new(bytes, named, stop_ids.to_vec()).map_err(failed)?;
    let vocabulary = vocabulary.with_space_first(begins_with_space(tokenizer));
    Grammar::thesis(&vocabulary).map_err(failed)
}
