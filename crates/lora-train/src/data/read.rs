use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use hf_dataset::DatasetDict;
use thesis_core::Action;
use tokenize::IGNORED;

use super::columns::{COLUMNS, ColumnFault};
use super::raw_row::RawRow;
use super::row_columns::{CheckedRow, Columns};
use super::token_rows::{Stored, TARGET, Uids};
use super::{DataError, DataNote, RowFault, TokenRows};

/// Rows whose numbers are widened at a time.
const CHUNK: usize = 256;

/// How many rows an error names.
const NAMED: usize = 5;

/// What token rows must keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// Ids are below it: rows of the model's embedding, those of new tokens included.
    pub vocab_size: usize,
    /// Most tokens of a row, padding not counted.
    pub max_length: usize,
}

impl TokenRows {
    /// Reads a split that `tokenize-shards` wrote, or Python's `datasets` (`save_to_disk`, or Parquet).
    ///
    /// Columns `input_ids` and `labels` must be there, lists of integers; a label is the token's own id, or -100 where
    /// it is no target. Padding, at either end, is told by `attention_mask` and left out. Rows of several examples have
    /// `seq_lengths`, or `position_ids` that begin again at 0. `uid`, `action` and `weight` are single values, or lists
    /// with one value an example.
    ///
    /// # Errors
    /// [`DataError`]: the first row that contradicts itself or the model; else how many rows are too long, or have no
    /// targets.
    pub fn open(
        folder: &Path,
        split: &str,
        options: &ReadOptions,
    ) -> Result<(Self, Vec<DataNote>), DataError> {
        let reader = DatasetDict::open(folder)?.split(split)?;
        let (path, name) = (folder.to_owned(), split.to_owned());
        if reader.rows() == 0 {
            return Err(DataError::Empty { path, split: name });
        }
        let mut columns = Vec::new();
        let mut unused = Vec::new();
        for field in reader.schema().fields() {
            let known = COLUMNS.iter().find(|column| *column == field.name());
            known.map_or_else(|| unused.push(field.name().clone()), |column| columns.push(*column));
        }
        if let Some(column) = COLUMNS[..2].iter().find(|column| !columns.contains(column)) {
            let known = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
            return Err(DataError::NoColumn { path, split: name, column, known });
        }
        let mut reading = Reading::new(path, name, reader.files().to_vec(), *options);
        for batch in reader.batches_of(&columns)? {
            let batch = batch?;
            for start in (0..batch.num_rows()).step_by(CHUNK) {
                let length = CHUNK.min(batch.num_rows() - start);
                reading.add(&batch.slice(start, length))?;
            }
        }
        let (rows, mut notes) = reading.finish()?;
        if !unused.is_empty() {
            notes.push(DataNote::UnusedColumns { columns: unused });
        }
        Ok((rows, notes))
    }
}

/// An example that was tokenized just now.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenizedExample {
    /// Its name.
    pub uid: String,
    /// What the model reads.
    pub prompt: Vec<u32>,
    /// What it is to write.
    pub target: Vec<u32>,
    /// Its action, where it is known.
    pub action: Option<Action>,
    /// What its loss is multiplied by; 1 where nothing is said.
    pub weight: Option<f32>,
}

impl TokenRows {
    /// Rows of one example each, of the split `split` of the data set in `path`, whose files are `files`.
    ///
    /// # Errors
    /// As [`TokenRows::open`].
    pub fn of_examples(
        path: &Path,
        split: &str,
        files: Vec<PathBuf>,
        options: &ReadOptions,
        examples: impl IntoIterator<Item = TokenizedExample>,
    ) -> Result<(Self, Vec<DataNote>), DataError> {
        let mut reading = Reading::new(path.to_owned(), split.to_owned(), files, *options);
        for example in examples {
            reading.add_example(&example)?;
        }
        if reading.rows.examples.is_empty() {
            return Err(DataError::Empty { path: path.to_owned(), split: split.to_owned() });
        }
        reading.finish()
    }
}

/// Rows so far, and what is wrong with them.
struct Reading {
    rows: TokenRows,
    options: ReadOptions,
    too_long: u64,
    /// Tokens and name of the longest row of those that are too long.
    longest: (usize, String),
    without_targets: u64,
    named: Vec<String>,
    /// How many, and the first of them.
    unknown_actions: (u64, String),
    idle_examples: (u64, String),
}

