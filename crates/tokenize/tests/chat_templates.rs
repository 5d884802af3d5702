//! Chat templates render as transformers renders them; `fixtures/chat-templates/make.py` wrote the
//! expectations.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use thesis_core::AsOfDate;
use tokenize::{ChatTemplate, Message, TokenizeError};

#[derive(Deserialize)]
struct Goldens {
    date: AsOfDate,
    tokens: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    messages: Vec<Message>,
    variables: Map<String, Value>,
    add_generation_prompt: bool,
    rendered: Option<String>,
    raised: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/chat-templates")
}

#[test]
fn as_transformers_renders_them() {
    let text = std::fs::read_to_string(folder().join("goldens.json")).unwrap();
    let goldens: Goldens = serde_json::from_str(&text).unwrap();
    let mut failures = Vec::new();
    for case in &goldens.cases {
        let source = std::fs::read_to_string(folder().join(&case.template).with_extension("jinja"));
        let scope = goldens.tokens.clone().into_iter().chain(case.variables.clone()).collect();
        let template = ChatTemplate::new(&source.unwrap(), scope).unwrap();
        let got = template.render(&case.messages, case.add_generation_prompt, goldens.date);
        let got = match &got {
            Ok(text) => (Some(text.as_str()), None),
            Err(TokenizeError::TemplateRender { source, .. }) => (None, source.detail()),
            Err(error) => panic!("{error}"),
        };
        if got != (case.rendered.as_deref(), case.raised.as_deref()) {
            failures.push(format!(
                "{} {:?}\n  got  {got:?}\n  want {:?}",
                case.template,
                case.messages,
                (&case.rendered, &case.raised)
            ));
        }
    }
    assert!(goldens.cases.len() > 500);
    assert!(
        failures.is_empty(),
        "{} fail:\n{}",
        failures.len(),
        failures[..failures.len().min(8)].join("\n")
    );
}
