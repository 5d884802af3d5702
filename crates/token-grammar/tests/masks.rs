//! What masks allow, what is refused, and how it is said.

use std::collections::BTreeMap;
use std::error::Error;

use serde_json::json;
use thesis_core::{Completion, StructureTag};
use token_grammar::{Grammar, GrammarError, Matcher, Step, TokenMask, Vocabulary};

const END: u32 = 255;
const FIRST_TAG: u32 = 256;

/// Single bytes, and the structure tokens after them.
fn vocabulary() -> Vocabulary {
    let bytes = (0..=255).map(|byte| (byte < 255).then(|| vec![byte]));
    let tags = StructureTag::tokens().map(|token| Some(token.as_bytes().to_vec()));
    let special: BTreeMap<String, u32> =
        StructureTag::tokens().map(str::to_owned).zip(FIRST_TAG..).collect();
    Vocabulary::new(bytes.chain(tags).collect(), special, vec![END]).expect("a vocabulary")
}

fn tag(name: &str) -> u32 {
    StructureTag::tokens().position(|token| token == name).expect("a tag") as u32 + FIRST_TAG
}

fn message(error: &GrammarError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// Accepts tokens that must all be fine.
fn accept(matcher: &mut Matcher, ids: impl IntoIterator<Item = u32>) {
    for id in ids {
        assert_eq!(matcher.accept(id).expect("allowed"), Step::Accepted);
    }
}

fn bytes(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.bytes().map(u32::from)
}

fn allowed(mask: &TokenMask) -> Vec<u32> {
    mask.ids().collect()
}

#[test]
fn a_thesis_is_written_with_the_structure_tokens_where_they_are() {
    let grammar = Grammar::thesis(&vocabulary()).unwrap();
    let mut matcher = grammar.matcher(100).unwrap();
    assert_eq!(allowed(matcher.mask(100).unwrap()), [tag("<reasoning>")]);
    accept(&mut matcher, [tag("<reasoning>")]);
    let mask = matcher.mask(99).unwrap();
    assert!(mask.allows(u32::from(b'a')) && mask.allows(u32::from(b' ')));
    assert!(!mask.allows(u32::from(b'<')), "a text cannot begin a tag");
    assert!(!mask.allows(tag("</reasoning>")), "a text is not empty");
    accept(&mut matcher, bytes("  "));
    assert!(!matcher.mask(97).unwrap().allows(tag("</reasoning>")), "a text is not blank");
    accept(&mut matcher, bytes("é"));
    let mask = matcher.mask(95).unwrap();
    assert!(
        mask.allows(tag("</reasoning>")) && !mask.allows(tag("<support>")) && !mask.allows(END)
    );
    accept(&mut matcher, [tag("</reasoning>")]);
    assert_eq!(matcher.forced(), [tag("<support>")]);
    accept(&mut matcher, [tag("<support>")].into_iter().chain(bytes("x")));
    accept(&mut matcher, [tag("</support>"), tag("<action>")]);
    let actions = ["<STRONG_BUY>", "<BUY>", "<HOLD>", "<SELL>", "<STRONG_SELL>"].map(tag);
    assert_eq!(allowed(matcher.mask(90).unwrap()), actions);
    assert_eq!(matcher.forced(), [0; 0]);
    accept(&mut matcher, [tag("<SELL>")]);
    assert_eq!(matcher.forced(), [tag("</action>")]);
    assert_eq!(matcher.accept(tag("</action>")).unwrap(), Step::Finished);
    assert!(matcher.is_finished());
    assert_eq!(allowed(matcher.mask(88).unwrap()), [END]);
    assert!(matches!(matcher.accept(END), Err(GrammarError::AfterEnd { id: END })));
}

#[test]
fn tokens_out_of_place_change_nothing() {
    let grammar = Grammar::regex(&vocabulary(), "ab+").unwrap();
    let mut matcher = grammar.matcher(10).unwrap();
    for id in [u32::from(b'b'), END, tag("<BUY>"), 266, 267, u32::MAX] {
        let error = matcher.accept(id).unwrap_err();
        assert!(matches!(error, GrammarError::NotAllowed { id: got } if got == id), "{id}");
    }
    accept(&mut matcher, bytes("ab"));
    let mask = matcher.mask(8).unwrap();
    assert_eq!(allowed(mask), [u32::from(b'b'), END], "it may end, or go on");
    let mut other = matcher.clone();
    assert_eq!(other.accept(END).unwrap(), Step::Finished);
    accept(&mut matcher, bytes("b"));
    assert_eq!(allowed(matcher.mask(0).unwrap()), [END]);
}

#[test]
fn the_budget_decides_what_is_refused() {
    // An `a` leaves one byte to write, a `b` five.
    let grammar = Grammar::regex(&vocabulary(), "(a1|b12345)").unwrap();
    assert_eq!(grammar.shortest(), 2);
    let b = u32::from(b'b');
    let mut roomy = grammar.matcher(6).unwrap();
    assert!(roomy.mask(6).unwrap().allows(b));
    assert_eq!(roomy.accept(b).unwrap(), Step::Accepted);
    let mut tight = grammar.matcher(5).unwrap();
    assert!(tight.mask(5).unwrap().allows(b));
    assert_eq!(tight.accept(b).unwrap(), Step::Refused);
    assert_eq!(allowed(tight.mask(5).unwrap()), [u32::from(b'a')]);
    accept(&mut tight, bytes("a"));
    assert_eq!(tight.accept(u32::from(b'1')).unwrap(), Step::Finished);
    let mut shortened = grammar.matcher(6).unwrap();
    assert_eq!(allowed(shortened.mask(2).unwrap()), [u32::from(b'a')]);
    let error = shortened.mask(1).unwrap_err();
    assert!(matches!(error, GrammarError::Budget { budget: 1, needed: 2 }), "{error}");
}

#[test]
fn masks_are_applied_to_logits() {
    let grammar = Grammar::regex(&vocabulary(), "[ab]").unwrap();
    let mut matcher = grammar.matcher(1).unwrap();
    let mask = matcher.mask(1).unwrap();
    // Models have logits beyond their vocabulary.
    let mut logits = vec![1.0_f32; 320];
    mask.apply(&mut logits);
    let kept: Vec<usize> = (0..320).filter(|id| logits[*id] == 1.0).collect();
    // A budget of one byte leaves the one of the plan.
    assert_eq!(kept, [usize::from(b'a')]);
    assert_eq!(mask.count(), 1);
    assert!(!mask.allows(300) && !mask.allows(u32::MAX));
    assert!(logits.iter().all(|logit| *logit == 1.0 || *logit == f32::NEG_INFINITY));
}

#[test]
fn forced_text_is_cut_as_the_tokenizer_cuts_it() {
    let schema = json!({"type": "object", "properties": {"key": {"type": "integer"}}, "required": ["key"],
        "additionalProperties": false});
    let forced = |vocabulary: &Vocabulary| {
        let grammar = Grammar::json_schema(vocabulary, &schema).expect("a grammar");
        grammar.matcher(100).expect("a matcher").forced()
    };
    let text = bytes("{\"key\":").collect::<Vec<_>>();
    assert_eq!(forced(&vocabulary()), [0; 0], "how a tokenizer would cut it is not known");
    let by_byte = vocabulary().with_tokenizer(|text| bytes(text).collect());
    assert_eq!(forced(&by_byte), text, "the space after the colon may be part of a longer token");
    let wrong = vocabulary().with_tokenizer(|_| vec![u32::from(b'x')]);
    assert_eq!(forced(&wrong), [0; 0], "not the text");
}

#[test]
fn whole_texts_are_checked() {
    let vocabulary = vocabulary();
    let thesis = Grammar::thesis(&vocabulary).unwrap();
    let at = |grammar: &Grammar, text: &str| match grammar.validates(text) {
        Ok(()) => None,
        Err(GrammarError::Text { at, .. }) => Some(at),
        Err(other) => panic!("{}", message(&other)),
    };
    let good = "<reasoning>a > b</reasoning><support>c</support><action><HOLD></action>";
    assert_eq!(at(&thesis, good), None);
    assert!(Completion::parse(good).is_ok());
    assert_eq!(at(&thesis, &good.replace("<HOLD>", "HOLD")), None);
    assert_eq!(
        (at(&thesis, &format!(" {good}")), at(&thesis, &format!("  {good}"))),
        (None, Some(1))
    );
    assert_eq!(at(&thesis, &good.replace("<HOLD>", "MOON")), Some(56));
    assert_eq!(at(&thesis, &good[..20]), Some(20));
    assert_eq!(at(&thesis, &good.replace("a > b", " \n")), Some(13));
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer", "maximum": 7}}, "required": ["a"]});
    let schema = Grammar::json_schema(&vocabulary, &schema).unwrap();
    assert_eq!(at(&schema, "{\"a\": 7}"), None);
    assert_eq!(at(&schema, "{\"a\": 8}"), Some(6));
    assert!(matches!(schema.validates("{\"a\": 7"), Err(GrammarError::Json { .. })));
    let ids = Grammar::lark(&vocabulary, "start: <[256]> \"a\"").unwrap();
    let error = ids.validates("a").unwrap_err();
    assert!(message(&error).contains("ids, which are no text"), "{}", message(&error));
    // A set of letters is no list of ids.
    let letters = Grammar::lark(&vocabulary, "start: /<[a-c]>/").unwrap();
    assert_eq!(at(&letters, "<b>"), None);
}

#[test]
fn what_cannot_be_a_grammar_is_told() {
    let vocabulary = vocabulary();
    let check = |got: Result<Grammar, GrammarError>, want: &[&str]| {
        let error = message(&got.expect_err("refused"));
        for want in want {
            assert!(error.contains(want), "{error}");
        }
    };
    let schema = |schema| Grammar::json_schema(&vocabulary, &schema);
    check(
        schema(json!({"type": "object", "dependentSchemas": {"a": {}}})),
        &["JSON schema", "dependentSchemas"],
    );
    check(schema(json!({"type": "array", "uniqueItems": true})), &["uniqueItems"]);
    check(schema(json!({"type": "nonsense"})), &["nonsense"]);
    check(schema(json!({"type": "integer", "minimum": 3, "maximum": 2})), &["Unsatisfiable"]);
    check(schema(json!(7)), &["JSON schema"]);
    check(Grammar::regex(&vocabulary, "(a"), &["regular expression"]);
    check(Grammar::lark(&vocabulary, "start: nowhere"), &["Lark grammar", "nowhere"]);
    check(Grammar::lark(&vocabulary, "start: <|nothing|>"), &["Lark grammar", "<|nothing|>"]);
    check(Grammar::lark(&vocabulary, ""), &["Lark grammar"]);
}

#[test]
fn vocabularies_that_cannot_be_used_are_told() {
    let word = || vec![Some(b"a".to_vec()), None];
    let special = |id| BTreeMap::from([("<x>".to_owned(), id)]);
    let check = |got: Result<Vocabulary, GrammarError>, want: &str| {
        let error = got.expect_err("refused").to_string();
        assert!(error.contains(want), "{error}");
    };
    check(Vocabulary::new(vec![], BTreeMap::new(), vec![0]), "has 0 tokens");
    check(Vocabulary::new(word(), BTreeMap::new(), vec![]), "no id is given");
    check(Vocabulary::new(word(), BTreeMap::new(), vec![2]), "the end token has the id 2, but");
    check(Vocabulary::new(word(), special(9), vec![1]), "the <x> token has the id 9, but");
    let small = Vocabulary::new(word(), BTreeMap::new(), vec![1]).unwrap();
    assert_eq!(Grammar::regex(&small, "a{3}").unwrap().shortest(), 3);
    let error = message(&Grammar::thesis(&small).unwrap_err());
    assert!(error.contains("no end of the thesis grammar"), "{error}");
}

#[test]
fn grammars_are_shared_among_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Vocabulary>();
    shared::<Grammar>();
    shared::<Matcher>();
    shared::<TokenMask>();
}
