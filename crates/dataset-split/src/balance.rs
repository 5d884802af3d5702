use serde::{Deserialize, Serialize};
use thesis_core::Action;

use crate::PerAction;

/// What is done about classes of unequal size, in training alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Nothing.
    #[default]
    None,
    /// Rows of smaller classes stand in training more than once, until every class that is there
    /// has as many rows as the largest. A repeated row keeps its `uid`.
    Oversample,
    /// A column `weight`: rows ÷ (classes that are there × rows of the class); 1 outside of
    /// training.
    Weights,
}

/// Repeats the rows of smaller classes, evenly over the rows' order, which is kept.
///
/// Every row stands at least once. Row `i` of a class of `n` rows is written
/// `⌊m(i+1)/n⌋ − ⌊mi/n⌋` times, `m` the size of the largest class.
pub(crate) fn oversample(rows: &[u32], action: impl Fn(u32) -> Action) -> Vec<u32> {
    let counts = class_counts(rows, &action);
    let largest = counts.0.into_iter().max().unwrap_or(0);
    let mut seen = PerAction::<u64>::default();
    let mut balanced = Vec::with_capacity(rows.len());
    for &row in rows {
        let class = action(row);
        let upto = |rows: u64| largest * rows / counts[class];
        let times = upto(seen[class] + 1) - upto(seen[class]);
        balanced.extend(std::iter::repeat_n(row, times as usize));
        seen[class] += 1;
    }
    balanced
}

/// How many rows each class has.
pub(crate) fn class_counts(rows: &[u32], action: impl Fn(u32) -> Action) -> PerAction<u64> {
    let mut counts = PerAction::default();
    rows.iter().for_each(|row| counts[action(*row)] += 1);
    counts
}

/// The weight of each class; 1 for a class that is not there.
///
/// Source: scikit-learn `compute_class_weight("balanced")`.
pub(crate) fn class_weights(counts: PerAction<u64>) -> PerAction<f32> {
    let rows: u64 = counts.0.iter().sum();
    let classes = counts.0.iter().filter(|count| **count > 0).count() as f64;
    PerAction(counts.0.map(|count| match count {
        0 => 1.0,
        _ => (rows as f64 / (classes * count as f64)) as f32,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weights_are_those_of_scikit_learn() {
        assert_eq!(class_weights(PerAction([6, 3, 0, 1, 2])).0, [0.5, 1.0, 1.0, 3.0, 1.5]);
        assert_eq!(class_weights(PerAction::default()).0, [1.0; 5]);
    }

    #[test]
    fn the_smaller_class_is_repeated_in_place() {
        let classes = [Action::Buy, Action::Hold, Action::Buy, Action::Buy, Action::Hold];
        let rows = oversample(&[0, 1, 2, 3, 4], |row| classes[row as usize]);
        assert_eq!(rows, [0, 1, 2, 3, 4, 4]);
    }

    proptest! {
        #[test]
        fn classes_end_up_equal_and_in_order(classes in prop::collection::vec(0usize..5, 0..200)) {
            let rows: Vec<u32> = (0..classes.len() as u32).collect();
            let action = |row: u32| Action::ALL[classes[row as usize]];
            let balanced = oversample(&rows, action);
            prop_assert!(balanced.is_sorted());
            prop_assert!(rows.iter().all(|row| balanced.contains(row)));
            let count = |rows: &[u32], class| rows.iter().filter(|r| classes[**r as usize] == class).count();
            let largest = (0..5).map(|class| count(&rows, class)).max();
            for class in (0..5).filter(|class| count(&rows, *class) > 0) {
                prop_assert_eq!(Some(count(&balanced, class)), largest);
            }
        }
    }
}
