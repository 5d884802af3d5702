use std::collections::BTreeMap;

use serde::Serialize;
use tokenize::{Note, PromptFormat, SplitReport, StructureTokens};

/// What a run made: the contents of `report.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The token that ends an answer.
    end_token: TokenId,
    /// What fills rows.
    pad_token_id: u32,
    /// Tokens of the vocabulary, added ones included.
    vocabulary: usize,
    /// Tags and actions that are single tokens, with their ids.
    structure_tokens: BTreeMap<&'static str, u32>,
    /// What a person should know about the model's files.
    notes: Vec<String>,
    /// What became of each split.
    pub(crate) splits: Vec<SplitReport>,
}

#[derive(Debug, Serialize)]
struct TokenId {
    id: u32,
    text: String,
}

impl Report {
    pub(crate) fn new(format: &PromptFormat, splits: Vec<SplitReport>) -> Self {
        let tokenizer = format.tokenizer();
        let id_of = |token| tokenizer.token_to_id(token).map(|id| (token, id));
        let structure_tokens = match format.structure_tokens() {
            StructureTokens::Added => {
                thesis_core::StructureTag::tokens().filter_map(id_of).collect()
            }
            StructureTokens::Plain => BTreeMap::new(),
        };
        let end = format.end_token();
        Self {
            end_token: TokenId { id: end.id, text: end.text.clone() },
            pad_token_id: format.pad_id(),
            vocabulary: tokenizer.get_vocab_size(true),
            structure_tokens,
            notes: format.notes().iter().map(Note::to_string).collect(),
            splits,
        }
    }
}
