use serde_json::{Value, json};

use super::Parts;
use super::pre_tokenizers::{PreTokenizer, pre_tokenizer};
use super::vocabulary::CheckedVocabulary;
use crate::TokenizeError;

/// BPE over bytes, as GPT-2 has it: merges in their order, after a cut into words.
pub(super) fn parts(vocabulary: &CheckedVocabulary<'_>) -> Result<Parts, TokenizeError> {
    let PreTokenizer { splits, nfc, ignore_merges, bos_by_default, .. } =
        pre_tokenizer(vocabulary.path(), vocabulary.given.pre.as_deref())?;
    let split = |pattern: &&str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    let steps: Vec<Value> = splits.iter().map(split).chain([byte_level.clone()]).collect();
    Ok(Parts {
        normalizer: if *nfc { json!({"type": "NFC"}) } else { Value::Null },
        pre_tokenizer: json!({"type": "Sequence", "pretokenizers": steps}),
        decoder: byte_level,
        model: json!({
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": null,
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": ignore_merges,
            "vocab": vocabulary.vocab_json(),
            "merges": merges(vocabulary)?,
        }),
        bos_by_default: *bos_by_default,
    })
}

fn merges(vocabulary: &CheckedVocabulary<'_>) -> Result<Vec<Value>, TokenizeError> {
    let merges = vocabulary.given.merges.iter().enumerate().map(|(rank, merge)| {
        let parts = merge.split_once(' ');
        let known = parts.filter(|(left, right)| {
            let whole = [*left, *right].concat();
            [left, right, whole.as_str()].iter().all(|part| vocabulary.id(part).is_some())
        });
        known.map(|(left, right)| json!([left, right])).ok_or_else(|| {
            let reason = format!("has {merge:?} at {rank}, which is no merge of two known tokens");
            vocabulary.error("merges", reason)
        })
    });
    merges.collect()
}