impl Reading {
    fn new(path: PathBuf, split: String, files: Vec<PathBuf>, options: ReadOptions) -> Self {
        let rows = TokenRows {
            path,
            split,
            files,
            examples: Vec::new(),
            rows: vec![0],
            uids: Uids::default(),
        };
        Self {
            rows,
            options,
            too_long: 0,
            longest: Default::default(),
            without_targets: 0,
            named: Vec::new(),
            unknown_actions: Default::default(),
            idle_examples: Default::default(),
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let columns = Columns::of(batch).map_err(|fault| self.column_error(fault))?;
        for row in 0..batch.num_rows() {
            let number = self.rows.rows();
            let uids = columns.uid.as_ref().map_or_else(Vec::new, |uid| uid.row(row));
            let uids: Vec<&str> = uids.into_iter().flatten().collect();
            let name = match uids.first() {
                Some(uid) => format!("`{uid}`"),
                None => format!("row {number}"),
            };
            let added =
                columns.row(row, &self.options).and_then(|raw| self.push(raw, &uids, &name));
            added.map_err(|fault| self.row_error(name, fault))?;
        }
        Ok(())
    }

    fn add_example(&mut self, example: &TokenizedExample) -> Result<(), DataError> {
        let TokenizedExample { uid, prompt, target, action, weight } = example;
        let ids: Vec<i64> = prompt.iter().chain(target).map(|&id| i64::from(id)).collect();
        let mut labels = ids.clone();
        labels[..prompt.len()].fill(i64::from(IGNORED));
        let raw = RawRow { input_ids: &ids, labels: &labels, ..RawRow::default() };
        let weights: Vec<f64> = weight.iter().map(|&weight| f64::from(weight)).collect();
        let actions = vec![action.map(Action::as_str)];
        let row = CheckedRow::new(&raw, actions, &weights, &self.options);
        let name = format!("`{uid}`");
        let added = row.and_then(|row| self.push(row, &[uid.as_str()], &name));
        added.map_err(|fault| self.row_error(name, fault))
    }

    fn row_error(&self, row: String, fault: RowFault) -> DataError {
        let (path, split) = (self.rows.path.clone(), self.rows.split.clone());
        DataError::Row { path, split, row, fault: Box::new(fault) }
    }

    fn push(&mut self, row: CheckedRow<'_>, uids: &[&str], name: &str) -> Result<(), RowFault> {
        let CheckedRow { examples, actions, weights } = row;
        let count = examples.len();
        if !(uids.is_empty() || uids.len() == count || uids.len() == 1) {
            return Err(RowFault::Length {
                column: "uid",
                got: uids.len(),
                expected: count,
                of: "examples",
            });
        }
        let tokens = examples.iter().map(|tokens| tokens.len()).sum();
        if tokens > self.options.max_length {
            self.too_long += 1;
            if tokens > self.longest.0 {
                self.longest = (tokens, name.to_owned());
            }
        }
        let first = self.rows.examples.len();
        for (index, tokens) in examples.into_iter().enumerate() {
            let targets = tokens.iter().filter(|&token| token & TARGET != 0).count() as u32;
            let uid = match uids.get(index) {
                Some(uid) => self.rows.uids.push(uid),
                None if index == 0 => self.rows.uids.push(name),
                None => self.rows.uids.push(&format!("{name}, example {index}")),
            };
            let action = actions.get(index).copied().flatten().and_then(|word| {
                let action: Option<Action> = word.parse().ok();
                if action.is_none() {
                    count_first(&mut self.unknown_actions, word);
                }
                action
            });
            let weight = weights.get(index).map_or(1.0, |&weight| weight as f32);
            self.rows.examples.push(Stored { tokens, targets, weight, action, uid });
        }
        self.rows.rows.push(self.rows.examples.len() as u32);
        let idle: Vec<usize> = (first..first + count)
            .filter(|&example| self.rows.examples[example].targets == 0)
            .collect();
        if idle.len() == count {
            self.without_targets += 1;
            if self.named.len() < NAMED {
                self.named.push(name.to_owned());
            }
        } else {
            for example in idle {
                let uid = self.rows.uid(example).to_owned();
                count_first(&mut self.idle_examples, &uid);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(TokenRows, Vec<DataNote>), DataError> {
        let (path, split) = (self.rows.path.clone(), self.rows.split.clone());
        if self.too_long > 0 {
            let (longest, row) = self.longest;
            let (rows, max_length) = (self.too_long, self.options.max_length);
            return Err(DataError::TooLong { path, split, rows, max_length, longest, row });
        }
        if self.without_targets > 0 {
            let (rows, named) = (self.without_targets, self.named);
            return Err(DataError::NoTargets { path, split, rows, named });
        }
        let mut notes = Vec::new();
        let (examples, first) = self.unknown_actions;
        if examples > 0 {
            notes.push(DataNote::UnknownActions { examples, first });
        }
        let (examples, first) = self.idle_examples;
        if examples > 0 {
            notes.push(DataNote::ExamplesWithoutTargets { examples, first });
        }
        Ok((self.rows, notes))
    }

    fn column_error(&self, (column, fault): (&'static str, ColumnFault)) -> DataError {
        let (path, split) = (self.rows.path.clone(), self.rows.split.clone());
        match fault {
            ColumnFault::Type(data_type, expected) => {
                DataError::ColumnType { path, split, column, data_type, expected }
            }
            ColumnFault::Values(source) => DataError::ColumnValues { path, split, column, source },
        }
    }
}

fn count_first((count, first): &mut (u64, String), what: &str) {
    if *count == 0 {
        what.clone_into(first);
    }
    *count += 1;
}
