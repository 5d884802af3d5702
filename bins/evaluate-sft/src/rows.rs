use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use dataset_split::{DatasetRow, SplitError, read_records};
use hf_dataset::DatasetDict;
use stage_cli::Hint;
use thesis_core::Record;
use tokenize::{Example, Fit, Question, fit};

use crate::model::ModelText;

/// The rows of a split, as the model is asked.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    /// The files that they were read from.
    pub(crate) files: Vec<PathBuf>,
}

/// A record, and what it is in tokens.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) record: Record,
    pub(crate) example: Example,
}

/// Reads the first `most` records of a split, and makes their prompts and targets as training did.
///
/// # Errors
/// A data set or split that is not there, a record that cannot be encoded.
pub(crate) fn read_rows(
    folder: &Path,
    split: &str,
    most: Option<usize>,
    text: &ModelText,
) -> anyhow::Result<Rows> {
    let dataset = DatasetDict::open(folder)
        .hint("--dataset-dir names the folder that `build-dataset` wrote")?;
    let files = dataset.split(split);
    let files = files.hint("--split names another")?.files().to_vec();
    let read = read_records(&dataset, split)?.take(most.unwrap_or(usize::MAX));
    let records: Vec<DatasetRow> = read.collect::<Result<_, SplitError>>()?;
    let row = |DatasetRow { record, .. }| {
        let example = example(text, &record)
            .with_context(|| format!("record `{}` of split `{split}`", record.uid))?;
        Ok(Row { record, example })
    };
    let rows: Vec<Row> = records.into_iter().map(row).collect::<anyhow::Result<_>>()?;
    if rows.is_empty() {
        return Err(anyhow!("split `{split}` of {} has no rows", folder.display()))
            .hint("`build-dataset` says how many rows its splits have");
    }
    Ok(Rows { rows, files })
}

/// Whether a data set has rows in a split.
pub(crate) fn has_rows(folder: &Path, split: &str) -> bool {
    DatasetDict::open(folder)
        .ok()
        .and_then(|dataset| Some(dataset.split(split).ok()?.rows() > 0))
        .unwrap_or(false)
}

fn example(text: &ModelText, record: &Record) -> anyhow::Result<Example> {
    let (format, question) = (&text.format, Question::from(record));
    let whole = || format.example(&question, &record.output);
    Ok(match text.shortened_to {
        None => whole()?,
        Some(most) => match fit(format, &question, &record.output, most, true)? {
            Fit::Whole(example) | Fit::Shortened { example, .. } => example,
            // Training left it out; it is judged all the same.
            Fit::TooLong { .. } => whole()?,
        },
    })
}
