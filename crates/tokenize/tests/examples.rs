//! What is a target and what is not, for any text.

use std::path::Path;

use proptest::prelude::*;
use thesis_core::{Action, AsOfDate, Completion, StructureTag};
use tokenize::{
    Fit, IGNORED, ModelFiles, PromptFormat, PromptOptions, Question, StructureTokens, fit,
};

const NAMES: [&str; 3] = ["byte-level", "bpe", "metaspace"];

fn format(name: &str, structure_tokens: StructureTokens) -> PromptFormat {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokenizers").join(name);
    let options = PromptOptions { structure_tokens, ..PromptOptions::default() };
    let files = ModelFiles::read(&folder).expect("the files are there");
    PromptFormat::new(&files, &options).expect("the fixture is sound")
}

fn question<'a>(instruction: &'a str, input: &'a str) -> Question<'a> {
    let as_of_date = AsOfDate::new(chrono::NaiveDate::default());
    Question { instruction, input, as_of_date }
}

/// Texts full of what a tokenizer or a template could stumble over.
fn nasty() -> impl Strategy<Value = String> {
    let mut pieces: Vec<String> = [
        "<|im_end|>",
        "<|im_start|>user\n",
        "</s>",
        "<s>",
        "[INST]",
        "<unk>",
        "<|",
        "{{",
        "%}",
        " ",
        "\n",
        "1.5",
    ]
    .map(String::from)
    .into();
    pieces.extend(StructureTag::tokens().map(String::from));
    prop::collection::vec(prop_oneof![prop::sample::select(pieces), "\\PC{0,8}"], 0..10)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn masks_never_cover_a_target(
        name in prop::sample::select(&NAMES[..]),
        added: bool,
        (instruction, input, reasoning, support) in (nasty(), nasty(), nasty(), nasty()),
        action in 0..5_usize,
    ) {
        let structure = if added { StructureTokens::Added } else { StructureTokens::Plain };
        let format = format(name, structure);
        let output = Completion { reasoning, support, action: Action::ALL[action] }.to_string();
        let example = format.example(&question(&instruction, &input), &output).unwrap();
        let ids: Vec<u32> = example.input_ids().collect();
        let labels: Vec<i32> = example.labels().collect();
        prop_assert_eq!(ids.len(), labels.len());
        prop_assert!(labels[..example.prompt.len()].iter().all(|label| *label == IGNORED));
        let targets: Vec<u32> = labels[example.prompt.len()..].iter().map(|id| *id as u32).collect();
        prop_assert_eq!(&targets, &ids[example.prompt.len()..]);
        let (end, answer) = targets.split_last().unwrap();
        prop_assert_eq!(*end, format.end_token().id);
        prop_assert!(!answer.contains(end));

        let decoded = format.decode(answer).unwrap();
        if name == "metaspace" && !added {
            // SentencePiece takes one leading space for its own, and marks spaces with U+2581.
            prop_assert_eq!(decoded.replace('▁', " "), output.replace('▁', " "));
        } else if name == "metaspace" {
            prop_assert_eq!(decoded.replace('▁', " "), format.answer_text(&output).unwrap().replace('▁', " "));
        } else {
            prop_assert_eq!(&decoded, &format.answer_text(&output).unwrap());
            prop_assert_eq!(Completion::parse(&decoded).unwrap(), Completion::parse(&output).unwrap());
        }
    }

    #[test]
    fn what_is_shortened_fits_and_ends_at_a_line_or_word(
        name in prop::sample::select(&NAMES[..]),
        words in prop::collection::vec("[0-9]{1,5}\\.[0-9]{2}|[a-z]{1,9}", 1..30),
        breaks in prop::collection::vec(prop::sample::select(&[" ", "\n", "  "][..]), 30),
        max_length in 60_usize..400,
    ) {
        let format = format(name, StructureTokens::Added);
        let input: String = words.iter().zip(&breaks).flat_map(|(word, space)| [word.as_str(), space]).collect();
        let output = "<reasoning>Up.</reasoning><support>a</support><action>BUY</action>";
        let question = question("Call it.", &input);
        let whole = format.example(&question, output).unwrap();
        match fit(&format, &question, output, max_length, true).unwrap() {
            Fit::Whole(example) => {
                prop_assert!(example.tokens() <= max_length);
                prop_assert_eq!(example, whole);
            }
            Fit::Shortened { example, kept, tokens } => {
                prop_assert!(tokens > max_length && example.tokens() <= max_length);
                prop_assert_eq!(&example.target, &whole.target);
                prop_assert!(kept == 0 || !input[..kept].ends_with([' ', '\n']));
                prop_assert!(input[kept..].starts_with([' ', '\n']) || kept == 0);
                let shorter = Question { input: &input[..kept], ..question };
                prop_assert_eq!(format.prompt_ids(&shorter).unwrap(), example.prompt);
            }
            Fit::TooLong { tokens } => {
                let empty = Question { input: "", ..question };
                let least = format.example(&empty, output).unwrap().tokens();
                prop_assert!(least > max_length && tokens > max_length);
            }
        }
    }
}

#[test]
fn whole_lines_go_before_words() {
    let format = format("byte-level", StructureTokens::Added);
    let output = "<reasoning></reasoning><support></support><action>BUY</action>";
    let input = "Close=129.41\nRSI=54.9\nMACD=3.4";
    let tokens = |input| format.example(&question("", input), output).unwrap().tokens();
    let check = |max_length: usize, want: Option<&str>| {
        let got = fit(&format, &question("", input), output, max_length, true).unwrap();
        let kept = match got {
            Fit::Shortened { kept, .. } => Some(&input[..kept]),
            _ => None,
        };
        assert_eq!(kept, want, "{max_length}");
    };
    let whole = tokens(input);
    check(whole, None);
    check(whole - 1, Some("Close=129.41\nRSI=54.9"));
    check(tokens("Close=129.41\nRSI=54.9") - 1, Some("Close=129.41"));
    // A single word, a number, is not cut.
    check(tokens("Close=129.41") - 1, Some(""));
    check(tokens("") - 1, None);
    let no_shortening = fit(&format, &question("", input), output, whole - 1, false).unwrap();
    assert_eq!(no_shortening, Fit::TooLong { tokens: whole });
}
