use serde::Serialize;

use crate::{Histogram, OnOverflow, RowOptions};

/// What became of one split.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// The split.
    pub split: String,
    /// Records read.
    pub records: u64,
    /// Records that are in the shards.
    pub examples: u64,
    /// Rows of the shards; fewer than examples where several share one.
    pub rows: u64,
    /// Tokens in the shards, padding aside.
    pub tokens: u64,
    /// Tokens that are targets.
    pub target_tokens: u64,
    /// Tokens of the longest record as it was read.
    pub longest: u64,
    /// Its `uid`.
    pub longest_uid: Option<String>,
    /// Records with more tokens than a row holds.
    pub overflowing: u64,
    /// Of those, the ones whose input was shortened.
    pub shortened: u64,
    /// Of those, the ones that were left out.
    pub dropped: u64,
    /// Tokens that a row can hold.
    pub max_length: usize,
    /// Targets among the tokens, 0 to 1.
    pub target_share: f64,
    /// Of rows × `max_length` places, those that no token fills, 0 to 1.
    pub padding_share: f64,
    /// Of rows × `max_length` places, those that a token fills, 0 to 1; only of packed rows.
    pub packing_efficiency: Option<f64>,
    /// Tokens a record, as it was read.
    pub lengths: Histogram,
}

impl SplitReport {
    pub(crate) fn new(split: &str, max_length: usize) -> Self {
        Self {
            split: split.to_owned(),
            records: 0,
            examples: 0,
            rows: 0,
            tokens: 0,
            target_tokens: 0,
            longest: 0,
            longest_uid: None,
            overflowing: 0,
            shortened: 0,
            dropped: 0,
            max_length,
            target_share: 0.0,
            padding_share: 0.0,
            packing_efficiency: None,
            lengths: Histogram::default(),
        }
    }

    /// Counts a record of so many tokens as it was read.
    pub(crate) fn read(&mut self, uid: &str, tokens: usize) {
        self.records += 1;
        if tokens as u64 > self.longest {
            self.longest = tokens as u64;
            self.longest_uid = Some(uid.to_owned());
        }
        self.lengths.add(tokens);
    }

    /// Works out the shares.
    pub(crate) fn complete(&mut self, packed: bool) {
        let share =
            |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let places = self.rows * self.max_length as u64;
        self.target_share = share(self.target_tokens, self.tokens);
        self.padding_share = share(places - self.tokens.min(places), places);
        self.packing_efficiency = packed.then(|| share(self.tokens, places));
    }

    /// Whether rows were too long although none may be.
    pub fn violates(&self, options: &RowOptions) -> bool {
        options.on_overflow == OnOverflow::Error && self.overflowing > 0
    }
}
