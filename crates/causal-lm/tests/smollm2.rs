//! A real model: SmolLM2-135M-Instruct in Q4_1, which `cargo xtask fetch-model smollm2` brings.

mod common;

use std::path::{Path, PathBuf};

use burn_flex::Flex;
use causal_lm::{CausalLm, LoadOptions};
use common::{argmax, fixture, loaded, values};
use cpu_kernels::decoder::{KvDtype, Span};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    chat_ids: Vec<u32>,
    last_logits_top10: Top10,
    greedy_ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Top10 {
    ids: Vec<usize>,
    values: Vec<f32>,
}

fn model() -> CausalLm<Flex> {
    loaded(&path(), &LoadOptions::default())
}

fn path() -> PathBuf {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    models.join("SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf")
}

fn reference() -> Reference {
    let text = std::fs::read_to_string(fixture("models/smollm2.json")).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
#[ignore = "needs the model"]
fn last_logits_are_those_of_transformers() {
    let Reference { chat_ids, last_logits_top10: top, .. } = reference();
    let model = model();
    let span = Span { start: 0, len: chat_ids.len(), position: 0, slot: 0 };
    let hidden = model.hidden(&chat_ids, &[span], None).unwrap();
    let last = values(model.logits(hidden.narrow(0, chat_ids.len() - 1, 1)));
    for (id, value) in top.ids.iter().zip(&top.values) {
        assert!((last[*id] - value).abs() < 1e-3, "token {id}: {} {value}", last[*id]);
    }
    let tenth = top.values[9];
    assert_eq!(last.iter().filter(|logit| **logit > tenth + 1e-3).count(), 9);
}

#[test]
#[ignore = "needs the model"]
fn greedy_answers_are_those_of_transformers() {
    let Reference { chat_ids, greedy_ids, .. } = reference();
    let model = model();
    let mut cache = model.new_cache(1, chat_ids.len() + greedy_ids.len(), KvDtype::F32);
    let (mut ids, mut position, mut found) = (chat_ids, 0, Vec::new());
    while found.len() < greedy_ids.len() {
        let span = Span { start: 0, len: ids.len(), position, slot: 0 };
        let hidden = model.hidden(&ids, &[span], Some(&mut cache)).unwrap();
        position += ids.len();
        found.push(argmax(&values(model.logits(hidden.narrow(0, ids.len() - 1, 1)))));
        ids = vec![found[found.len() - 1]];
    }
    assert_eq!(found, greedy_ids);
}
