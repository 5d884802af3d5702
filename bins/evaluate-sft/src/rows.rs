use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use dataset_split::{DatasetRow, SplitError, read_records};
use hf_dataset::DatasetDict;
use stage_cli::Hint;
use thesis_core::Record;
use tokenize::{Example, Fit, Question, fit};

use crate::model::ModelText;
use crate::spread::spread;

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

/// Reads no more than `most` records, spread evenly over a split, and makes their prompts and targets as training did.
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
    let all: Vec<DatasetRow> = read_records(&dataset, split)?.collect::<Result<_, SplitError>>()?;
    let records = spread(all, most.unwrap_or(usize::MAX));
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

#[cfg(test)]
mod tests {
    use std::fs;

    use dataset_split::{
        Balance, Boundaries, DEFAULT_SHARD_BYTES, DateBounds, Format, RecordIndex, SplitConfig,
        WriteOptions, plan_splits, write_splits,
    };
    use hf_dataset::write_dataset_dict;
    use lora_train::data::{ReadOptions, TokenRows};
    use run_manifest::Run;
    use serde_json::json;
    use thesis_core::{Action, AsOfDate, Completion, Indicators, Provenance, Ticker};
    use tokenize::{
        ModelFiles, OnOverflow, Packing, Padding, PromptFormat, PromptOptions, PromptRecipe,
        RowOptions, Sample, ShardWriter, StructureTokens, tokenizer_files,
    };

    use super::*;
    use crate::config::EvalConfig;
    use crate::model::find;

    fn records() -> Vec<Record> {
        let record = |index: usize| {
            let date = AsOfDate::parse("2024-01-02").unwrap().plus_days(index as u32);
            let (ticker, action) = (Ticker::new("TSLA").unwrap(), Action::ALL[index]);
            let (reasoning, support) = (format!("<BUY> {index}"), "a | <|im_end|>".to_owned());
            Record {
                uid: Record::uid(&ticker, date, 0),
                ticker,
                as_of_date: date,
                instruction: "Call <action> it.".to_owned(),
                input: format!("RSI={index}\n").repeat(4 * index + 1),
                output: Completion { reasoning, support, action }.to_string(),
                action,
                indicators: Indicators::default(),
                metadata: Provenance::default(),
            }
        };
        (0..5).map(record).collect()
    }

    fn write_dataset(folder: &Path, records: &[Record]) {
        let lines = records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n");
        let path = folder.join("all.jsonl");
        fs::write(&path, lines.collect::<String>()).unwrap();
        let index = RecordIndex::read(&path, &|_| ()).unwrap();
        let day = |text| AsOfDate::parse(text).unwrap();
        let bounds = DateBounds::new(day("2024-02-01"), day("2024-02-02"));
        let config = SplitConfig { boundaries: Boundaries::Dates(bounds), embargo_days: 0 };
        let cut = config.cut(index.span().unwrap().1).unwrap();
        let plan = plan_splits(&index, cut, Balance::None);
        let options = WriteOptions { format: Format::Arrow, max_shard_bytes: DEFAULT_SHARD_BYTES };
        write_splits(&index, &plan, &folder.join("dataset"), &options, &|_| ()).unwrap();
    }

    /// An adapter of a run that read shards or a data set, told by `prompt.json` or by the run's settings alone.
    fn check(prompt: PromptOptions, max_length: usize, on_overflow: OnOverflow, told: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models/llama");
        let (records, files) = (records(), ModelFiles::read(&fixtures).unwrap());
        write_dataset(folder.path(), &records);
        let format = PromptFormat::new(&files, &prompt).unwrap();
        let (packing, padding) = (Packing::None, Padding::None);
        let options = RowOptions { max_length, on_overflow, packing, padding };
        let shards = path("shards");
        let mut writer = ShardWriter::create(&shards, "train", &format, options, false).unwrap();
        let samples: Vec<Sample> =
            records.into_iter().map(|record| Sample { record, weight: None }).collect();
        writer.push(&samples).unwrap();
        writer.finish().unwrap();
        write_dataset_dict(&shards, &["train"]).unwrap();
        fs::create_dir(shards.join("tokenizer")).unwrap();
        let PromptOptions { structure_tokens, system_prompt, end_token, template_variables } =
            &prompt;
        let settings = json!({
            "max_length": max_length, "structure_tokens": structure_tokens, "on_overflow": on_overflow,
            "system_prompt": system_prompt, "end_token": end_token,
            "template_variables": template_variables,
        });
        let manifest = Run::begin("tokenize-shards", "0", &settings).unwrap().finish(Vec::new());
        fs::write(shards.join("manifest.json"), manifest.to_json().unwrap()).unwrap();
        let adapter = path("adapter");
        fs::create_dir(&adapter).unwrap();
        for name in ["adapter_config.json", "adapter_model.safetensors"] {
            fs::copy(fixtures.join("adapter").join(name), adapter.join(name)).unwrap();
        }
        let settings = json!({ "base_model": fixtures, "shards": shards, "dataset": null });
        fs::write(adapter.join("sft.json"), settings.to_string()).unwrap();
        let texts = if told { &adapter } else { &shards.join("tokenizer") };
        for file in tokenizer_files(&files, &format).unwrap() {
            fs::write(texts.join(file.name), file.text).unwrap();
        }
        if told {
            let shortened_to = (on_overflow == OnOverflow::TruncateInput).then_some(max_length);
            let recipe = PromptRecipe { prompt, shortened_to };
            let recipe = serde_json::to_string(&recipe).unwrap();
            fs::write(adapter.join(PromptRecipe::FILE), recipe).unwrap();
        }

        let found = find(&adapter, None).unwrap();
        let text = ModelText::read(&found, &EvalConfig::default()).unwrap();
        let rows = read_rows(&path("dataset"), "train", None, &text).unwrap();
        let options = ReadOptions { vocab_size: 272, max_length: usize::MAX };
        let (trained, _) = TokenRows::open(&shards, "train", &options).unwrap();
        assert_eq!(trained.examples(), rows.rows.len());
        for (example, Row { record, example: asked }) in rows.rows.iter().enumerate() {
            let (ids, first_target) = trained.ids_of(example);
            assert_eq!(trained.uid(example), record.uid);
            assert_eq!(ids[..first_target], asked.prompt, "{}", record.uid);
            assert_eq!(ids[first_target..], asked.target, "{}", record.uid);
        }
    }

    #[test]
    fn prompts_are_those_of_training() {
        for structure_tokens in [StructureTokens::Added, StructureTokens::Plain] {
            for told in [true, false] {
                let plain = PromptOptions { structure_tokens, ..PromptOptions::default() };
                check(plain.clone(), 2048, OnOverflow::Error, told);
                check(plain.clone(), 260, OnOverflow::TruncateInput, told);
                let asked = PromptOptions { system_prompt: Some("Be brief.".to_owned()), ..plain };
                check(asked, 2048, OnOverflow::Error, told);
            }
        }
    }
}
