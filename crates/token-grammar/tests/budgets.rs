//! Whatever tokens a model picks under the mask, the text is whole within its budget.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use thesis_core::{Completion, StructureTag};
use token_grammar::{Grammar, GrammarError, Matcher, Step, Vocabulary};

/// Longer tokens than single bytes: words, pieces of tags and JSON, and halves of characters.
const PIECES: [&str; 34] = [
    "the",
    " price",
    "reason",
    "ing",
    "ing>",
    "</",
    "</support>",
    "><",
    "\n\n",
    "  ",
    "STRONG",
    "_BUY",
    "HO",
    "LD",
    "SELL",
    "{\"",
    "\"}",
    "\": ",
    "\": \"",
    "\", \"",
    ", ",
    "[]",
    "[{\"",
    "}]",
    "\"]",
    "true",
    "false",
    "null",
    "000",
    "12",
    "-1",
    ".5",
    "株",
    "e1",
];
const END: u32 = 255;

fn token_bytes() -> Vec<Option<Vec<u8>>> {
    // Byte 0xFF is in no text: its id ends generation.
    let bytes = (0..=255).map(|byte| (byte < 255).then(|| vec![byte]));
    let pieces = PIECES.iter().map(|piece| Some(piece.as_bytes().to_vec()));
    let halves = [Some(vec![0xF0, 0x9F]), Some(vec![0x97, b'a']), None];
    let tags = StructureTag::tokens().map(|token| Some(token.as_bytes().to_vec()));
    bytes.chain(pieces).chain(halves).chain(tags).collect()
}

fn vocabulary(structure_tokens: bool) -> Vocabulary {
    let bytes = token_bytes();
    let first = bytes.len() - StructureTag::tokens().count();
    let special: BTreeMap<String, u32> = StructureTag::tokens()
        .zip(first as u32..)
        .filter(|_| structure_tokens)
        .map(|(token, id)| (token.to_owned(), id))
        .collect();
    // Without structure tokens the last ids would be whole tags as text; they are cut off.
    let bytes = if structure_tokens { bytes } else { bytes[..first].to_vec() };
    Vocabulary::new(bytes, special, vec![END]).expect("a sound vocabulary")
}

static PLAIN: LazyLock<Vocabulary> = LazyLock::new(|| vocabulary(false));
static SPECIAL: LazyLock<Vocabulary> = LazyLock::new(|| vocabulary(true));

static GRAMMARS: LazyLock<Vec<(&str, Grammar)>> = LazyLock::new(|| {
    let mut all = vec![
        ("thesis, plain", Grammar::thesis(&PLAIN)),
        ("thesis, special", Grammar::thesis(&SPECIAL)),
        ("regex", Grammar::regex(&PLAIN, r"[a-z]+@[a-z]{2,8}\.(com|org)( [0-9]{3,5})?")),
        (
            "lark",
            Grammar::lark(
                &PLAIN,
                "start: expr\nexpr: term (\"+\" term)*\nterm: /[0-9]+/ | \"(\" expr \")\"\n",
            ),
        ),
    ];
    let schemas = schemas();
    all.extend(
        schemas.iter().map(|(name, schema)| (*name, Grammar::json_schema(&SPECIAL, schema))),
    );
    all.into_iter()
        .map(|(name, grammar)| (name, grammar.unwrap_or_else(|e| panic!("{name}: {e:?}"))))
        .collect()
});

