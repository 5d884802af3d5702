use std::ops::Range;
use std::path::{Path, PathBuf};

use thesis_core::Action;

use super::{ClassWeights, DataError};

/// The bit of a token that is a target; ids are below it.
pub(super) const TARGET: u32 = 1 << 31;

/// A token as it lies in memory.
pub(super) const fn pack_token(id: u32, is_target: bool) -> u32 {
    if is_target { id | TARGET } else { id }
}

/// The rows of a split, checked, in memory: four bytes a token.
#[derive(Debug, Clone)]
pub struct TokenRows {
    pub(super) path: PathBuf,
    pub(super) split: String,
    pub(super) files: Vec<PathBuf>,
    pub(super) examples: Vec<Stored>,
    /// Row `i` has the examples from `rows[i]` to `rows[i + 1]`.
    pub(super) rows: Vec<u32>,
    /// The uids of all examples behind each other.
    pub(super) uids: Uids,
}

/// An example.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) tokens: Box<[u32]>,
    pub(super) targets: u32,
    pub(super) weight: f32,
    pub(super) action: Option<Action>,
    /// Which uid is its own; packing moves examples.
    pub(super) uid: u32,
}

/// Texts in one allocation.
#[derive(Debug, Clone, Default)]
pub(super) struct Uids {
    text: String,
    ends: Vec<u64>,
}

impl TokenRows {
    /// The folder of the data set.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the split.
    pub fn split(&self) -> &str {
        &self.split
    }

    /// The files that were read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Rows: what a micro-batch counts.
    pub fn rows(&self) -> usize {
        self.rows.len() - 1
    }

    /// Examples in all rows.
    pub fn examples(&self) -> usize {
        self.examples.len()
    }

    /// Tokens in all rows.
    pub fn tokens(&self) -> u64 {
        self.examples.iter().map(|example| example.tokens.len() as u64).sum()
    }

    /// Targets in all rows: tokens that the model is to learn to write.
    pub fn targets(&self) -> u64 {
        self.examples.iter().map(|example| u64::from(example.targets)).sum()
    }

    /// Tokens of the longest row.
    pub fn longest_row(&self) -> usize {
        (0..self.rows()).map(|row| self.row_tokens(row)).max().unwrap_or(0)
    }

    /// Tokens of a row.
    pub fn row_tokens(&self, row: usize) -> usize {
        self.examples[self.examples_of(row)].iter().map(|example| example.tokens.len()).sum()
    }

    /// The examples of a row, by index.
    pub fn examples_of(&self, row: usize) -> Range<usize> {
        self.rows[row] as usize..self.rows[row + 1] as usize
    }

    /// The uid of an example, or its number where the data set has no uids.
    pub fn uid(&self, example: usize) -> &str {
        self.uids.get(self.examples[example].uid as usize)
    }

    /// The ids of an example, and how many of its first tokens are the prompt: those before its first target.
    pub fn ids_of(&self, example: usize) -> (Vec<u32>, usize) {
        let tokens = &self.examples[example].tokens;
        let prompt = tokens.iter().position(|token| token & TARGET != 0).unwrap_or(tokens.len());
        (tokens.iter().map(|token| token & !TARGET).collect(), prompt)
    }

    /// The action of an example, where it is known.
    pub fn action(&self, example: usize) -> Option<Action> {
        self.examples[example].action
    }

    /// Examples by action, in the order of [`Action::ALL`]; those without one are not counted.
    pub fn actions(&self) -> [u64; 5] {
        let mut counts = [0; 5];
        for action in self.examples.iter().filter_map(|example| example.action) {
            counts[action.index()] += 1;
        }
        counts
    }

    /// The sum of the weights of all targets of some rows; a row that is named twice counts twice.
    ///
    /// Added up in the order of the rows, so that every process that is asked gets the same bits.
    pub fn target_weight(&self, rows: &[usize]) -> f64 {
        let of_example = |example: &Stored| f64::from(example.weight) * f64::from(example.targets);
        rows.iter().flat_map(|&row| &self.examples[self.examples_of(row)]).map(of_example).sum()
    }

    /// Puts examples into rows of at most `max_length` tokens, best fit decreasing as [`tokenize::pack`] does it.
    ///
    /// A batch has no padding, so this changes no loss; it evens out how many tokens a row has.
    pub fn pack(&mut self, max_length: usize) {
        let lengths: Vec<usize> = self.examples.iter().map(|e| e.tokens.len()).collect();
        let packed = tokenize::pack(&lengths, max_length);
        let mut examples: Vec<Option<Stored>> =
            std::mem::take(&mut self.examples).into_iter().map(Some).collect();
        self.rows = vec![0];
        for row in packed {
            self.examples.extend(row.into_iter().filter_map(|example| examples[example].take()));
            self.rows.push(self.examples.len() as u32);
        }
    }

    /// Multiplies the weight of every example by that of its class.
    ///
    /// # Errors
    /// [`DataError::NoAction`] for an example whose class is not known; [`DataError::ClassWeight`].
    pub fn weigh(&mut self, weights: &ClassWeights) -> Result<(), DataError> {
        let Some(of_class) = weights.of_counts(self.actions())? else { return Ok(()) };
        if let Some(missing) = self.first_without_action() {
            return Err(self.no_action(missing, "a class weight"));
        }
        for example in &mut self.examples {
            let Some(action) = example.action else { continue };
            example.weight = (f64::from(example.weight) * of_class[action.index()]) as f32;
        }
        Ok(())
    }

    pub(super) fn first_without_action(&self) -> Option<usize> {
        self.examples.iter().position(|example| example.action.is_none())
    }

    pub(super) fn no_action(&self, example: usize, purpose: &'static str) -> DataError {
        let row = self.uid(example).to_owned();
        DataError::NoAction { path: self.path.clone(), split: self.split.clone(), row, purpose }
    }
}

impl Uids {
    pub(super) fn push(&mut self, uid: &str) -> u32 {
        self.text += uid;
        self.ends.push(self.text.len() as u64);
        (self.ends.len() - 1) as u32
    }

    fn get(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.text[start..self.ends[index] as usize]
    }
}
