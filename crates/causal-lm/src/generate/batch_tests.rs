use std::collections::BTreeMap;

use proptest::prelude::*;

use super::fake_model::FakeModel;
use super::{
    Answer, AnswerId, AnyError, Batch, BatchOptions, Constraint, Finish, GenerateError, Happening,
    Sampling, SamplingOptions, StepModel, TokenMask, Verdict,
};

type Ended = (Vec<u32>, Result<Finish, String>);

fn sampled(max_new_tokens: usize, seed: u64) -> Answer {
    let options = SamplingOptions { temperature: 1.0, top_p: Some(0.9), ..Default::default() };
    let sampling = Sampling::new(options).expect("valid");
    Answer { max_new_tokens, sampling, seed, stop_ids: vec![5], ..Answer::default() }
}

/// Runs a batch to its end; whatever ends, ends once.
fn run<M: StepModel>(batch: &mut Batch<M>) -> BTreeMap<AnswerId, Ended> {
    let mut tokens: BTreeMap<AnswerId, Vec<u32>> = BTreeMap::new();
    let mut ended = BTreeMap::new();
    while let Some(event) = batch.next().expect("the model does not fail") {
        assert!(!ended.contains_key(&event.answer), "an event after the end");
        match event.happening {
            Happening::Token(token) => tokens.entry(event.answer).or_default().push(token.id),
            Happening::Finished(finish) => {
                let tokens = tokens.remove(&event.answer).unwrap_or_default();
                ended.insert(event.answer, (tokens, Ok(finish)));
            }
            Happening::Failed(error) => {
                let tokens = tokens.remove(&event.answer).unwrap_or_default();
                ended.insert(event.answer, (tokens, Err(error.to_string())));
            }
        }
    }
    assert!(tokens.is_empty(), "every answer ends");
    ended
}

/// An answer by itself, with the whole prompt at once.
fn alone(prompt: &[u32], answer: Answer) -> Ended {
    let options = BatchOptions { prefill_chunk: 10_000 };
    let mut batch = Batch::new(FakeModel::new(1, 200), options).expect("valid");
    batch.add(prompt, [answer]).expect("valid");
    run(&mut batch).into_values().next().expect("one answer")
}

#[test]
fn greedy_takes_the_greatest_each_time() {
    let model = FakeModel::new(1, 64);
    let mut ids = vec![1, 2, 3];
    for _ in 0..9 {
        let logits = model.logits(&ids);
        let greatest = (0..23).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
        ids.push(greatest as u32);
    }
    let (tokens, finish) = alone(&[1, 2, 3], Answer::greedy(9, &[]));
    assert_eq!((tokens, finish), (ids[3..].to_vec(), Ok(Finish::Length)));
}

#[test]
fn a_model_may_choose_for_itself_where_the_likeliest_token_is_wanted() {
    let tokens = |picks: Option<usize>, answers: Vec<Answer>, spoil: Option<(Vec<u32>, f32)>| {
        let model = FakeModel { picks, spoil, ..FakeModel::new(3, 64) };
        let mut batch = Batch::new(model, BatchOptions { prefill_chunk: 2 }).unwrap();
        for (i, answer) in answers.into_iter().enumerate() {
            batch.add([1, 2, 3, i as u32], [answer]).unwrap();
        }
        let mut seen = Vec::new();
        while let Some(event) = batch.next().unwrap() {
            seen.push((
                event.answer,
                match event.happening {
                    Happening::Token(token) => {
                        let log_prob = token.log_prob.map(|p| (p * 1e5).round());
                        format!("{} {log_prob:?} {:?}", token.id, token.top)
                    }
                    other => format!("{other:?}"),
                },
            ));
        }
        (seen, batch.into_model().picks)
    };
    let plain = || Answer::greedy(9, &[4]);
    let both = |answers: &dyn Fn() -> Vec<Answer>| {
        let (from_logits, _) = tokens(None, answers(), None);
        let (chosen, picks) = tokens(Some(0), answers(), None);
        assert_eq!(chosen, from_logits);
        picks.unwrap()
    };
    assert!(both(&|| vec![plain(), plain(), plain()]) > 9);
    // Where one answer of a step needs logits, all of them come from logits.
    let others = || vec![Answer { top_log_probs: 2, ..plain() }, sampled(9, 3), plain()];
    assert!(both(&others) < 9);
    let spoil = Some((vec![1, 2, 3, 0], f32::NAN));
    let (seen, _) = tokens(Some(0), vec![plain()], spoil);
    assert!(seen[0].1.contains("NaN or infinite"), "{seen:?}");
}

