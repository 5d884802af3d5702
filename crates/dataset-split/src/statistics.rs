use serde::Serialize;
use thesis_core::AsOfDate;

use crate::balance::class_counts;
use crate::parse_line::Entry;
use crate::{
    Balance, DateRange, Lengths, PerAction, PlannedSplit, RecordIndex, Split, SplitPlan, Warning,
};

/// What a data set holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// Records of the input.
    pub records: u64,
    /// Records dropped because they lie under embargo.
    pub embargoed: u64,
    /// Records before, after or between the splits.
    pub outside: u64,
    /// Calendar days kept free before validation and before test.
    pub embargo_days: u32,
    /// What was done about classes of unequal size.
    pub balance: Balance,
    /// The splits, in the order of time.
    pub splits: Vec<SplitStatistics>,
    /// What a person should know before using it.
    pub warnings: Vec<Warning>,
}

/// What a split holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitStatistics {
    /// Which one.
    pub split: Split,
    /// Its days, those under embargo among them.
    pub range: DateRange,
    /// Rows, repeated ones among them.
    pub rows: u64,
    /// Different records.
    pub records: u64,
    /// Records dropped because they lie under embargo.
    pub embargoed: u64,
    /// The first date of a row.
    pub first_date: Option<AsOfDate>,
    /// The last date of a row.
    pub last_date: Option<AsOfDate>,
    /// Different dates.
    pub dates: u64,
    /// Different tickers.
    pub tickers: u64,
    /// Rows of each class.
    pub classes: PerAction<u64>,
    /// Weight of each class, where the rows have one.
    pub class_weights: Option<PerAction<f32>>,
    /// Characters of the inputs; `None` without rows.
    pub input_chars: Option<Lengths>,
    /// Characters of the outputs; `None` without rows.
    pub output_chars: Option<Lengths>,
}

/// The statistics of a plan, from the index alone.
pub fn statistics(index: &RecordIndex, plan: &SplitPlan) -> Statistics {
    let splits: Vec<_> =
        plan.parts.iter().map(|part| split_statistics(index, plan, part)).collect();
    Statistics {
        records: index.len() as u64,
        embargoed: plan.parts.iter().map(|part| part.embargoed).sum(),
        outside: plan.outside,
        embargo_days: plan.cut.embargo_days(),
        balance: plan.balance,
        warnings: splits.iter().filter_map(warning).collect(),
        splits,
    }
}

fn split_statistics(index: &RecordIndex, plan: &SplitPlan, part: &PlannedSplit) -> SplitStatistics {
    let entries = || part.rows.iter().map(|row| &index.entries()[*row as usize]);
    let mut dates: Vec<AsOfDate> = Vec::new();
    let mut tickers = Vec::new();
    for entry in entries() {
        if dates.last() != Some(&entry.date) {
            dates.push(entry.date);
        }
        tickers.push(entry.ticker);
    }
    tickers.sort_unstable();
    tickers.dedup();
    let lengths =
        |chars: fn(&Entry) -> u32| Lengths::of(&mut entries().map(chars).collect::<Vec<_>>());
    let weighted = plan.balance == Balance::Weights;
    SplitStatistics {
        split: part.split,
        range: plan.cut.range(part.split).unwrap_or_default(),
        rows: part.rows.len() as u64,
        records: part.records,
        embargoed: part.embargoed,
        first_date: dates.first().copied(),
        last_date: dates.last().copied(),
        dates: dates.len() as u64,
        tickers: tickers.len() as u64,
        classes: class_counts(&part.rows, |row| index.entries()[row as usize].action),
        class_weights: weighted.then_some(part.class_weights),
        input_chars: lengths(|entry| entry.input_chars),
        output_chars: lengths(|entry| entry.output_chars),
    }
}

fn warning(statistics: &SplitStatistics) -> Option<Warning> {
    let SplitStatistics { split, range, embargoed, .. } = *statistics;
    if statistics.rows == 0 {
        return Some(Warning::EmptySplit { split, range, embargoed });
    }
    let classes = statistics.classes.iter();
    let actions: Vec<_> =
        classes.filter(|(_, rows)| **rows == 0).map(|(action, _)| action).collect();
    (!actions.is_empty()).then_some(Warning::MissingClasses { split, actions })
}
