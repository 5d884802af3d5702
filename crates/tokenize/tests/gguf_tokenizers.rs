//! Tokenizers from GGUF metadata; `fixtures/gguf-tokenizer/make.py` wrote the expectations.

use std::path::{Path, PathBuf};

use checkpoint_files::{MetadataArray, MetadataValue, write_gguf};
use serde::Deserialize;
use serde_json::Value;
use thesis_core::{AsOfDate, StructureTag};
use tokenize::{
    GgufVocabulary, ModelFiles, PromptFormat, PromptOptions, Question, StructureTokens,
    TokenizeError, tokenizer_files,
};

#[derive(Deserialize)]
struct Goldens {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    pre: String,
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gguf-tokenizer");
    std::fs::read_to_string(folder.join(name)).expect("the fixture is there")
}

/// A vocabulary of the fixtures, under the keys of GGUF.
fn vocabulary(name: &str) -> GgufVocabulary {
    let value: Value = serde_json::from_str(&fixture(name)).expect("JSON");
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    let texts = |key: &str| {
        let list = value[key].as_array().cloned().unwrap_or_default();
        list.into_iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    let numbers = |key: &str| {
        let list = value[key].as_array().cloned().unwrap_or_default();
        list.into_iter().map(|number| number.as_f64().expect("a number")).collect::<Vec<_>>()
    };
    let id = |key: &str| value[key].as_u64().map(|id| id as u32);
    GgufVocabulary {
        model: text("model").expect("a model"),
        pre: text("pre"),
        tokens: texts("tokens"),
        token_types: numbers("token_type").iter().map(|kind| *kind as i32).collect(),
        merges: texts("merges"),
        scores: numbers("scores").iter().map(|score| *score as f32).collect(),
        bos: id("bos_token_id"),
        eos: id("eos_token_id"),
        eot: None,
        unknown: id("unknown_token_id"),
        pad: id("padding_token_id"),
        add_bos: value["add_bos_token"].as_bool(),
        add_space_prefix: None,
        chat_template: text("chat_template"),
    }
}

fn byte_level(pre: &str) -> GgufVocabulary {
    GgufVocabulary { pre: Some(pre.to_owned()), ..vocabulary("byte-level.json") }
}

fn files(vocabulary: &GgufVocabulary) -> Result<ModelFiles, TokenizeError> {
    ModelFiles::from_gguf(&PathBuf::from("m.gguf"), vocabulary)
}

fn format(vocabulary: &GgufVocabulary, structure_tokens: StructureTokens) -> PromptFormat {
    let options = PromptOptions { structure_tokens, ..PromptOptions::default() };
    let files = files(vocabulary).expect("the fixture is sound");
    PromptFormat::new(&files, &options).expect("the fixture is sound")
}

#[test]
fn ids_are_those_of_other_programs() {
    let goldens: Goldens = serde_json::from_str(&fixture("goldens.json")).unwrap();
    let mut seen = std::collections::BTreeMap::new();
    for Case { pre, text, ids, decoded } in goldens.cases {
        let vocabulary = match pre.as_str() {
            "sentence-piece" => vocabulary("sentence-piece.json"),
            pre => byte_level(pre),
        };
        let format = format(&vocabulary, StructureTokens::Plain);
        let got = format.tokenizer().encode_fast(text.as_str(), false).unwrap();
        assert_eq!(got.get_ids(), ids, "{pre} {text:?}");
        assert_eq!(format.decode(&ids).unwrap(), decoded, "{pre} {text:?}");
        *seen.entry(pre).or_insert(0) += 1;
    }
    assert_eq!(
        seen.keys().collect::<Vec<_>>(),
        ["gpt-2", "llama-bpe", "qwen2", "sentence-piece", "smollm"]
    );
    assert!(seen.values().all(|count| *count > 10));
}

#[test]
fn words_are_cut_as_their_name_says() {
    let check = |pre: &str, text: &str, want: &[&str]| {
        let format = format(&byte_level(pre), StructureTokens::Plain);
        let tokenizer = format.tokenizer();
        let mut cut = tokenizers::PreTokenizedString::from(text);
        let pre_tokenizer = tokenizer.get_pre_tokenizer().unwrap();
        tokenizers::PreTokenizer::pre_tokenize(pre_tokenizer, &mut cut).unwrap();
        let got =
            cut.get_splits(tokenizers::OffsetReferential::Original, tokenizers::OffsetType::Byte);
        let got: Vec<_> = got.iter().map(|(_, (from, to), _)| &text[*from..*to]).collect();
        assert_eq!(got, want, "{pre}");
    };
    // Each by hand from the patterns of llama.cpp.
    check("gpt-2", "a 1234 b!", &["a", " 1234", " b", "!"]);
    check("default", "a 1234 b=c", &["a", " ", "123", "4", " b", "=", "c"]);
    check("smollm", "a 12 b", &["a", " ", "1", "2", " b"]);
    check("llama-bpe", "a 1234 B'S", &["a", " ", "123", "4", " B", "'S"]);
    check("qwen2", "a 12\n\nB", &["a", " ", "1", "2", "\n\n", "B"]);
    check("deepseek-v3", "a 1234 株価a (b", &["a", " ", "123", "4", " ", "株価", "a", " (", "b"]);
}

#[test]
fn a_prompt_is_made_as_from_a_folder() {
    let format = format(&byte_level("smollm"), StructureTokens::Added);
    assert_eq!(format.end_token().text, "<|im_end|>");
    assert_eq!(format.pad_id(), 2);
    let size = vocabulary("byte-level.json").tokens.len() as u32;
    for (token, want) in StructureTag::tokens().zip(size..) {
        assert_eq!(format.tokenizer().token_to_id(token), Some(want), "{token}");
    }
    let as_of_date = AsOfDate::parse("2021-01-04").unwrap();
    let question =
        Question { instruction: "Call it.", input: "RSI(14)=71.2<|im_end|>", as_of_date };
    let prompt = format.prompt_ids(&question).unwrap();
    assert_eq!(
        format.decode(&prompt).unwrap(),
        "<|im_start|>system\nCall it.<|im_end|>\n<|im_start|>user\nRSI(14)=71.2<|im_end|><|im_end|>\n<|im_start|>assistant\n"
    );
    let ends = prompt.iter().filter(|id| **id == 2).count();
    assert_eq!(ends, 2, "what the input spells is text");
}

#[test]
fn texts_begin_with_bos_where_the_file_or_the_kind_says_so() {
    let check = |vocabulary: GgufVocabulary, want: bool| {
        let format =
            format(&GgufVocabulary { chat_template: None, ..vocabulary }, StructureTokens::Plain);
        let as_of_date = AsOfDate::parse("2021-01-04").expect("a date");
        let question = Question { instruction: "a", input: "b", as_of_date };
        let prompt = format.prompt_ids(&question).expect("a prompt");
        assert_eq!(prompt.first() == Some(&1), want);
    };
    let silent = |pre: &str| GgufVocabulary { add_bos: None, ..byte_level(pre) };
    check(silent("llama-bpe"), true);
    check(silent("smollm"), false);
    check(byte_level("llama-bpe"), false);
    check(GgufVocabulary { add_bos: Some(true), ..byte_level("smollm") }, true);
    check(vocabulary("sentence-piece.json"), true);
}

#[test]
fn a_space_prefix_is_added_unless_the_file_says_no() {
    let ids = |add_space_prefix| {
        let vocabulary = GgufVocabulary { add_space_prefix, ..vocabulary("sentence-piece.json") };
        let format = format(&vocabulary, StructureTokens::Plain);
        let ids =
            format.tokenizer().encode_fast("the price", false).expect("ids").get_ids().to_vec();
        assert_eq!(format.decode(&ids).expect("a text"), "the price");
        ids
    };
    assert_eq!(ids(None), ids(Some(true)));
    assert_ne!(ids(None), ids(Some(false)));
}

#[test]
fn a_saved_tokenizer_is_the_same_tokenizer() {
    for vocabulary in [byte_level("llama-bpe"), vocabulary("sentence-piece.json")] {
        let files = files(&vocabulary).unwrap();
        let format = PromptFormat::new(&files, &PromptOptions::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for file in tokenizer_files(&files, &format).unwrap() {
            std::fs::write(dir.path().join(file.name), file.text).unwrap();
        }
        let saved = ModelFiles::read(dir.path()).unwrap();
        assert_eq!(saved.chat_template, vocabulary.chat_template);
        let again = PromptFormat::new(&saved, &PromptOptions::default()).unwrap();
        assert_eq!(again.tokenizer().get_vocab(true), format.tokenizer().get_vocab(true));
        assert_eq!((again.end_token(), again.pad_id()), (format.end_token(), format.pad_id()));
        let text = "RSI(14)=54.9 <action><BUY></action> é";
        let ids = |format: &PromptFormat| {
            format.tokenizer().encode_fast(text, true).unwrap().get_ids().to_vec()
        };
        assert_eq!(ids(&again), ids(&format));
    }
}

#[test]
fn what_is_wrong_is_named() {
    let check = |vocabulary: &GgufVocabulary, want: &str| {
        let error = files(vocabulary).unwrap_err().to_string();
        assert!(error.contains("m.gguf") && error.contains(want), "{error}");
    };
    let good = byte_level("smollm");
    check(
        &GgufVocabulary { model: "bert".into(), ..good.clone() },
        "`bert`; known are gpt2, llama",
    );
    check(
        &byte_level("grok-9"),
        "`grok-9`, and how that cuts a text into words is not known; known are gpt-2, ",
    );
    check(&GgufVocabulary { pre: None, ..good.clone() }, "tokenizer.ggml.pre is ``");
    check(&GgufVocabulary { tokens: vec![], ..good.clone() }, "tokens has 0 tokens");
    check(
        &GgufVocabulary { token_types: vec![1], ..good.clone() },
        "token_type has 1 values for 701 tokens",
    );
    check(
        &GgufVocabulary { token_types: vec![9; 701], ..good.clone() },
        "has the type 9 for token 0",
    );
    check(
        &GgufVocabulary { bos: Some(701), ..good.clone() },
        "bos_token_id is 701, but there are 701",
    );
    let mut twice = good.clone();
    twice.tokens[5] = twice.tokens[4].clone();
    check(&twice, "twice: as 4 and as 5");
    let mut merges = good;
    merges.merges[3] = "ab".into();
    check(&merges, "merges has \"ab\" at 3");
    let spm = vocabulary("sentence-piece.json");
    check(&GgufVocabulary { scores: vec![], ..spm }, "scores has 0 values for 600 tokens");
}

/// A GGUF file without tensors that carries this vocabulary.
fn write(path: &Path, vocabulary: &GgufVocabulary) {
    let text = |text: &Option<String>| text.clone().map(MetadataValue::String);
    let texts = |texts: &[String]| MetadataValue::Array(MetadataArray::String(texts.to_vec()));
    let id = |id: Option<u32>| id.map(MetadataValue::U32);
    let model = Some(vocabulary.model.clone());
    let kinds = MetadataValue::Array(MetadataArray::I32(vocabulary.token_types.clone()));
    let scores = MetadataValue::Array(MetadataArray::F32(vocabulary.scores.clone()));
    let values = [
        ("tokenizer.ggml.model", text(&model)),
        ("tokenizer.ggml.pre", text(&vocabulary.pre)),
        ("tokenizer.ggml.tokens", Some(texts(&vocabulary.tokens))),
        ("tokenizer.ggml.token_type", Some(kinds)),
        ("tokenizer.ggml.merges", Some(texts(&vocabulary.merges))),
        ("tokenizer.ggml.scores", Some(scores)),
        ("tokenizer.ggml.bos_token_id", id(vocabulary.bos)),
        ("tokenizer.ggml.eos_token_id", id(vocabulary.eos)),
        ("tokenizer.ggml.unknown_token_id", id(vocabulary.unknown)),
        ("tokenizer.ggml.padding_token_id", id(vocabulary.pad)),
        ("tokenizer.ggml.add_bos_token", vocabulary.add_bos.map(MetadataValue::Bool)),
        ("tokenizer.chat_template", text(&vocabulary.chat_template)),
    ];
    let values: Vec<_> =
        values.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    write_gguf(path, &values, []).expect("written");
}

#[test]
fn a_file_is_read_as_a_folder_is() {
    let dir = tempfile::tempdir().unwrap();
    // Its name does not matter.
    let path = dir.path().join("a-model");
    for vocabulary in [byte_level("smollm"), vocabulary("sentence-piece.json")] {
        write(&path, &vocabulary);
        let (read, want) = (ModelFiles::read(&path).unwrap(), files(&vocabulary).unwrap());
        assert_eq!(read.tokenizer, want.tokenizer);
        assert_eq!(read.config, want.config);
        assert_eq!(read.chat_template, want.chat_template);
        assert_eq!(read.generation, want.generation);
        assert_eq!(read.read, [path.as_path()]);
    }
    let refused = |words: &[&str]| {
        let error = ModelFiles::read(&path).unwrap_err();
        let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    };
    write_gguf(&path, &[], []).unwrap();
    refused(&["a-model", "tokenizer.ggml.model"]);
    std::fs::write(&path, "GGUF").unwrap();
    refused(&["a-model"]);
}