proptest! {
    /// Slots, chunks, prompts with a common beginning, and answers that enter late change no answer.
    #[test]
    fn an_answer_does_not_depend_on_the_batch(
        prompts in prop::collection::vec((prop::collection::vec(0u32..3, 1..40), 1usize..4, 0usize..12), 1..7),
        slots in 1usize..5,
        prefill_chunk in 1usize..30,
        late in 0usize..7,
    ) {
        let options = BatchOptions { prefill_chunk };
        let mut batch = Batch::new(FakeModel::new(slots, 64), options).unwrap();
        let mut want = BTreeMap::new();
        let mut add = |batch: &mut Batch<FakeModel>, i: usize| {
            let (prompt, answers, length) = &prompts[i];
            let seeds = || (0..*answers as u64).map(|k| sampled(*length, 100 * i as u64 + k));
            let ids = batch.add(prompt.as_slice(), seeds()).unwrap();
            for (id, answer) in ids.into_iter().zip(seeds()) {
                want.insert(id, alone(prompt, answer));
            }
        };
        let late = late.min(prompts.len());
        (0..late).for_each(|i| add(&mut batch, i));
        for _ in 0..5 {
            batch.step().unwrap();
        }
        (late..prompts.len()).for_each(|i| add(&mut batch, i));
        prop_assert_eq!(run(&mut batch), want);
    }
}

#[test]
fn a_prompt_goes_through_the_model_once_for_all_its_answers() {
    let prompt: Vec<u32> = (0..40).map(|i| i % 23).collect();
    let options = BatchOptions { prefill_chunk: 16 };
    let mut batch = Batch::new(FakeModel::new(4, 64), options).unwrap();
    batch.add(prompt.as_slice(), (0..4).map(|_| Answer::greedy(1, &[]))).unwrap();
    let mut sizes = Vec::new();
    while !batch.is_idle() {
        let size = batch.step().unwrap();
        sizes.push((size.prefilled, size.reused, size.decoded));
    }
    // The others have all but the last token from the first one's slot.
    assert_eq!(sizes, [(16, 0, 0), (16, 0, 0), (8, 0, 0), (3, 3 * 39, 0)]);
    assert_eq!(batch.into_model().batches, [16, 16, 8, 3]);
}

#[test]
fn slots_tell_what_they_hold() {
    let mut batch = Batch::new(FakeModel::new(3, 64), BatchOptions::default()).unwrap();
    let prompts = [&[1, 2, 3][..], &[4, 5]];
    for prompt in prompts {
        batch.add(prompt, [Answer::greedy(4, &[])]).unwrap();
    }
    let answers: Vec<Ended> = run(&mut batch).into_values().collect();
    let (_, held) = batch.into_parts();
    for ((prompt, (answer, _)), held) in prompts.iter().zip(&answers).zip(&held) {
        // The last token of an answer has not gone through the model.
        assert_eq!(*held, [prompt, &answer[..3]].concat());
    }
    assert!(held[2].is_empty());
}

