use std::path::PathBuf;

use proptest::prelude::*;
use thesis_core::Action;

use super::token_rows::{Stored, Uids, pack_token};
use super::{ClassWeights, DataError, Plan, PlanOptions, TokenRows};

/// Rows of examples: the length of each, and its action by index.
///
/// Token `t` of example `e` is `100 e + t`; all but the first two tokens are targets.
pub(super) fn rows(rows: &[&[(usize, Option<usize>)]]) -> TokenRows {
    let mut uids = Uids::default();
    let mut examples = Vec::new();
    let mut offsets = vec![0];
    for row in rows {
        for &(length, action) in *row {
            let number = examples.len() as u32;
            let token = |t| pack_token(100 * number + t, t > 1);
            examples.push(Stored {
                tokens: (0..length as u32).map(token).collect(),
                targets: length.saturating_sub(2) as u32,
                weight: 1.0,
                action: action.map(|action| Action::ALL[action]),
                uid: uids.push(&format!("uid {number}")),
            });
        }
        offsets.push(examples.len() as u32);
    }
    let (path, split) = (PathBuf::from("shards"), "train".to_owned());
    TokenRows { path, split, files: Vec::new(), examples, rows: offsets, uids }
}

fn options() -> PlanOptions {
    PlanOptions {
        seed: 7,
        shuffle: true,
        balanced: false,
        micro_batch: 1,
        accumulation: 1,
        world: 1,
    }
}

#[test]
fn logits_predict_the_next_token_of_the_same_example() {
    let rows = rows(&[&[(4, Some(1)), (3, None)], &[(2, Some(4))], &[(5, Some(0))]]);
    let batch = rows.micro_batch(&[2, 0]);
    assert_eq!(batch.ids, [300, 301, 302, 303, 304, 0, 1, 2, 3, 100, 101, 102]);
    let targets: Vec<(usize, u32)> = batch.targets.iter().map(|t| (t.row, t.id)).collect();
    assert_eq!(targets, [(1, 302), (2, 303), (3, 304), (6, 2), (7, 3), (10, 102)]);
    assert_eq!(batch.targets_of, [0..3, 3..5, 5..6]);
    let spans: Vec<_> = batch.spans.iter().map(|s| (s.start, s.len, s.position, s.slot)).collect();
    assert_eq!(spans, [(0, 5, 0, 0), (5, 4, 0, 1), (9, 3, 0, 2)]);
    assert_eq!(batch.actions, [Some(Action::StrongBuy), Some(Action::Buy), None]);
    assert_eq!((batch.examples(), batch.target_weight()), (3, 6.0));
    assert_eq!(rows.target_weight(&[2, 0]), 6.0);
    assert_eq!(rows.micro_batch(&[]), Default::default());
}

#[test]
fn prompts_end_before_the_first_target() {
    let rows = rows(&[&[(4, None)], &[(2, None)]]);
    assert_eq!(rows.ids_of(0), (vec![0, 1, 2, 3], 2));
    assert_eq!(rows.ids_of(1), (vec![100, 101], 2));
}

#[test]
fn packing_moves_examples_and_loses_none() {
    let mut rows = rows(&[&[(3, None)], &[(9, None)], &[(6, None), (2, None)]]);
    let (tokens, targets) = (rows.tokens(), rows.targets());
    rows.pack(10);
    assert_eq!((rows.rows(), rows.examples(), rows.longest_row()), (3, 4, 9));
    assert_eq!((rows.tokens(), rows.targets()), (tokens, targets));
    let uids: Vec<&str> = (0..4).map(|example| rows.uid(example)).collect();
    assert_eq!(uids, ["uid 0", "uid 2", "uid 1", "uid 3"]);
    assert_eq!(rows.micro_batch(&[0]).ids, [0, 1, 2, 200, 201, 202, 203, 204, 205]);
}

#[test]
fn class_weights_multiply_those_of_the_rows() {
    let four = |weights: &ClassWeights| {
        let mut rows = rows(&[&[(5, Some(1))], &[(5, Some(1))], &[(5, Some(1))], &[(5, Some(2))]]);
        rows.weigh(weights).map(|()| [0, 3].map(|row| rows.target_weight(&[row])))
    };
    assert_eq!(four(&ClassWeights::None).unwrap(), [3.0, 3.0]);
    // 4 examples in 2 classes: 4 / (2 · 3) and 4 / (2 · 1).
    let inverse = four(&ClassWeights::InverseFrequency).unwrap();
    assert!((inverse[0] - 2.0).abs() < 1e-6 && inverse[1] == 6.0, "{inverse:?}");
    let map = |weight| ClassWeights::Map([(Action::Hold, weight)].into());
    assert_eq!(four(&map(0.5)).unwrap(), [3.0, 1.5]);
    for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(four(&map(weight)), Err(DataError::ClassWeight { .. })), "{weight}");
    }
    let unknown = rows(&[&[(5, None)]]).weigh(&map(2.0)).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "split `train` of shards: uid 0 has no action, and a class weight goes by it"
    );
}

