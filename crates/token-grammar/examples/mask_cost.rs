//! What masks cost on the vocabulary of a real model: `mask_cost PATH/tokenizer.json`.
//!
//! Prints microseconds a token (mask and accept together) for free text between tags far from the
//! end of the budget and near it, and for a JSON schema; then random texts, each checked.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

use llguidance::token_bytes_from_tokenizer_json;
use serde_json::{Value, json};
use thesis_core::StructureTag;
use token_grammar::{Grammar, Step, Vocabulary};

const TEXT: &str = "Price is 3.2% above its 50-day average while RSI(14)=54.93 says neither overbought nor \
    oversold; revenue grew 11% year over year, margins held, and management raised its outlook for the \
    second half. Risks: a stronger dollar, and inventories that are 18 days longer than a year ago. ";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let path = std::env::args().nth(1).ok_or("usage: mask_cost PATH/tokenizer.json")?;
    let tokenizer: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let mut bytes: Vec<Option<Vec<u8>>> =
        token_bytes_from_tokenizer_json(&tokenizer)?.into_iter().map(Some).collect();
    let first = bytes.len() as u32;
    bytes.extend(StructureTag::tokens().map(|token| Some(token.as_bytes().to_vec())));
    let special: BTreeMap<String, u32> =
        StructureTag::tokens().map(str::to_owned).zip(first..).collect();
    let began = Instant::now();
    let vocabulary = Vocabulary::new(bytes.clone(), special, vec![2])?;
    say(format!("vocabulary of {} tokens: {:.0?}", vocabulary.len(), began.elapsed()))?;
    let plain = Vocabulary::new(bytes[..first as usize].to_vec(), BTreeMap::new(), vec![2])?;

    let schema = json!({
        "type": "object",
        "properties": {
            "reasoning": {"type": "string", "minLength": 1},
            "points": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
            "target": {"type": "number"},
            "action": {"enum": ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"]},
        },
        "required": ["reasoning", "action"],
        "additionalProperties": false,
    });
    let timed = |name: &str, make: &dyn Fn() -> Outcome<Grammar>| -> Outcome<Grammar> {
        let began = Instant::now();
        let grammar = make()?;
        say(format!(
            "{name}: made in {:.0?}, at least {} tokens",
            began.elapsed(),
            grammar.shortest()
        ))?;
        Ok(grammar)
    };
    let grammars = [
        ("thesis", timed("thesis", &|| Ok(Grammar::thesis(&vocabulary)?))?),
        ("thesis, plain tags", timed("thesis, plain tags", &|| Ok(Grammar::thesis(&plain)?))?),
        ("schema", timed("schema", &|| Ok(Grammar::json_schema(&plain, &schema)?))?),
    ];
    for (name, grammar) in &grammars {
        let start = match *name {
            "schema" => "{\"reasoning\": \"",
            "thesis" => "",
            _ => "<reasoning>",
        };
        for budget in [2_000, 420] {
            free_text(name, grammar, &bytes, start, budget)?;
        }
        random(name, grammar, &bytes)?;
    }
    Ok(())
}

/// 400 tokens of text.
fn free_text(
    name: &str,
    grammar: &Grammar,
    bytes: &[Option<Vec<u8>>],
    start: &str,
    budget: usize,
) -> Outcome<()> {
    let mut matcher = grammar.matcher(budget)?;
    let mut remaining = budget;
    let mut times = Vec::new();
    let text = [start, &TEXT.repeat(12)].concat();
    let mut rest = text.as_bytes();
    while times.len() < 400 {
        let began = Instant::now();
        let mask = matcher.mask(remaining)?.clone();
        let masked = began.elapsed();
        let length = |id: &u32| bytes[*id as usize].as_ref().map_or(0, Vec::len);
        let fits = |id: &u32| rest.starts_with(bytes[*id as usize].as_deref().unwrap_or(b"\0"));
        // A tag that is one token is no part of the text, and comes where no text may.
        let next = mask.ids().filter(fits).max_by_key(length).or_else(|| mask.ids().next());
        let Some(next) = next else { break };
        let began = Instant::now();
        let step = matcher.accept(next)?;
        times.push(masked + began.elapsed());
        if step != Step::Accepted {
            break;
        }
        if fits(&next) {
            rest = &rest[length(&next)..];
        }
        remaining -= 1;
    }
    report(&format!("{name}, free text, budget {budget}"), &mut times)
}

/// Texts of tokens picked at random, within small budgets.
fn random(name: &str, grammar: &Grammar, bytes: &[Option<Vec<u8>>]) -> Outcome<()> {
    let mut dice = 7_u64;
    let mut times = Vec::new();
    for round in 0..40 {
        let budget = grammar.shortest() + round;
        let mut matcher = grammar.matcher(budget)?;
        let mut text = Vec::new();
        let mut tokens = 0;
        loop {
            let began = Instant::now();
            let mask = matcher.mask(budget - tokens)?;
            let masked = began.elapsed();
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let place = (dice >> 33) as usize % mask.count();
            let id = mask.ids().nth(place).ok_or("no token")?;
            let began = Instant::now();
            let step = matcher.accept(id)?;
            times.push(masked + began.elapsed());
            if step != Step::Refused && !grammar.vocabulary().eos_ids().contains(&id) {
                text.extend(bytes[id as usize].clone().unwrap_or_default());
                tokens += 1;
            }
            if step == Step::Finished {
                break;
            }
        }
        let text = String::from_utf8(text)?;
        grammar.validates(&text).map_err(|error| format!("{error}: {text}"))?;
    }
    report(&format!("{name}, random texts near their budget"), &mut times)
}

fn report(name: &str, times: &mut [Duration]) -> Outcome<()> {
    times.sort_unstable();
    let total: Duration = times.iter().sum();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    say(format!(
        "{name}: {} tokens, {:.1} µs a token, median {:.1}, p99 {:.1}, most {:.1}",
        times.len(),
        micros(total) / times.len() as f64,
        micros(times[times.len() / 2]),
        micros(times[times.len() * 99 / 100]),
        micros(times[times.len() - 1]),
    ))
}

fn say(line: String) -> Outcome<()> {
    Ok(writeln!(stdout(), "{line}")?)
}
