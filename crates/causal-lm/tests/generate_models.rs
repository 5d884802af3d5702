//! Generation with the tiny models of fixtures/models, whose answers and logits are by transformers 5.23.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeMap;

use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::generate::{
    Answer, Batch, BatchOptions, CachedModel, Finish, Happening, Sampling, SamplingOptions, score,
};
use causal_lm::ops::DecoderBackend;
use causal_lm::{CausalLm, LoadOptions};
use common::{FAMILIES, loaded, model_folder, reference};
use cpu_kernels::decoder::KvDtype;

fn model<B: DecoderBackend>(family: &str) -> CausalLm<B> {
    loaded(&model_folder(family), &LoadOptions::default())
}

type Ended = (Vec<u32>, Vec<f32>, Finish);

/// Runs prompts with their answers to the end; answers in the order in which they were asked for.
fn run<B: DecoderBackend>(
    model: &CausalLm<B>,
    slots: usize,
    prefill_chunk: usize,
    requests: Vec<(Vec<u32>, Vec<Answer>)>,
) -> Vec<Ended> {
    let cached = CachedModel::new(model, slots, 80, KvDtype::F32);
    let mut batch = Batch::new(cached, BatchOptions { prefill_chunk }).unwrap();
    for (prompt, answers) in requests {
        batch.add(prompt, answers).unwrap();
    }
    let mut running: BTreeMap<_, (Vec<u32>, Vec<f32>)> = BTreeMap::new();
    let mut ended = BTreeMap::new();
    while let Some(event) = batch.next().unwrap() {
        match event.happening {
            Happening::Token(token) => {
                let (ids, log_probs) = running.entry(event.answer).or_default();
                ids.push(token.id);
                log_probs.push(token.log_prob.unwrap());
            }
            Happening::Finished(finish) => {
                let (ids, log_probs) = running.remove(&event.answer).unwrap_or_default();
                ended.insert(event.answer, (ids, log_probs, finish));
            }
            Happening::Failed(error) => panic!("{error}"),
        }
    }
    ended.into_values().collect()
}

fn greedy<B: DecoderBackend>(family: &str) {
    let (model, reference) = (model::<B>(family), reference(family));
    for prefill_chunk in [512, 7] {
        let request = (reference.rows[0].clone(), vec![Answer::greedy(16, &[])]);
        let ended = run(&model, 1, prefill_chunk, vec![request]);
        assert_eq!(ended[0].0, reference.greedy, "{family} by chunks of {prefill_chunk}");
        assert_eq!(ended[0].2, Finish::Length);
    }
}

#[test]
fn greedy_answers_are_those_of_transformers() {
    FAMILIES.into_iter().for_each(greedy::<Flex>);
    greedy::<NdArray>("llama");
    greedy::<NdArray>("gemma3_text");
}

#[test]
fn rows_that_enter_and_leave_answer_as_they_do_alone() {
    for family in ["mistral", "gemma3_text", "qwen3"] {
        let (model, reference) = (model::<Flex>(family), reference(family));
        let options = SamplingOptions { temperature: 0.8, top_p: Some(0.95), ..Default::default() };
        let sampling = Sampling::new(options).unwrap();
        let answers = |request: usize| -> Vec<Answer> {
            let answer = |k: usize| Answer {
                sampling: if k == 0 { Sampling::greedy() } else { sampling },
                seed: (10 * request + k) as u64,
                ..Answer::greedy(3 + 5 * request - k, &[258])
            };
            (0..3).map(answer).collect()
        };
        let prompts: Vec<Vec<u32>> = (0..5)
            .map(|request| {
                let row = &reference.rows[request % 2];
                row[..48 - 11 * (request / 2)].to_vec()
            })
            .collect();
        let alone: Vec<Ended> = prompts
            .iter()
            .enumerate()
            .flat_map(|(request, prompt)| {
                let each = answers(request).into_iter();
                each.flat_map(|answer| run(&model, 1, 512, vec![(prompt.clone(), vec![answer])]))
            })
            .collect();
        for (slots, prefill_chunk) in [(4, 13), (2, 512), (15, 64)] {
            let requests = prompts.iter().cloned().enumerate();
            let requests = requests.map(|(request, prompt)| (prompt, answers(request)));
            let together = run(&model, slots, prefill_chunk, requests.collect());
            assert_eq!(together.len(), alone.len());
            for (together, alone) in together.iter().zip(&alone) {
                assert_eq!(together.0, alone.0, "{family}, {slots} slots");
                for (together, alone) in together.1.iter().zip(&alone.1) {
                    assert!((together - alone).abs() < 1e-4, "{family}: {together} {alone}");
                }
            }
        }
    }
}

#[test]
fn scores_are_log_softmax_of_the_reference() {
    for family in FAMILIES {
        let (model, reference) = (model::<Flex>(family), reference(family));
        let vocabulary = model.config().vocab_size;
        for (row, logits) in reference.rows.iter().zip(reference.logits.chunks(48 * vocabulary)) {
            let got = score(&model, row).unwrap();
            assert_eq!(got.len(), 47);
            for ((logits, &id), got) in logits.chunks(vocabulary).zip(&row[1..]).zip(got) {
                let sum: f64 = logits.iter().map(|&x| f64::from(x).exp()).sum();
                let want = f64::from(logits[id as usize]) - sum.ln();
                assert!((f64::from(got) - want).abs() < 2e-4, "{family}: {got} {want}");
            }
        }
        assert!(score(&model, &reference.rows[0][..1]).unwrap().is_empty());
        assert!(score(&model, &[]).is_err() && score(&model, &[1, 272]).is_err());
    }
}

#[test]
fn log_probabilities_of_an_answer_are_its_scores() {
    let (model, reference) = (model::<Flex>("llama"), reference("llama"));
    let request = (reference.rows[0].clone(), vec![Answer::greedy(16, &[])]);
    let (ids, log_probs, _) = run(&model, 1, 512, vec![request]).remove(0);
    let scores = score(&model, &[&*reference.rows[0], &ids].concat()).unwrap();
    for (log_prob, score) in log_probs.iter().zip(&scores[47..]) {
        assert!((log_prob - score).abs() < 1e-4, "{log_prob} {score}");
    }
}
