use std::collections::BTreeMap;

use thesis_core::StructureTag;
use token_grammar::Vocabulary;
use tokenize::{PromptFormat, StructureTokens, begins_with_space, token_bytes};

use crate::LmEvaluateError;

/// The tokens of a model as a grammar sees them: those of its tokenizer, and rows of the embedding that no token has.
/// Tags and actions have names where the format writes them as single tokens.
///
/// # Errors
/// [`LmEvaluateError::Tokenize`] for a tokenizer whose tokens have no bytes of their own, [`LmEvaluateError::Grammar`].
pub fn grammar_vocabulary(
    format: &PromptFormat,
    stop_ids: &[u32],
    vocab_size: usize,
) -> Result<Vocabulary, LmEvaluateError> {
    let tokenizer = format.tokenizer();
    let mut bytes = token_bytes(tokenizer)?;
    bytes.resize(vocab_size, None);
    let named: BTreeMap<String, u32> = match format.structure_tokens() {
        StructureTokens::Added => StructureTag::tokens()
            .filter_map(|token| Some((token.to_owned(), tokenizer.token_to_id(token)?)))
            .collect(),
        StructureTokens::Plain => BTreeMap::new(),
    };
    let vocabulary = Vocabulary::new(bytes, named, stop_ids.to_vec())
        .map_err(|source| LmEvaluateError::Grammar { source })?;
    Ok(vocabulary.with_space_first(begins_with_space(tokenizer)))
}
