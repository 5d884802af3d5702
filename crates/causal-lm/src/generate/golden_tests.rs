//! Filters and log-probabilities against transformers and torch: fixtures/generate/filters.json.

use serde::Deserialize;

use super::candidates::{Scratch, candidates};
use super::log_softmax::Normalizer;
use super::pick::{Choice, penalize, pick};
use super::{Sampling, SamplingOptions};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    logits: Vec<f32>,
    seen: Vec<u32>,
    log_probs: Vec<f64>,
    kept: Vec<Kept>,
}

#[derive(Deserialize)]
struct Kept {
    setting: SamplingOptions,
    ids: Vec<u32>,
    probabilities: Vec<f64>,
}

fn golden() -> Golden {
    let text = include_str!("../../../../fixtures/generate/filters.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

/// Each id once, in any order.
fn distinct(ids: &[u32]) -> Vec<u32> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn filters_are_those_of_transformers() {
    for Case { logits, seen, kept, .. } in golden().cases {
        for Kept { setting, ids, probabilities } in kept {
            let options = Sampling::new(setting).unwrap().options();
            let mut logits = logits.clone();
            if let Some(penalty) = setting.repetition_penalty {
                penalize(&mut logits, &distinct(&seen), penalty);
            }
            let mut scratch = Scratch::default();
            let mut got = candidates(&logits, &options, &mut scratch).to_vec();
            got.sort_by_key(|candidate| candidate.id);
            assert_eq!(got.iter().map(|c| c.id).collect::<Vec<_>>(), ids, "{setting:?}");
            let total: f64 = got.iter().map(|c| f64::from(c.weight)).sum();
            for (candidate, want) in got.iter().zip(probabilities) {
                let share = f64::from(candidate.weight) / total;
                assert!((share / want - 1.0).abs() < 3e-6, "{setting:?}: {share} {want}");
            }
        }
    }
}

#[test]
fn log_probabilities_are_those_of_torch() {
    for Case { logits, log_probs, seen, .. } in golden().cases {
        let normalizer = Normalizer::of(&logits).unwrap();
        for (&logit, want) in logits.iter().zip(&log_probs) {
            assert!(
                (f64::from(normalizer.log_prob(logit)) - want).abs() < 1e-6 * want.abs().max(1.0)
            );
        }
        // Those of a token are of the distribution before any penalty.
        let sampling = SamplingOptions { repetition_penalty: Some(9.0), ..Default::default() };
        let sampling = Sampling::new(sampling).unwrap();
        let choice = Choice {
            sampling: &sampling,
            seed: 0,
            draw: 0,
            position: 0,
            seen: &distinct(&seen),
            mask: None,
            top_log_probs: 5,
        };
        let token = pick(&mut logits.clone(), &choice, &mut Scratch::default()).unwrap();
        let log_prob = f64::from(token.log_prob.unwrap());
        assert!((log_prob - log_probs[token.id as usize]).abs() < 1e-5);
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|&a, &b| log_probs[b].total_cmp(&log_probs[a]));
        for ((id, log_prob), want) in token.top.iter().zip(&order) {
            assert_eq!(*id as usize, *want);
            assert!((f64::from(*log_prob) - log_probs[*want]).abs() < 1e-5);
        }
        assert_eq!(token.top.len(), 5);
    }
}

#[test]
fn a_penalty_decides_between_near_tokens() {
    let check = |seen: &[u32], penalty: f32, want: u32| {
        let options = SamplingOptions { repetition_penalty: Some(penalty), ..Default::default() };
        let sampling = Sampling::new(options).unwrap();
        let choice = Choice {
            sampling: &sampling,
            seed: 0,
            draw: 0,
            position: 3,
            seen,
            mask: None,
            top_log_probs: 0,
        };
        let mut logits = [2.0, 1.5, -0.5, -0.4];
        assert_eq!(pick(&mut logits, &choice, &mut Scratch::default()).unwrap().id, want);
    };
    check(&[], 2.0, 0);
    check(&[0], 1.2, 0);
    check(&[0], 1.5, 1);
    check(&[0, 1], 1.5, 0);
    check(&[2], 0.01, 0);
    check(&[1], 0.5, 1);
    check(&[77], 2.0, 0);
}
