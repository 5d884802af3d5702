//! Tokenizers and grammars together: what is written under a mask reads back.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use thesis_core::{Completion, StructureTag};
use token_grammar::{Grammar, Step, Vocabulary};
use tokenize::{
    Detokenizer, ModelFiles, PromptFormat, PromptOptions, SpecialTokens, StructureTokens,
    begins_with_space, token_bytes,
};

fn format(name: &str, structure_tokens: StructureTokens) -> PromptFormat {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokenizers").join(name);
    let options = PromptOptions { structure_tokens, ..PromptOptions::default() };
    let files = ModelFiles::read(&folder).expect("the files are there");
    PromptFormat::new(&files, &options).expect("the fixture is sound")
}

fn grammar(format: &PromptFormat) -> Grammar {
    let tokenizer = format.tokenizer();
    let added = tokenizer.get_added_tokens_decoder();
    let special: BTreeMap<String, u32> = added
        .into_iter()
        .filter(|(_, token)| StructureTag::tokens().any(|tag| tag == token.content))
        .map(|(id, token)| (token.content, id))
        .collect();
    let bytes = token_bytes(tokenizer).expect("a known decoder");
    let vocabulary = Vocabulary::new(bytes, special, vec![format.end_token().id]);
    let vocabulary = vocabulary.expect("a vocabulary");
    let vocabulary = vocabulary.with_space_first(begins_with_space(tokenizer));
    Grammar::thesis(&vocabulary).expect("a grammar")
}

#[test]
fn the_shortest_thesis_is_short_with_structure_tokens() {
    for name in ["byte-level", "bpe", "metaspace"] {
        let shortest = |tokens| grammar(&format(name, tokens)).shortest();
        assert_eq!(shortest(StructureTokens::Added), 9, "{name}");
        assert!(shortest(StructureTokens::Plain) > 20, "{name}");
    }
}

#[test]
fn an_answer_that_was_learnt_is_allowed_token_by_token() {
    let output = "<reasoning>RSI(14)=54.9, é 株 &lt;BUY>\n</reasoning><support>a | b</support><action>STRONG_BUY</action>";
    for name in ["byte-level", "bpe", "metaspace"] {
        for tokens in [StructureTokens::Added, StructureTokens::Plain] {
            let format = format(name, tokens);
            let ids = format.target_ids(output).unwrap();
            let (end, answer) = ids.split_last().unwrap();
            assert_eq!(*end, format.end_token().id);
            let mut matcher = grammar(&format).matcher(1_000).unwrap();
            for (at, id) in answer.iter().enumerate() {
                assert!(matcher.mask(1_000 - at).unwrap().allows(*id), "{name} {tokens:?} {at}");
                let step = matcher.accept(*id).unwrap();
                assert_eq!(step == Step::Finished, at + 1 == answer.len(), "{name} {tokens:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_is_written_under_a_mask_reads_back(seed in any::<u64>(), extra in 0..60_usize) {
        for name in ["byte-level", "bpe", "metaspace"] {
            for tokens in [StructureTokens::Added, StructureTokens::Plain] {
                let format = format(name, tokens);
                let grammar = grammar(&format);
                let budget = grammar.shortest() + extra;
                let mut matcher = grammar.matcher(budget).unwrap();
                let mut stream = Detokenizer::new(format.tokenizer()).unwrap().stream(SpecialTokens::Keep);
                let (mut text, mut dice, mut written) = (String::new(), seed, 0);
                loop {
                    let mask = matcher.mask(budget - written).unwrap();
                    dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let id = mask.ids().nth((dice >> 33) as usize % mask.count()).unwrap();
                    let step = matcher.accept(id).unwrap();
                    if step == Step::Refused {
                        continue;
                    }
                    text.push_str(stream.push(id));
                    written += 1;
                    if step == Step::Finished {
                        break;
                    }
                }
                prop_assert!(written <= budget);
                prop_assert_eq!(stream.finish(), "");
                prop_assert!(Completion::parse(&text).is_ok(), "{}", text);
            }
        }
    }
}