fn schemas() -> Vec<(&'static str, Value)> {
    let trade = json!({
        "type": "object",
        "properties": {
            "ticker": {"type": "string", "pattern": "^[A-Z]{1,5}$"},
            "action": {"enum": ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"]},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
            "note": {"type": "string"},
            "legs": {"type": "array", "minItems": 1, "maxItems": 3, "items": {
                "type": "object",
                "properties": {"size": {"type": "integer", "minimum": 100}, "tags": {"type": "array", "items": {"type": "string"}}},
                "required": ["size"], "additionalProperties": false,
            }},
        },
        "required": ["ticker", "action", "legs"],
        "additionalProperties": false,
    });
    let tree = json!({
        "$defs": {"node": {
            "type": "object",
            "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["value"], "additionalProperties": false,
        }},
        "$ref": "#/$defs/node",
    });
    let long = json!({
        "type": "object",
        "properties": {"summary": {"type": "string", "minLength": 20, "maxLength": 200}, "ok": {"type": "boolean"},
            "other": {"anyOf": [{"type": "null"}, {"type": "number"}, {"type": "string", "minLength": 3}]}},
        "required": ["summary", "ok", "other"], "additionalProperties": false,
    });
    let open = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    vec![("trade", trade), ("tree", tree), ("long", long), ("open", open), ("any", json!({}))]
}

/// How a model picks among the tokens that are allowed.
#[derive(Debug, Clone, Copy)]
enum Pick {
    Any,
    Longest,
    Shortest,
    /// Never what may close, where anything else is allowed.
    Open,
    Last,
}

const PICKS: [Pick; 5] = [Pick::Any, Pick::Longest, Pick::Shortest, Pick::Open, Pick::Last];

/// Small, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

fn pick(ids: &[u32], pick: Pick, dice: &mut Dice, bytes: &[Option<Vec<u8>>]) -> u32 {
    let text = |id: u32| bytes[id as usize].clone().unwrap_or_default();
    let length = |id: &u32| text(*id).len();
    match pick {
        Pick::Any => ids[dice.roll(ids.len())],
        Pick::Longest => ids.iter().copied().max_by_key(length).expect("an id"),
        Pick::Shortest => {
            ids.iter().copied().filter(|id| *id != END).min_by_key(length).unwrap_or(END)
        }
        Pick::Last => ids.iter().copied().rev().find(|id| *id != END).unwrap_or(END),
        Pick::Open => {
            let closes =
                |id: &u32| *id == END || text(*id).iter().any(|b| b"\"}])<@+.,".contains(b));
            let open: Vec<u32> = ids.iter().copied().filter(|id| !closes(id)).collect();
            let ids = if open.is_empty() { ids } else { &open };
            ids[dice.roll(ids.len())]
        }
    }
}

/// Writes a text; the tokens without the one that ends generation.
fn generate(matcher: &mut Matcher, budget: usize, how: Pick, dice: &mut Dice) -> Vec<u32> {
    let bytes = token_bytes();
    let mut tokens = Vec::new();
    loop {
        let remaining = budget - tokens.len();
        let ids: Vec<u32> = matcher.mask(remaining).expect("a mask").ids().collect();
        assert!(!ids.is_empty(), "nothing may come after {tokens:?}");
        let id = pick(&ids, how, dice, &bytes);
        match matcher.accept(id).expect("what the mask allows is accepted") {
            Step::Accepted => tokens.push(id),
            Step::Finished => {
                tokens.extend((id != END).then_some(id));
                return tokens;
            }
            Step::Refused => {
                let ids: Vec<u32> = matcher.mask(remaining).expect("a mask").ids().collect();
                assert_eq!(ids.len(), 1, "one way is left");
                assert_ne!(ids[0], id);
            }
        }
        assert!(tokens.len() <= budget);
    }
}

fn text(tokens: &[u32]) -> String {
    let bytes = token_bytes();
    let text: Vec<u8> =
        tokens.iter().flat_map(|id| bytes[*id as usize].clone().expect("text")).collect();
    String::from_utf8(text).expect("UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_text_is_whole_within_its_budget(seed in any::<u64>(), extra in 0..50_usize, how in 0..PICKS.len()) {
        for (name, grammar) in &*GRAMMARS {
            let budget = grammar.shortest() + extra;
            let mut matcher = grammar.matcher(budget).unwrap();
            let tokens = generate(&mut matcher, budget, PICKS[how], &mut Dice(seed));
            prop_assert!(tokens.len() <= budget);
            let text = text(&tokens);
            if let Err(error) = grammar.validates(&text) {
                panic!("{name} {:?} budget {budget}: {text:?}: {error}", PICKS[how]);
            }
            if name.starts_with("thesis") {
                let completion = Completion::parse(&text).unwrap();
                prop_assert!(!completion.reasoning.trim().is_empty() && !completion.support.trim().is_empty());
            }
        }
    }
}

#[test]
fn a_budget_below_the_shortest_text_is_refused() {
    for (name, grammar) in &*GRAMMARS {
        let needed = grammar.shortest();
        let error = grammar.matcher(needed - 1).unwrap_err();
        assert!(
            matches!(error, GrammarError::Budget { needed: n, budget } if n == needed && budget == needed - 1),
            "{name}"
        );
    }
}

#[test]
fn the_shortest_texts_are_known() {
    let shortest = |name: &str| {
        let grammar = &GRAMMARS.iter().find(|(n, _)| *n == name).expect("a grammar").1;
        let mut matcher = grammar.matcher(grammar.shortest()).expect("a matcher");
        let tokens = generate(&mut matcher, grammar.shortest(), Pick::Any, &mut Dice(1));
        (tokens.len(), text(&tokens))
    };
    // Six tags, an action and two texts.
    assert_eq!(shortest("thesis, special").0, 9);
    assert_eq!(shortest("lark").0, 1);
    assert_eq!(shortest("any").0, 1);
    assert_eq!(shortest("open"), (1 + 1, "{}".to_owned()));
    // a@aa.com: eight bytes, for which there are no longer tokens.
    assert_eq!(shortest("regex").0, 8);
    for (name, grammar) in &*GRAMMARS {
        println!("{name}: {} {:?}", grammar.shortest(), shortest(name).1);
    }
}