#[test]
fn steps_and_epochs() {
    let ten = rows(&[&[(3, None)][..]; 10]);
    let plan = |micro_batch, accumulation, world| {
        let options = PlanOptions { micro_batch, accumulation, world, ..options() };
        Plan::new(&ten, options).expect("a plan")
    };
    assert_eq!(plan(1, 3, 1).steps_per_epoch(), 4);
    assert_eq!(plan(2, 2, 4).steps_per_epoch(), 1);
    assert_eq!(plan(usize::MAX, 2, 2).steps_per_epoch(), 1);
    let total = |epochs, max_steps| plan(1, 3, 1).total_steps(epochs, max_steps);
    assert_eq!(total(Some(3.0), None), 12);
    assert_eq!(total(Some(0.3), None), 2);
    assert_eq!(total(Some(3.0), Some(5)), 5);
    assert_eq!(total(Some(1.0), Some(5)), 4);
    assert_eq!(total(None, Some(5)), 5);
    let before = [0, 1, 3, 4, 7].map(|step| plan(1, 3, 1).epochs_before(step));
    assert_eq!(before, [0.0, 0.3, 0.9, 1.0, 1.9]);
    let mut unshuffled =
        Plan::new(&ten, PlanOptions { shuffle: false, accumulation: 3, ..options() })
            .expect("a plan");
    assert_eq!(unshuffled.step_rows(1), [3, 4, 5]);
    assert_eq!(unshuffled.micro_batches(3, 0), [[9]]);
    assert_eq!(unshuffled.step_rows(4), [0, 1, 2]);
    for (micro_batch, accumulation, world) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        let options = PlanOptions { micro_batch, accumulation, world, ..options() };
        assert!(matches!(Plan::new(&ten, options), Err(DataError::Zero { .. })));
    }
}

#[test]
fn balanced_sampling_needs_single_examples_with_actions() {
    let balanced = PlanOptions { balanced: true, ..options() };
    let packed = Plan::new(&rows(&[&[(3, Some(0)), (3, Some(1))]]), balanced);
    assert!(matches!(packed, Err(DataError::PackedSampling { .. })));
    let unknown = Plan::new(&rows(&[&[(3, Some(0))], &[(3, None)]]), balanced).unwrap_err();
    assert!(unknown.to_string().contains("uid 1 has no action"), "{unknown}");

    let rare: Vec<_> = (0..200).map(|row| [(3, Some(if row == 77 { 4 } else { 1 }))]).collect();
    let rare = rows(&rare.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>());
    let mut plan = Plan::new(&rare, PlanOptions { accumulation: 200, ..balanced }).unwrap();
    assert_eq!(plan.steps_per_epoch(), 1);
    let drawn = plan.step_rows(0);
    let rare = drawn.iter().filter(|&&row| row == 77).count();
    assert!(drawn.len() == 200 && (60..140).contains(&rare), "{rare}");
    assert_ne!(drawn, plan.step_rows(1));
}

/// Accumulation, world and micro batch whose product is the same.
fn splits(of: usize) -> Vec<(usize, usize, usize)> {
    let divisors = |n: usize| (1..=n).filter(move |d| n.is_multiple_of(*d));
    divisors(of).flat_map(|a| divisors(of / a).map(move |w| (a, w, of / a / w))).collect()
}

proptest! {
    #[test]
    fn every_row_once_an_epoch_however_steps_are_split(
        lengths in prop::collection::vec(2_usize..9, 1..40),
        size in 1_usize..13,
        seed: u64,
        epoch in 0_u64..3,
    ) {
        let examples: Vec<_> = lengths.iter().map(|&length| [(length, None)]).collect();
        let rows = rows(&examples.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>());
        let mut reference: Option<Vec<Vec<usize>>> = None;
        for (accumulation, world, micro_batch) in splits(size) {
            let options = PlanOptions { seed, accumulation, world, micro_batch, ..options() };
            let mut plan = Plan::new(&rows, options).expect("a plan");
            let first = epoch * plan.steps_per_epoch();
            let steps = first..first + plan.steps_per_epoch();
            let mut of_steps = Vec::new();
            for step in steps {
                let shares: Vec<_> = (0..world).map(|rank| plan.micro_batches(step, rank)).collect();
                prop_assert!(shares.iter().all(|share| share.len() <= accumulation));
                let fewest = shares.iter().map(Vec::len).min().unwrap_or(0);
                prop_assert!(shares.iter().all(|share| share.len() <= fewest + 1), "spread evenly");
                let batches = shares.iter().flatten();
                let weight: f64 = batches.map(|rows_of| rows.micro_batch(rows_of).target_weight()).sum();
                prop_assert_eq!(weight, plan.step_target_weight(&rows, step));
                let mut union: Vec<usize> = shares.concat().concat();
                let mut whole = plan.step_rows(step);
                union.sort_unstable();
                whole.sort_unstable();
                prop_assert_eq!(&union, &whole);
                of_steps.push(union);
            }
            let mut all = of_steps.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
            prop_assert_eq!(reference.get_or_insert_with(|| of_steps.clone()), &of_steps);
        }
    }

    #[test]
    fn a_run_that_begins_at_any_step_goes_on_the_same_way(
        count in 1_usize..30, accumulation in 1_usize..5, seed: u64, step in 0_u64..60, balanced: bool,
    ) {
        let rows = rows(&vec![&[(3, Some(1))][..]; count]);
        let options = PlanOptions { seed, accumulation, balanced, ..options() };
        let mut from_start = Plan::new(&rows, options).expect("a plan");
        let all: Vec<_> = (0..step + 20).map(|step| from_start.micro_batches(step, 0)).collect();
        let mut resumed = Plan::new(&rows, options).expect("a plan");
        let rest: Vec<_> = (step..step + 20).map(|step| resumed.micro_batches(step, 0)).collect();
        prop_assert_eq!(&all[step as usize..], &rest[..]);
    }
}
