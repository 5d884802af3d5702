//! Model folders as they come: complete, bare, contradictory, damaged.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokenize::{
    EndTokenSource, ModelFiles, Note, PromptFormat, PromptOptions, StructureTokens, TokenizeError,
    tokenizer_files,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A folder with the BPE tokenizer, this configuration and this template.
fn folder(config: Option<Value>, template: Option<&str>) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let copy =
        fs::copy(fixture("tokenizers/bpe/tokenizer.json"), dir.path().join("tokenizer.json"));
    copy.expect("a copy");
    if let Some(config) = config {
        let path = dir.path().join("tokenizer_config.json");
        fs::write(path, config.to_string()).expect("written");
    }
    if let Some(template) = template {
        fs::write(dir.path().join("chat_template.jinja"), template).expect("written");
    }
    dir
}

fn open(path: &Path, options: &PromptOptions) -> Result<PromptFormat, TokenizeError> {
    PromptFormat::new(&ModelFiles::read(path)?, options)
}

fn message(error: &TokenizeError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn the_end_token_is_what_the_template_writes() {
    let check = |template: &str, eos: Option<&str>, want: (&str, EndTokenSource)| {
        let source =
            fs::read_to_string(fixture("chat-templates").join(template).with_extension("jinja"));
        let dir = folder(eos.map(|eos| json!({"eos_token": eos})), Some(&source.unwrap()));
        let format = open(dir.path(), &PromptOptions::default()).unwrap();
        assert_eq!(
            (format.end_token().text.as_str(), format.end_token().source),
            want,
            "{template}"
        );
    };
    check("chatml", Some("<|endoftext|>"), ("<|im_end|>", EndTokenSource::Template));
    check("qwen3", None, ("<|im_end|>", EndTokenSource::Template));
    // Their own end tokens are no tokens of this vocabulary, so eos_token ends an answer.
    check("gemma", Some("<|endoftext|>"), ("<|endoftext|>", EndTokenSource::Eos));
    check("phi3", Some("<|endoftext|>"), ("<|endoftext|>", EndTokenSource::Eos));
    check("mistral", Some("<|im_end|>"), ("<|im_end|>", EndTokenSource::Template));
}

#[test]
fn a_named_end_token_wins_and_must_exist() {
    let named = |token: &str| PromptOptions { end_token: Some(token.into()), ..Default::default() };
    let bare = fixture("tokenizers/bpe/tokenizer.json");
    let format = open(&bare, &named("<|endoftext|>")).unwrap();
    assert_eq!(format.end_token().source, EndTokenSource::Named);
    assert_eq!(format.notes(), [Note::NoTemplate]);
    assert!(matches!(open(&bare, &named("<eot>")), Err(TokenizeError::UnknownEndToken { .. })));
    let none = open(&bare, &PromptOptions::default());
    assert!(matches!(none, Err(TokenizeError::NoEndToken)));
}

#[test]
fn a_template_is_known_by_how_it_renders() {
    let check = |template: &str, want: &[Note]| {
        let dir = folder(Some(json!({"eos_token": "<|im_end|>"})), Some(template));
        let format = open(dir.path(), &PromptOptions::default()).unwrap();
        assert_eq!(format.notes(), want, "{template}");
    };
    let users = "{% for m in messages if m.role != 'system' %}{{ m.role }}: {{ m.content }}\n{% endfor %}\
                 {% if add_generation_prompt %}assistant: {% endif %}";
    check(users, &[Note::SystemFolded]);
    let raises = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        .to_owned()
        + users;
    check(&raises, &[Note::SystemFolded]);
    let qwen3 = fs::read_to_string(fixture("chat-templates/qwen3.jinja")).unwrap();
    check(&qwen3, &[Note::AnswerPrefix { text: "<think>\n\n</think>\n\n".into() }]);
    check(
        "{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}A{% endif %}",
        &[Note::PromptDiffers],
    );

    let refuses = |template: &str| {
        let dir = folder(Some(json!({"eos_token": "<|im_end|>"})), Some(template));
        open(dir.path(), &PromptOptions::default()).unwrap_err()
    };
    assert!(matches!(refuses("hello"), TokenizeError::TemplateDropsText { role: "user" }));
    let error = refuses("{{ raise_exception('not today') }}");
    assert!(
        message(&error).contains("refuses a conversation of user: ")
            && message(&error).contains("not today"),
        "{}",
        message(&error)
    );
    assert!(matches!(refuses("{% if %}"), TokenizeError::TemplateSyntax { .. }));
}

#[test]
fn generation_that_would_not_stop_is_told() {
    let dir = folder(Some(json!({"eos_token": "<|im_end|>"})), None);
    fs::write(dir.path().join("generation_config.json"), r#"{"eos_token_id": [0]}"#).unwrap();
    let format = open(dir.path(), &PromptOptions::default()).unwrap();
    let warning = format.notes().iter().find(|note| note.is_warning()).unwrap();
    assert!(warning.to_string().contains("`<|im_end|>` (id 2)"), "{warning}");
}

#[test]
fn damaged_files_are_named() {
    let check = |file: &str, text: &str, want: &str| {
        let dir = folder(Some(json!({"eos_token": "<|im_end|>"})), None);
        fs::write(dir.path().join(file), text).unwrap();
        let error = message(&open(dir.path(), &PromptOptions::default()).unwrap_err());
        assert!(error.contains(file) && error.contains(want), "{error}");
    };
    check("tokenizer.json", "{", "EOF while parsing");
    check("tokenizer.json", "{}", "is no tokenizer");
    check("tokenizer.json", r#"{"version":"1.0","model":{"type":"Nonsense"}}"#, "is no tokenizer");
    check("tokenizer_config.json", "[]", "is damaged");
    check(
        "tokenizer_config.json",
        r#"{"chat_template":[{"name":"rag","template":"x"}]}"#,
        "it has rag",
    );
    check("special_tokens_map.json", "", "is damaged");
    let empty = tempfile::tempdir().unwrap();
    let error = open(empty.path(), &PromptOptions::default()).unwrap_err();
    assert!(error.to_string().contains("has no tokenizer.json"), "{error}");
}

#[test]
fn ids_that_contradict_each_other_are_refused() {
    let dir = folder(Some(json!({"eos_token": "<|im_end|>"})), None);
    let path = dir.path().join("tokenizer.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replacen(r#"{"id":2,"content":"<|im_end|>""#, r#"{"id":7,"content":"<|im_end|>""#, 1),
    )
    .unwrap();
    let error = open(dir.path(), &PromptOptions::default()).unwrap_err();
    assert!(matches!(error, TokenizeError::TokenId { expected: 7, got: 2, .. }), "{error}");

    let holes = r#"{"version":"1.0","model":{"type":"BPE","vocab":{"a":0,"b":5},"merges":[]}}"#;
    fs::write(&path, holes).unwrap();
    let options = PromptOptions { end_token: Some("a".into()), ..Default::default() };
    let error = open(&path, &options).unwrap_err();
    assert!(matches!(error, TokenizeError::TokenId { .. }), "{error}");
}

#[test]
fn a_saved_tokenizer_is_the_same_tokenizer() {
    for name in ["byte-level", "bpe", "metaspace"] {
        let files = ModelFiles::read(&fixture("tokenizers").join(name)).unwrap();
        let format = PromptFormat::new(&files, &PromptOptions::default()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for file in tokenizer_files(&files, &format).unwrap() {
            fs::write(dir.path().join(file.name), file.text).unwrap();
        }
        let saved = ModelFiles::read(dir.path()).unwrap();
        let plain =
            PromptOptions { structure_tokens: StructureTokens::Plain, ..Default::default() };
        let again = PromptFormat::new(&saved, &plain).unwrap();
        assert_eq!(again.tokenizer().get_vocab(true), format.tokenizer().get_vocab(true));
        assert_eq!(again.end_token(), format.end_token());
        // Tokens that are there are reused, not added twice.
        let reused = PromptFormat::new(&saved, &PromptOptions::default()).unwrap();
        assert_eq!(reused.tokenizer().get_vocab(true), format.tokenizer().get_vocab(true));
        let value: Value = serde_json::from_str(&saved.tokenizer).unwrap();
        assert_eq!((&value["truncation"], &value["padding"]), (&Value::Null, &Value::Null));
        let decoder = saved.config.unwrap().get("added_tokens_decoder").cloned();
        let size = decoder.map(|decoder| decoder.as_object().unwrap().len());
        assert_eq!(size, (name == "bpe").then_some(14), "listed where the original lists them");
    }
}

#[test]
fn a_bare_tokenizer_gets_a_configuration() {
    let files = ModelFiles::read(&fixture("tokenizers/bpe/tokenizer.json")).unwrap();
    let options = PromptOptions { end_token: Some("<|im_end|>".into()), ..Default::default() };
    let format = PromptFormat::new(&files, &options).unwrap();
    let saved = tokenizer_files(&files, &format).unwrap();
    let config = saved.iter().find(|file| file.name == "tokenizer_config.json").unwrap();
    let config: Value = serde_json::from_str(&config.text).unwrap();
    assert_eq!(config["eos_token"], "<|im_end|>");
    assert_eq!(config["tokenizer_class"], "PreTrainedTokenizerFast");
}