#[test]
fn a_later_prompt_uses_what_an_earlier_one_left() {
    let mut batch = Batch::new(FakeModel::new(2, 64), BatchOptions::default()).unwrap();
    batch.add([1, 2, 3, 4], [Answer::greedy(1, &[])]).unwrap();
    run(&mut batch);
    batch.add([1, 2, 3, 9, 9], [Answer::greedy(1, &[])]).unwrap();
    assert_eq!(batch.step().unwrap().reused, 3);
}

#[test]
fn long_prompts_let_short_answers_go_on() {
    let options = BatchOptions { prefill_chunk: 10 };
    let mut batch = Batch::new(FakeModel::new(2, 200), options).unwrap();
    batch.add([1], [Answer::greedy(50, &[])]).unwrap();
    batch.step().unwrap();
    batch.add(vec![2; 100], [Answer::greedy(2, &[])]).unwrap();
    for _ in 0..10 {
        let size = batch.step().unwrap();
        assert_eq!((size.prefilled, size.decoded), (10, 1));
    }
    assert_eq!(batch.step().unwrap().decoded, 2);
}

#[test]
fn what_ends_an_answer() {
    let (tokens, finish) = alone(&[1, 2], sampled(60, 4));
    let Ok(Finish::StopToken(stop)) = finish else { panic!("{finish:?}") };
    assert_eq!(stop.id, 5);
    assert!(!tokens.contains(&5) && stop.log_prob.unwrap() < 0.0);
    assert_eq!(alone(&[1, 2], sampled(0, 4)), (vec![], Ok(Finish::Length)));

    let mut batch = Batch::new(FakeModel::new(1, 64), BatchOptions::default()).unwrap();
    let [running, waiting] =
        [[1], [2]].map(|prompt| batch.add(prompt, [Answer::greedy(30, &[])]).unwrap()[0]);
    for _ in 0..3 {
        batch.step().unwrap();
    }
    batch.cancel(running);
    batch.cancel(waiting);
    batch.cancel(running);
    let ended = run(&mut batch);
    assert_eq!((ended[&running].0.len(), &ended[&running].1), (3, &Ok(Finish::Cancelled)));
    assert_eq!(ended[&waiting], (vec![], Ok(Finish::Cancelled)));
    assert!(batch.next().unwrap().is_none());
}

#[test]
fn what_is_refused() {
    let mut batch = Batch::new(FakeModel::new(1, 8), BatchOptions::default()).unwrap();
    let mut check = |prompt: &[u32], length, want: &str| {
        let error = batch.add(prompt, [Answer::greedy(length, &[])]).unwrap_err();
        assert_eq!(error.to_string(), want);
    };
    check(&[], 1, "the prompt has no tokens");
    check(&[1, 23], 1, "id 23 at position 1 is outside of the vocabulary of 23");
    let too_long = "need more than the 8 tokens of a slot of the cache";
    check(&[1; 8], 2, &format!("a prompt of 8 tokens and an answer of up to 2 {too_long}"));
    check(
        &[1],
        usize::MAX,
        &format!("a prompt of 1 tokens and an answer of up to {} {too_long}", usize::MAX),
    );
    assert!(batch.is_idle());
    batch.add([1; 8], [Answer::greedy(1, &[])]).unwrap();
    assert_eq!(run(&mut batch).len(), 1);
    let no_chunk = Batch::new(FakeModel::new(1, 8), BatchOptions { prefill_chunk: 0 });
    assert!(matches!(no_chunk.err(), Some(GenerateError::EmptyBatch { name: "prefill_chunk" })));
    let no_slot = Batch::new(FakeModel::new(0, 8), BatchOptions::default());
    assert!(matches!(no_slot.err(), Some(GenerateError::EmptyBatch { name: "slots" })));
}

