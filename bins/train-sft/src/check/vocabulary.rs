use causal_lm::ModelConfig;

use super::{Faults, NewToken, Note};
use crate::config::{AdapterKind, NewTokens, SftConfig};

/// Lets the vocabulary of the model reach to the last of the shards' new tokens, which rise by id.
///
/// Tokens beyond the embedding get rows behind its last, where they are trained and the head is the embedding. Else they
/// are a fault: nothing would have a row for them.
pub(super) fn make_room(
    config: &SftConfig,
    model: &mut ModelConfig,
    tokens: &[NewToken],
    faults: &mut Faults,
    notes: &mut Vec<Note>,
) {
    let rows = model.vocab_size;
    let beyond: Vec<&NewToken> = tokens.iter().filter(|token| token.id as usize >= rows).collect();
    let Some(last) = beyond.last() else { return };
    let is_whole = config.adapter == AdapterKind::None;
    let follow = beyond.iter().zip(rows..).all(|(token, row)| token.id as usize == row);
    let reason = if !is_whole && config.train_new_tokens == NewTokens::None {
        "`train_new_tokens` is none, so that it gets no row"
    } else if !model.tied_head {
        "the model's head, which is not tied to the embedding, would have no row for it"
    } else if !follow {
        "ids before it have no token"
    } else {
        model.vocab_size = last.id as usize + 1;
        notes.push(Note::remark(remark(rows, model.vocab_size, beyond.len(), is_whole)));
        return;
    };
    faults.add(
        "shards",
        format_args!(
            "their tokenizer has `{}` with id {}, and the model's embedding ends at {}; {reason}; take \
             `tokenize-shards --structure-tokens plain`, or a model with room in its vocabulary",
            last.text,
            last.id,
            rows - 1
        ),
    );
}

fn remark(stored: usize, rows: usize, new: usize, is_whole: bool) -> String {
    let grows = format!(
        "the embedding has {stored} rows; {new} new tokens get rows behind them, which begin as the mean of the others"
    );
    if is_whole {
        return grows;
    }
    format!(
        "{grows}. With PEFT, call `model.resize_token_embeddings({rows})` before `PeftModel.from_pretrained`; a model that \
         `merge` writes has all rows"
    )
}
