use std::fs;
use std::path::Path;

use anyhow::Context;
use dataset_split::{Cut, RecordIndex, Statistics, plan_splits, statistics, write_splits};
use serde::Serialize;
use stage_cli::{Stage, Unit};

use crate::config::DatasetConfig;
use crate::hints::with_hint;

/// What every data set of a run is made from.
pub(crate) struct Dataset<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) index: &'a RecordIndex,
    pub(crate) config: &'a DatasetConfig,
}

impl Dataset<'_> {
    /// Writes the splits of a cut and their `statistics.json` into `folder`.
    pub(crate) fn write(&self, cut: Cut, folder: &Path) -> anyhow::Result<Statistics> {
        let Self { stage, index, config } = *self;
        let plan = plan_splits(index, cut, config.balance);
        let statistics = statistics(index, &plan);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        for warning in &statistics.warnings {
            match name.starts_with("fold-") {
                true => tracing::warn!("{name}: {warning}"),
                false => tracing::warn!("{warning}"),
            }
        }
        let rows = statistics.splits.iter().map(|split| split.rows).sum();
        let bar = stage.progress("writing", rows, Unit::Items);
        let options = config.write_options();
        with_hint(write_splits(index, &plan, folder, &options, &|done| bar.inc(done)))?;
        bar.finish_and_clear();
        write_json(&folder.join("statistics.json"), &statistics)?;
        Ok(statistics)
    }
}

/// Writes indented JSON and a final newline.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
