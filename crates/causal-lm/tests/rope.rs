//! Inverse frequencies and attention factors against transformers 5.23 (fixtures/models/make_rope.py).

mod common;

use std::fs;

use causal_lm::read_config;
use causal_lm::rope::frequencies;
use common::fixture;
use serde_json::Value;

/// A few units in the last place: the powers of two programs differ by one, and what follows doubles it.
const RELATIVE: f64 = 5e-7;

#[test]
fn frequencies_are_those_of_transformers() {
    let text = fs::read_to_string(fixture("models/rope/frequencies.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(cases.len() > 50);
    let folder = tempfile::tempdir().unwrap();
    for case in cases {
        let (name, len) = (case["name"].as_str().unwrap(), case["len"].as_u64().unwrap());
        fs::write(folder.path().join("config.json"), case["config"].to_string()).unwrap();
        let config = read_config(folder.path()).unwrap();
        let rope = &config.ropes[case["rope"].as_u64().unwrap() as usize];
        let found = frequencies(rope, len as usize);
        let expected: Vec<f64> =
            case["inverse"].as_array().unwrap().iter().map(|f| f.as_f64().unwrap()).collect();
        assert_eq!(found.inverse.len(), expected.len(), "{name}");
        for (pair, (found, expected)) in found.inverse.iter().zip(&expected).enumerate() {
            let difference = (f64::from(*found) / expected - 1.0).abs();
            assert!(difference < RELATIVE, "{name}, {len} tokens, pair {pair}: {found} {expected}");
        }
        let factor = case["attention_factor"].as_f64().unwrap();
        assert!((f64::from(found.attention_factor) - factor).abs() < 1e-6, "{name}: {factor}");
    }
}