#[test]
fn bad_logits_end_their_answer_and_no_other() {
    for (value, found) in [(f32::NAN, "a logit is NaN"), (f32::INFINITY, "a logit is infinite")] {
        let mut model = FakeModel::new(2, 64);
        let first = alone(&[1, 2], Answer::greedy(1, &[])).0[0];
        model.spoil = Some((vec![1, 2, first], value));
        let mut batch = Batch::new(model, BatchOptions::default()).unwrap();
        let bad = batch.add([1, 2], [Answer::greedy(4, &[])]).unwrap()[0];
        let good = batch.add([7], [Answer::greedy(4, &[])]).unwrap()[0];
        let ended = run(&mut batch);
        let error = format!("the logits after 3 tokens are not finite: {found}");
        assert_eq!(ended[&bad], (vec![first], Err(error)));
        assert_eq!(ended[&good], alone(&[7], Answer::greedy(4, &[])));
    }
}

#[test]
fn a_model_that_fails_ends_the_batch() {
    let mut model = FakeModel::new(1, 64);
    model.fail = true;
    let mut batch = Batch::new(model, BatchOptions::default()).unwrap();
    batch.add([1, 2], [Answer::greedy(4, &[])]).unwrap();
    let error = batch.next().unwrap_err();
    assert_eq!(error.to_string(), "the model failed on a batch of 2 tokens");
    assert!(batch.is_idle() && batch.next().unwrap().is_none());
}

/// Spells `choices` tokens out of 10 and 11, then 12, 13 and 14, which leave no choice.
struct Spelling {
    choices: usize,
    spelt: Vec<u32>,
    length: usize,
}

impl Constraint for Spelling {
    fn mask(&mut self, remaining: usize, allowed: &mut TokenMask) -> Result<(), AnyError> {
        assert_eq!(remaining, self.length - self.spelt.len());
        allowed.clear(23);
        if self.spelt.len() < self.choices {
            allowed.insert(10);
            allowed.insert(11);
        }
        Ok(())
    }

    fn accept(&mut self, id: u32) -> Result<Verdict, AnyError> {
        if id < 10 {
            return Err("not spelt so".into());
        }
        self.spelt.push(id);
        Ok(Verdict::Accepted)
    }

    fn is_finished(&self) -> bool {
        self.spelt.last() == Some(&14)
    }

    fn forced(&mut self) -> Vec<u32> {
        if self.spelt.len() == self.choices { vec![12, 13, 14] } else { vec![] }
    }
}

#[test]
fn a_constraint_rules() {
    let spelling = |choices, length| {
        let constraint = Spelling { choices, spelt: vec![], length };
        Answer { constraint: Some(Box::new(constraint)), ..sampled(length, 3) }
    };
    for choices in [0, 1, 4] {
        let (tokens, finish) = alone(&[1, 2], spelling(choices, 9));
        assert_eq!(finish, Ok(Finish::Constraint));
        assert_eq!(tokens.len(), choices + 3);
        assert!(tokens[..choices].iter().all(|id| [10, 11].contains(id)));
        assert_eq!(tokens[choices..], [12, 13, 14]);
    }
    let (tokens, finish) = alone(&[1, 2], spelling(4, 5));
    assert_eq!((tokens.len(), tokens[4], finish), (5, 12, Ok(Finish::Length)));

    // Forced tokens go through the model in one span, unless the answer ends with them.
    let mut batch = Batch::new(FakeModel::new(1, 64), BatchOptions::default()).unwrap();
    batch.add([1, 2], [spelling(2, 9)]).unwrap();
    run(&mut batch);
    assert_eq!(batch.into_model().batches, [2, 1]);
}

#[test]
fn a_constraint_that_leaves_nothing_fails() {
    struct Nothing;
    impl Constraint for Nothing {
        fn mask(&mut self, _: usize, allowed: &mut TokenMask) -> Result<(), AnyError> {
            allowed.clear(23);
            Ok(())
        }
        fn accept(&mut self, _: u32) -> Result<Verdict, AnyError> {
            Ok(Verdict::Accepted)
        }
        fn is_finished(&self) -> bool {
            false
        }
    }
    for sampling in [Sampling::greedy(), sampled(1, 1).sampling] {
        let answer =
            Answer { sampling, constraint: Some(Box::new(Nothing)), ..Answer::greedy(3, &[]) };
        let (tokens, failed) = alone(&[1, 2], answer);
        assert!(tokens.is_empty());
        assert_eq!(failed.unwrap_err(), "the constraint allows no token after 2 tokens");
    }
}

