//! Answers, actions, losses and means against transformers 5.23 and PEFT 0.21 (`fixtures/evaluate/make.py`), and against
//! themselves: batches, chunks and slots change nothing but roundings.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::generate::{Constraint, Sampling, score};
use causal_lm::ops::DecoderBackend;
use causal_lm::train::remove_adapters;
use causal_lm::{CausalLm, LoadOptions, load};
use cpu_kernels::decoder::KvDtype;
use lm_evaluate::{
    AnswerEnd, AnswerOptions, AnswerReader, GroupRow, LmEvaluateError, RowAnswer, answer_group,
    grammar_vocabulary, mean_hidden,
};
use serde_json::Value;
use thesis_core::{AnswerOutcome, StructureTag};
use token_grammar::Grammar;
use tokenize::{ModelFiles, PromptFormat, PromptOptions, StructureTokens};

const END: u32 = 258;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn golden() -> Value {
    let text = std::fs::read_to_string(fixture("evaluate/answers.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn model<B: DecoderBackend>(with_adapter: bool) -> CausalLm<B> {
    let folder = fixture("models/llama");
    let adapter = with_adapter.then(|| folder.join("adapter"));
    let options = LoadOptions { adapter, ..LoadOptions::default() };
    load(&folder, &options, &B::Device::default(), &|_| {}).unwrap()
}

fn format(structure_tokens: StructureTokens) -> PromptFormat {
    let files = ModelFiles::read(&fixture("models/llama")).unwrap();
    let options = PromptOptions { structure_tokens, ..PromptOptions::default() };
    PromptFormat::new(&files, &options).unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn options(chunk: usize) -> AnswerOptions {
    AnswerOptions {
        max_new_tokens: 12,
        sampling: Sampling::greedy(),
        stop_ids: vec![END],
        kv_cache: KvDtype::F32,
        chunk,
    }
}

fn rows(cases: &Value) -> Vec<GroupRow> {
    let row = |case: &Value| GroupRow {
        prompt: ids(&case["prompt"]),
        reference: Some(ids(&case["reference"])),
        seed: 7,
    };
    cases.as_array().unwrap().iter().map(row).collect()
}

fn answers<B: DecoderBackend>(
    model: &CausalLm<B>,
    format: &PromptFormat,
    rows: &[GroupRow],
    chunk: usize,
) -> Vec<RowAnswer> {
    let reader = AnswerReader::new(format).unwrap();
    let mut ended = 0;
    let found =
        answer_group(model, rows, &options(chunk), &reader, None, &mut || ended += 1).unwrap();
    assert_eq!(ended, rows.len());
    found
}

#[track_caller]
fn close(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 2e-4 * want.abs().max(1.0), "{what}: {got} {want}");
}

fn as_transformers<B: DecoderBackend>(chunk: usize) {
    let golden = golden();
    for (name, cases) in golden["cases"].as_object().unwrap() {
        let structure = match name.ends_with("_tokens") {
            true => StructureTokens::Added,
            false => StructureTokens::Plain,
        };
        let model = model::<B>(name.starts_with("adapter"));
        let format = format(structure);
        let found = answers(&model, &format, &rows(cases), chunk);
        for (row, (answer, case)) in found.iter().zip(cases.as_array().unwrap()).enumerate() {
            let what = format!("{name} {row} by {chunk}");
            assert_eq!(answer.ids, ids(&case["answer"]), "{what}");
            let wanted = numbers(&case["action_log_probs"]);
            for (got, want) in answer.action_log_probs.iter().zip(&wanted) {
                close(*got, *want, &what);
            }
            let loss = answer.loss.unwrap();
            close(loss.sum, case["loss_sum"].as_f64().unwrap(), &what);
            assert_eq!(loss.tokens as usize, case["reference"].as_array().unwrap().len());
        }
    }
}

#[test]
fn answers_actions_and_losses_are_those_of_transformers() {
    for chunk in [1024, 40, 7] {
        as_transformers::<Flex>(chunk);
    }
    as_transformers::<NdArray>(64);
}

#[test]
fn means_are_those_of_transformers() {
    let golden = golden();
    let texts: Vec<Vec<u32>> =
        golden["means"].as_array().unwrap().iter().map(|text| ids(&text["ids"])).collect();
    let format = format(StructureTokens::Plain);
    assert_eq!(format.text_ids("Up.").unwrap(), texts[0]);
    let with_gap: Vec<Vec<u32>> = [&texts[..1], &[Vec::new()], &texts[1..]].concat();
    for chunk in [1, 30, 1000] {
        let found = mean_hidden(&model::<Flex>(false), &with_gap, chunk).unwrap();
        assert_eq!(found[1], None);
        for (got, want) in found.iter().flatten().zip(golden["means"].as_array().unwrap()) {
            for (got, want) in got.iter().zip(numbers(&want["mean"])) {
                close(f64::from(*got), want, "mean");
            }
        }
    }
}

#[test]
fn without_its_adapter_a_model_is_its_base() {
    let golden = golden();
    let (format, cases) = (format(StructureTokens::Plain), &golden["cases"]["base_text"]);
    let mut bare = model::<Flex>(true);
    remove_adapters(&mut bare);
    let [with, without] =
        [&bare, &model::<Flex>(false)].map(|model| answers(model, &format, &rows(cases), 512));
    assert_eq!(with, without);
}

#[test]
fn a_row_says_the_same_in_any_group_and_a_group_the_same_bits() {
    let golden = golden();
    let cases = &golden["cases"]["adapter_text"];
    let (model, format) = (model::<Flex>(true), format(StructureTokens::Plain));
    let mut rows = rows(cases);
    // Prompts that share a beginning with others, two rows that are the same, and one without a reference.
    rows.push(rows[0].clone());
    rows.push(GroupRow { reference: None, ..rows[1].clone() });
    let all = answers(&model, &format, &rows, 512);
    assert_eq!(all, answers(&model, &format, &rows, 512));
    assert_eq!(all[4].loss, None);
    for (row, together) in rows.iter().zip(&all) {
        let alone = &answers(&model, &format, std::slice::from_ref(row), 512)[0];
        assert_eq!(alone.ids, together.ids);
        for (a, b) in alone.action_log_probs.iter().zip(&together.action_log_probs) {
            close(*a, *b, "alone");
        }
        if let (Some(a), Some(b)) = (alone.loss, together.loss) {
            close(a.sum, b.sum, "alone");
        }
        // And as one pass over the whole sequence has it.
        if let (Some(reference), Some(loss)) = (&row.reference, together.loss) {
            let whole = score(&model, &[&*row.prompt, reference].concat()).unwrap();
            let sum: f64 =
                whole[row.prompt.len() - 1..].iter().map(|value| -f64::from(*value)).sum();
            close(loss.sum, sum, "whole");
        }
    }
}

#[test]
fn a_grammar_makes_every_answer_valid() {
    for structure in [StructureTokens::Plain, StructureTokens::Added] {
        let (model, format) = (model::<Flex>(true), format(structure));
        let golden = golden();
        let name =
            if structure == StructureTokens::Added { "adapter_tokens" } else { "adapter_text" };
        let rows = rows(&golden["cases"][name]);
        let vocabulary = grammar_vocabulary(&format, &[END], model.config().vocab_size).unwrap();
        let grammar = Grammar::thesis(&vocabulary).unwrap();
        let reader = AnswerReader::new(&format).unwrap();
        let options = AnswerOptions { max_new_tokens: 120, ..options(512) };
        let make = || -> Result<Box<dyn Constraint>, causal_lm::generate::AnyError> {
            Ok(Box::new(grammar.matcher(120)?))
        };
        let found =
            answer_group(&model, &rows, &options, &reader, Some(&make), &mut || {}).unwrap();
        for answer in found {
            assert_eq!(answer.parsed.outcome, AnswerOutcome::Valid, "{:?}", answer.text);
            // The last tag of an answer by grammar ends it, or the model does behind it.
            assert_ne!(answer.end, AnswerEnd::Length, "{:?}", answer.text);
            assert!(answer.text.contains(StructureTag::Action.open()));
        }
    }
}

#[test]
fn what_cannot_be_asked() {
    let (model, format) = (model::<Flex>(false), format(StructureTokens::Plain));
    let reader = AnswerReader::new(&format).unwrap();
    let check = |prompt: &[u32], reference: &[u32], want: &str| {
        let row =
            GroupRow { prompt: prompt.to_vec(), reference: Some(reference.to_vec()), seed: 0 };
        let error: LmEvaluateError =
            answer_group(&model, &[row], &options(512), &reader, None, &mut || {}).unwrap_err();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text += &format!(": {cause}");
            source = cause.source();
        }
        assert!(text.contains(want), "{text}");
    };
    check(&[], &[1], "no tokens");
    check(&[5, 272], &[1], "272");
    check(&[5], &[1, 300], "300");
    check(&[5], &[], "none to be predicted");
    assert!(
        answer_group(&model, &[], &options(512), &reader, None, &mut || {}).unwrap().is_empty()
    );
}
