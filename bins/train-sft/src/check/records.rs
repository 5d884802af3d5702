use std::path::{Path, PathBuf};

use dataset_split::{DatasetRow, read_records};
use hf_dataset::DatasetDict;
use lora_train::data::{DataNote, ReadOptions, TokenRows, TokenizedExample};
use rayon::prelude::*;
use tokenize::{Example, PromptFormat, Question};

/// Records that are in memory at a time.
const CHUNK: usize = 4096;

/// The records of a split as token rows, by the chat template of the model.
///
/// # Errors
/// A data set that cannot be read, a record that cannot be encoded, and what [`TokenRows::of_examples`] finds.
pub(super) fn tokenized(
    folder: &Path,
    split: &str,
    format: &PromptFormat,
    options: &ReadOptions,
) -> anyhow::Result<(TokenRows, Vec<DataNote>)> {
    let dataset = DatasetDict::open(folder)?;
    let files: Vec<PathBuf> = dataset.split(split)?.files().to_vec();
    let mut rows = read_records(&dataset, split)?;
    let mut examples = Vec::new();
    loop {
        let chunk: Vec<DatasetRow> = rows.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
        if chunk.is_empty() {
            break;
        }
        let encoded: Vec<_> = chunk.into_par_iter().map(|row| example(format, row)).collect();
        examples.extend(encoded.into_iter().collect::<anyhow::Result<Vec<_>>>()?);
    }
    Ok(TokenRows::of_examples(folder, split, files, options, examples)?)
}

fn example(format: &PromptFormat, row: DatasetRow) -> anyhow::Result<TokenizedExample> {
    let DatasetRow { record, weight } = row;
    let Example { prompt, target } = format
        .example(&Question::from(&record), &record.output)
        .map_err(|error| anyhow::Error::from(error).context(format!("record `{}`", record.uid)))?;
    Ok(TokenizedExample {
        uid: record.uid.to_string(),
        prompt,
        target,
        action: Some(record.action),
        weight,
    })
}
