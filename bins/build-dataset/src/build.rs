use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::bail;
use dataset_split::{RecordIndex, walk_forward};
use indicatif::{HumanBytes, HumanCount};
use run_manifest::{FileEntry, Run, StagedDir};
use serde_json::{Value, json};
use stage_cli::{Stage, Unit};
use thesis_core::AsOfDate;

use crate::args::Args;
use crate::config::{DatasetConfig, RULES, Task};
use crate::dataset::{Dataset, write_json};
use crate::hints::{with_folder_hint, with_hint};
use crate::table::{fold_table, split_table};

/// The stage's work: index, cut, write, check, and put it all in its place.
pub(crate) fn build(stage: &Stage, args: &Args) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let config: DatasetConfig = stage.config_with(&RULES, &args.flags())?;
    let task = config.task()?;
    refuse_input_inside(&args.jsonl, &args.out_dir)?;

    let mut run = stage.begin(env!("CARGO_PKG_VERSION"), &config)?;
    let staged = with_folder_hint(StagedDir::create(&args.out_dir, &run, false))?;
    stage.log_to(staged.path(), &run)?;
    let index = read_index(stage, &args.jsonl, &mut run)?;

    let dataset = Dataset { stage, index: &index, config: &config };
    let table = match task {
        Task::Split(split) => {
            let cut = with_hint(split.cut(index.span()?.1))?;
            let statistics = dataset.write(cut, staged.path())?;
            if statistics.outside > 0 {
                let outside = HumanCount(statistics.outside);
                tracing::info!("{outside} records are dated outside of all splits and left out");
            }
            split_table(&statistics)
        }
        Task::Folds(config) => {
            let dates: Vec<AsOfDate> = index.dates().collect();
            let folds = with_hint(walk_forward(&dates, &config))?;
            let mut list: Vec<Value> = Vec::with_capacity(folds.len());
            let mut statistics = Vec::with_capacity(folds.len());
            for fold in folds {
                let name = fold.name();
                let days = json!(fold.cut);
                let of_fold = dataset.write(fold.cut, &staged.path().join(&name))?;
                let rows = of_fold.splits.iter().map(|s| (s.split.to_string(), json!(s.rows)));
                let rows: Value = rows.collect();
                list.push(json!({"name": name, "days": days, "rows": rows}));
                statistics.push((name, of_fold));
            }
            write_json(&staged.path().join("folds.json"), &list)?;
            fold_table(&statistics)
        }
    };
    staged.commit(run)?;

    stage.print(table);
    stage.print(format_args!(
        "{} records, {} in {:.1} s, written to {}",
        HumanCount(index.len() as u64),
        HumanBytes(index.bytes()),
        began.elapsed().as_secs_f64(),
        args.out_dir.display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn read_index(stage: &Stage, jsonl: &Path, run: &mut Run) -> anyhow::Result<RecordIndex> {
    let bytes = jsonl.metadata().map_or(0, |metadata| metadata.len());
    let bar = stage.progress("reading", bytes, Unit::Bytes);
    let index = with_hint(RecordIndex::read(jsonl, &|done| bar.inc(done)))?;
    bar.finish_and_clear();
    run.add_input_entry(FileEntry {
        path: jsonl.to_string_lossy().into_owned(),
        bytes: index.bytes(),
        digest: format!("blake3:{}", index.blake3()),
    });
    Ok(index)
}

/// An earlier data set is replaced as a whole, and the input would go with it.
fn refuse_input_inside(jsonl: &Path, out_dir: &Path) -> anyhow::Result<()> {
    let (Ok(input), Ok(folder)) = (jsonl.canonicalize(), out_dir.canonicalize()) else {
        return Ok(());
    };
    if input.starts_with(&folder) {
        bail!(
            "--jsonl {} lies inside of --out-dir {}, which is written anew; name another folder",
            jsonl.display(),
            out_dir.display()
        );
    }
    Ok(())
}
