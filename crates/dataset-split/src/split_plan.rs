use crate::balance::{class_counts, class_weights, oversample};
use crate::{Balance, Cut, PerAction, Placement, RecordIndex, Split};

/// Which records go where, as numbers of rows of an index.
#[derive(Debug, Clone)]
pub struct SplitPlan {
    /// Where time is cut.
    pub cut: Cut,
    /// What is done about classes of unequal size.
    pub balance: Balance,
    /// The splits of the cut, in the order of time.
    pub parts: Vec<PlannedSplit>,
    /// Records before, after or between the ranges of the cut.
    pub outside: u64,
}

/// The records of one split.
#[derive(Debug, Clone)]
pub struct PlannedSplit {
    /// Which one.
    pub split: Split,
    /// Its rows, ascending by date and then by line; a row that balancing repeats stands here as
    /// often.
    pub rows: Vec<u32>,
    /// Different records among the rows.
    pub records: u64,
    /// Records dropped because they lie under embargo.
    pub embargoed: u64,
    /// How much a row of each class counts.
    pub class_weights: PerAction<f32>,
}

/// Places every record of `index` by its date alone, then balances training.
pub fn plan_splits(index: &RecordIndex, cut: Cut, balance: Balance) -> SplitPlan {
    let empty = |split| PlannedSplit {
        split,
        rows: Vec::new(),
        records: 0,
        embargoed: 0,
        class_weights: PerAction([1.0; 5]),
    };
    let mut parts: Vec<PlannedSplit> = cut.splits().map(empty).collect();
    let mut outside = 0;
    for (row, date) in (0..).zip(index.dates()) {
        let (split, kept) = match cut.place(date) {
            Placement::In(split) => (split, true),
            Placement::Embargoed(split) => (split, false),
            Placement::Outside => {
                outside += 1;
                continue;
            }
        };
        let part = parts.iter_mut().find(|part| part.split == split);
        match part {
            Some(part) if kept => part.rows.push(row),
            Some(part) => part.embargoed += 1,
            None => outside += 1,
        }
    }
    for part in &mut parts {
        part.records = part.rows.len() as u64;
        if part.split == Split::Train {
            balance_rows(part, index, balance);
        }
    }
    SplitPlan { cut, balance, parts, outside }
}

fn balance_rows(part: &mut PlannedSplit, index: &RecordIndex, balance: Balance) {
    let action = |row: u32| index.entries()[row as usize].action;
    match balance {
        Balance::None => {}
        Balance::Oversample => part.rows = oversample(&part.rows, action),
        Balance::Weights => {
            part.class_weights = class_weights(class_counts(&part.rows, action));
        }
    }
}