/// Allows 10 and 11, but refuses 10 each time and 11 the first time.
#[derive(Default)]
struct Stubborn {
    refused: Vec<u32>,
}

impl Constraint for Stubborn {
    fn mask(&mut self, _: usize, allowed: &mut TokenMask) -> Result<(), AnyError> {
        allowed.clear(23);
        let ids = [10, 11].into_iter().filter(|id| self.refused.last() != Some(id));
        ids.for_each(|id| allowed.insert(id));
        Ok(())
    }

    fn accept(&mut self, id: u32) -> Result<Verdict, AnyError> {
        let again = self.refused.contains(&id);
        self.refused.push(id);
        Ok(if id == 11 && again { Verdict::Accepted } else { Verdict::Refused })
    }

    fn is_finished(&self) -> bool {
        self.refused.iter().filter(|id| **id == 11).count() > 1
    }
}

#[test]
fn a_token_that_is_refused_is_chosen_again() {
    for sampling in [Sampling::greedy(), sampled(1, 1).sampling] {
        let constraint: Option<Box<dyn Constraint>> = Some(Box::new(Stubborn::default()));
        let answer = Answer { sampling, constraint, ..Answer::greedy(3, &[]) };
        assert_eq!(alone(&[1, 2], answer), (vec![11], Ok(Finish::Constraint)));
    }
}

/// Chi-square of 20,000 seeds on one row of logits, by filter; the 0.001 quantiles bound it from both sides.
#[test]
fn seeds_draw_from_the_distribution() {
    let check = |options: SamplingOptions| {
        let model = FakeModel::new(64, 8);
        let logits = model.logits(&[4, 4]);
        let mut weights: Vec<f64> =
            logits.iter().map(|&x| (f64::from(x) / f64::from(options.temperature)).exp()).collect();
        if let Some(k) = options.top_k {
            let mut sorted = weights.clone();
            sorted.sort_by(|a, b| b.total_cmp(a));
            weights.iter_mut().filter(|w| **w < sorted[k - 1]).for_each(|w| *w = 0.0);
        }
        let total: f64 = weights.iter().sum();
        let sampling = Sampling::new(options).unwrap();
        let mut batch = Batch::new(model, BatchOptions::default()).unwrap();
        let n = 20_000;
        let answer = |seed| Answer { sampling, seed, ..Answer::greedy(1, &[]) };
        batch.add([4, 4], (0..n).map(answer)).unwrap();
        let mut counts = vec![0u32; weights.len()];
        run(&mut batch).into_values().for_each(|(tokens, _)| counts[tokens[0] as usize] += 1);
        let mut degrees = -1.0f64;
        let mut chi = 0.0;
        for (&count, weight) in counts.iter().zip(&weights) {
            let expected = n as f64 * weight / total;
            if expected == 0.0 {
                assert_eq!(count, 0);
                continue;
            }
            degrees += 1.0;
            chi += (f64::from(count) - expected).powi(2) / expected;
        }
        // Wilson and Hilferty (1931).
        let quantile = |z: f64| {
            degrees * (1.0 - 2.0 / (9.0 * degrees) + z * (2.0 / (9.0 * degrees)).sqrt()).powi(3)
        };
        assert!((quantile(-3.1)..quantile(3.1)).contains(&chi), "{options:?}: {chi} of {degrees}");
    };
    check(SamplingOptions { temperature: 1.0, ..Default::default() });
    check(SamplingOptions { temperature: 0.7, ..Default::default() });
    check(SamplingOptions { temperature: 2.0, top_k: Some(9), ..Default::default() });
}
