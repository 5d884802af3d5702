//! The tokenizer of a real GGUF file; `fixtures/gguf-tokenizer/smollm2.json` has what transformers
//! makes of the same model.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thesis_core::{AsOfDate, StructureTag};
use tokenize::{
    ChatTemplate, Detokenizer, Message, ModelFiles, PromptFormat, PromptOptions, SpecialTokens,
    StructureTokens, token_bytes,
};

#[derive(Deserialize)]
struct Reference {
    tokens: BTreeMap<String, Vec<u32>>,
    chat_messages: Vec<Message>,
    chat_text: String,
    chat_ids: Vec<u32>,
    special_tokens: Vec<String>,
    special_ids: Vec<u32>,
    tokens_after_special: BTreeMap<String, Vec<u32>>,
    greedy_ids: Vec<u32>,
    greedy_text: String,
}

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn reference() -> Reference {
    let text = std::fs::read_to_string(workspace("fixtures/gguf-tokenizer/smollm2.json"));
    serde_json::from_str(&text.expect("the fixture is there")).expect("the fixture is sound")
}

fn model_files() -> ModelFiles {
    let path = workspace("models/SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
    ModelFiles::read(&path).expect("a tokenizer")
}

fn format(structure_tokens: StructureTokens) -> PromptFormat {
    let options = PromptOptions { structure_tokens, ..PromptOptions::default() };
    PromptFormat::new(&model_files(), &options).expect("a format")
}

fn check_ids(format: &PromptFormat, cases: &BTreeMap<String, Vec<u32>>) {
    assert!(cases.len() > 5);
    for (text, want) in cases {
        let got = format.tokenizer().encode_fast(text.as_str(), false).expect("ids");
        assert_eq!(got.get_ids(), want, "{text:?}");
        assert_eq!(format.decode(want).expect("a text"), *text);
    }
}

#[test]
#[ignore = "needs `cargo xtask fetch-model smollm2`"]
fn ids_are_those_of_transformers() {
    let reference = reference();
    let plain = format(StructureTokens::Plain);
    check_ids(&plain, &reference.tokens);
    assert_eq!((plain.end_token().id, plain.pad_id()), (2, 2));
    let added = format(StructureTokens::Added);
    check_ids(&added, &reference.tokens_after_special);
    assert_eq!(reference.special_tokens, StructureTag::tokens().collect::<Vec<_>>());
    for (token, id) in reference.special_tokens.iter().zip(&reference.special_ids) {
        assert_eq!(added.tokenizer().token_to_id(token), Some(*id), "{token}");
    }
}

#[test]
#[ignore = "needs `cargo xtask fetch-model smollm2`"]
fn the_chat_is_that_of_transformers() {
    let reference = reference();
    let files = model_files();
    let template = files.chat_template.as_deref().expect("a template");
    let template = ChatTemplate::new(template, serde_json::Map::new()).unwrap();
    let today = AsOfDate::parse("2021-01-04").unwrap();
    let text = template.render(&reference.chat_messages, true, today).unwrap();
    assert_eq!(text, reference.chat_text);
    let plain = format(StructureTokens::Plain);
    let ids = plain.tokenizer().encode_fast(text.as_str(), false).unwrap();
    assert_eq!(ids.get_ids(), reference.chat_ids);
}

#[test]
#[ignore = "needs `cargo xtask fetch-model smollm2`"]
fn ids_become_text_piece_by_piece() {
    let reference = reference();
    let added = format(StructureTokens::Added);
    let detokenizer = Detokenizer::new(added.tokenizer()).unwrap();
    let mut stream = detokenizer.stream(SpecialTokens::Skip);
    let pieces: Vec<String> =
        reference.greedy_ids.iter().map(|id| stream.push(*id).to_owned()).collect();
    assert_eq!(pieces.concat(), reference.greedy_text);
    let bytes = token_bytes(added.tokenizer()).unwrap();
    assert_eq!(bytes.len(), 49_163);
    // The control tokens are the first seventeen.
    assert!(bytes[..17].iter().all(Option::is_none) && bytes[17..].iter().all(Option::is_some));
}
