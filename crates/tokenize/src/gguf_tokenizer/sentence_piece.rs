use std::collections::HashSet;

use serde_json::{Value, json};

use super::Parts;
use super::vocabulary::{CheckedVocabulary, TokenKind};
use crate::TokenizeError;

/// What SentencePiece writes for a space.
pub(super) const SPACE: char = '▁';

/// BPE with scores and byte fallback, as SentencePiece has it: of all neighbours that make a
/// token, those with the highest score are merged first.
pub(super) fn parts(vocabulary: &CheckedVocabulary<'_>) -> Result<Parts, TokenizeError> {
    let (count, scores) = (vocabulary.given.tokens.len(), vocabulary.given.scores.len());
    if scores != count {
        return Err(vocabulary.error("scores", format!("has {scores} values for {count} tokens")));
    }
    let byte = |byte: u8| vocabulary.id(&format!("<0x{byte:02X}>"));
    let byte_fallback = (0..=255).all(|b| byte(b).is_some());
    let unknown = vocabulary.unknown.or_else(|| {
        vocabulary.tokens().find(|(_, _, kind)| *kind == TokenKind::Unknown).map(|(id, ..)| id)
    });
    if !byte_fallback && unknown.is_none() {
        let reason = "has neither all byte tokens nor one for what is unknown".to_owned();
        return Err(vocabulary.error("tokens", reason));
    }
    let space = SPACE.to_string();
    let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": space});
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": space}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    let normalizer = match vocabulary.given.add_space_prefix {
        Some(false) => replace,
        Some(true) | None => {
            decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
            let prepend = json!({"type": "Prepend", "prepend": space});
            json!({"type": "Sequence", "normalizers": [prepend, replace]})
        }
    };
    Ok(Parts {
        normalizer,
        pre_tokenizer: Value::Null,
        decoder: json!({"type": "Sequence", "decoders": decoders}),
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": unknown.map(|id| vocabulary.token(id)),
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": true,
            "byte_fallback": byte_fallback,
            "ignore_merges": false,
            "vocab": vocabulary.vocab_json(),
            "merges": merges(vocabulary),
        }),
        bos_by_default: true,
    })
}

/// The merges that the scores stand for: every way to make a token of two others, the tokens
/// with the highest scores first.
fn merges<'a>(vocabulary: &CheckedVocabulary<'a>) -> Vec<[&'a str; 2]> {
    let takes_part = |kind| matches!(kind, TokenKind::Normal | TokenKind::UserDefined);
    let mergeable: HashSet<&str> = vocabulary
        .tokens()
        .filter(|(_, _, kind)| takes_part(*kind))
        .map(|(_, token, _)| token)
        .collect();
    let mut merges = Vec::new();
    for ((_, token, kind), score) in vocabulary.tokens().zip(&vocabulary.given.scores) {
        if !takes_part(kind) {
            continue;
        }
        let cuts = token.char_indices().skip(1).map(|(at, _)| token.split_at(at));
        let known =
            cuts.filter(|(left, right)| mergeable.contains(left) && mergeable.contains(right));
        merges.extend(known.map(|(left, right)| (*score, [left, right])));
    }
    // Stable: among equals the order of ids stays, and the shortest left part comes first.
    merges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    merges.into_iter().map(|(_, pair)| pair).collect()
}
