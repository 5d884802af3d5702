use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use dataset_split::{DatasetRow, read_records};
use hf_dataset::{DatasetDict, write_dataset_dict};
use indicatif::HumanCount;
use run_manifest::{Run, StagedDir, write_atomic};
use stage_cli::{Hint, Stage, Unit};
use tokenize::{
    ModelFiles, PromptFormat, RowOptions, Sample, ShardWriter, SplitReport, tokenizer_files,
};

use crate::args::Args;
use crate::config::{RULES, TokenizeConfig};
use crate::hints::{with_folder_hint, with_hint};
use crate::report::Report;
use crate::table::report_table;

/// Records that are in memory at a time.
const CHUNK: usize = 4096;

/// The stage's work: build the prompt format, encode every split, and put it all in its place.
pub(crate) fn tokenize_dataset(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let config: TokenizeConfig = stage.config_with(&RULES, &args.flags())?;
    let (prompt_options, row_options) = config.parts();
    refuse_input_inside(&args.dataset_dir, &args.out)?;
    let files = with_hint(ModelFiles::read(&args.tokenizer))?;
    let format = with_hint(PromptFormat::new(&files, &prompt_options))?;
    let dataset = DatasetDict::open(&args.dataset_dir)?;

    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &config)?;
    let staged = with_folder_hint(StagedDir::create(&args.out, &run, false))?;
    stage.log_to(staged.path(), &run)?;
    for note in format.notes() {
        match note.is_warning() {
            true => tracing::warn!("{note}"),
            false => tracing::info!("{note}"),
        }
    }
    files.read.iter().try_for_each(|path| run.add_input(path))?;
    let splits = encode_splits(stage, &dataset, &format, row_options, staged.path(), &mut run)?;
    refuse_overflow(&splits, &row_options)?;
    if splits.iter().all(|split| split.examples == 0) {
        return Err(anyhow!("no example came out of {}", args.dataset_dir.display()))
            .hint("the report of `build-dataset` says how many rows its splits have");
    }
    let names: Vec<&str> = splits.iter().map(|split| split.split.as_str()).collect();
    write_dataset_dict(staged.path(), &names)?;
    for file in tokenizer_files(&files, &format)? {
        write_atomic(&staged.path().join("tokenizer").join(file.name), file.text.as_bytes())?;
    }
    let report = Report::new(&format, splits);
    let text = serde_json::to_string_pretty(&report)? + "\n";
    write_atomic(&staged.path().join("report.json"), text.as_bytes())?;
    staged.commit(run)?;

    let seconds = began.elapsed().as_secs_f64();
    let sum = |part: fn(&SplitReport) -> u64| report.splits.iter().map(part).sum::<u64>();
    let (records, tokens) = (sum(|split| split.records), sum(|split| split.tokens));
    stage.print(report_table(&report.splits));
    stage.print(format_args!(
        "\n{} records, {} tokens in {seconds:.1} s, answers end with {}, written to {}",
        HumanCount(records),
        HumanCount(tokens),
        format.end_token().text,
        args.out.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn encode_splits(
    stage: &Stage,
    dataset: &DatasetDict,
    format: &PromptFormat,
    options: RowOptions,
    out: &Path,
    run: &mut Run,
) -> anyhow::Result<Vec<SplitReport>> {
    let readers: Vec<_> =
        dataset.splits().iter().map(|name| dataset.split(name)).collect::<Result<_, _>>()?;
    // All splits have the same columns, as `datasets` wants it.
    let weighted = readers.iter().any(|reader| reader.schema().index_of("weight").is_ok());
    let mut reports = Vec::with_capacity(readers.len());
    for (name, reader) in dataset.splits().iter().zip(&readers) {
        reader.files().iter().try_for_each(|path| run.add_input(path))?;
        let mut writer = with_hint(ShardWriter::create(out, name, format, options, weighted))?;
        let mut rows = read_records(dataset, name)?;
        let bar = stage.progress(name, rows.total(), Unit::Items);
        loop {
            let samples = rows
                .by_ref()
                .take(CHUNK)
                .map(|row| row.map(|DatasetRow { record, weight }| Sample { record, weight }));
            let samples: Vec<Sample> = samples.collect::<Result<_, _>>()?;
            if samples.is_empty() {
                break;
            }
            with_hint(writer.push(&samples)).with_context(|| format!("split `{name}`"))?;
            bar.inc(samples.len() as u64);
        }
        reports.push(with_hint(writer.finish())?);
        bar.finish_and_clear();
    }
    Ok(reports)
}

fn refuse_overflow(splits: &[SplitReport], options: &RowOptions) -> anyhow::Result<()> {
    let violating: Vec<_> = splits.iter().filter(|split| split.violates(options)).collect();
    let Some(worst) = violating.iter().max_by_key(|split| split.longest) else {
        return Ok(());
    };
    let of_split = |split: &&SplitReport| {
        format!("{} of {} in `{}`", split.overflowing, split.records, split.split)
    };
    let counts: Vec<_> = violating.iter().map(of_split).collect();
    Err(anyhow!(
        "records with more than {} tokens: {}; the longest, `{}`, has {}",
        options.max_length,
        counts.join(", "),
        worst.longest_uid.as_deref().unwrap_or_default(),
        worst.longest
    ))
    .hint(format!(
        "--max-length {} holds them all; or let --on-overflow truncate-input shorten their inputs, \
         or --on-overflow drop leave them out",
        worst.longest
    ))
}

/// An earlier output is replaced as a whole, and the input would go with it.
fn refuse_input_inside(dataset: &Path, out: &Path) -> anyhow::Result<()> {
    let (Ok(input), Ok(folder)) = (fs::canonicalize(dataset), fs::canonicalize(out)) else {
        return Ok(());
    };
    if input.starts_with(&folder) {
        bail!(
            "--dataset-dir {} lies inside of --out {}, which is written anew; name another folder",
            dataset.display(),
            out.display()
        );
    }
    Ok(())
}
