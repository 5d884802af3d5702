use anyhow::{Context, bail};
use dataset_split::{
    Balance, Boundaries, DateBounds, FoldMode, Format, SplitConfig, WalkForward, WriteOptions,
};
use serde::{Deserialize, Serialize};
use stage_cli::{ConfigRules, EnvAlias, Hint};
use thesis_core::AsOfDate;

/// The settings of `configs/dataset.yaml`, which documents each key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DatasetConfig {
    pub(crate) train_start: Option<AsOfDate>,
    pub(crate) train_end: Option<AsOfDate>,
    pub(crate) val_end: Option<AsOfDate>,
    pub(crate) test_start: Option<AsOfDate>,
    pub(crate) test_end: Option<AsOfDate>,
    pub(crate) test_split_days: Option<u32>,
    pub(crate) val_days: Option<u32>,
    pub(crate) embargo_days: u32,
    pub(crate) folds: Option<FoldMode>,
    pub(crate) fold_train_days: Option<u32>,
    pub(crate) fold_val_days: u32,
    pub(crate) fold_test_days: Option<u32>,
    pub(crate) fold_step_days: Option<u32>,
    pub(crate) format: Format,
    pub(crate) balance: Balance,
    pub(crate) max_shard_mb: u64,
}

/// The variables that earlier pipelines cut by, and the three ways to say where to cut.
pub(crate) const RULES: ConfigRules = ConfigRules {
    aliases: &[
        EnvAlias { variable: "TRAIN_START_DATE", key: "train_start" },
        EnvAlias { variable: "TRAIN_END_DATE", key: "train_end" },
        EnvAlias { variable: "TEST_START_DATE", key: "test_start" },
        EnvAlias { variable: "TEST_END_DATE", key: "test_end" },
    ],
    alternatives: &[
        &["train_start", "train_end", "val_end", "test_start", "test_end"],
        &["test_split_days", "val_days"],
        &["folds"],
    ],
};

/// What to write.
pub(crate) enum Task {
    /// One data set.
    Split(SplitConfig),
    /// A data set a fold.
    Folds(WalkForward),
}

impl Default for DatasetConfig {
    fn default() -> Self {
        Self {
            train_start: None,
            train_end: None,
            val_end: None,
            test_start: None,
            test_end: None,
            test_split_days: None,
            val_days: None,
            embargo_days: 0,
            folds: None,
            fold_train_days: None,
            fold_val_days: 0,
            fold_test_days: None,
            fold_step_days: None,
            format: Format::Arrow,
            balance: Balance::None,
            max_shard_mb: 500,
        }
    }
}

impl DatasetConfig {
    /// What the settings ask for.
    ///
    /// # Errors
    /// Settings that ask for nothing, for half of something, or for two things at once.
    pub(crate) fn task(&self) -> anyhow::Result<Task> {
        let Self { train_start, train_end, val_end, test_start, test_end, .. } = *self;
        let Self { test_split_days, val_days, folds, .. } = *self;
        let dates = [train_start, train_end, val_end, test_start, test_end];
        let by_dates = dates.iter().any(Option::is_some);
        let by_days = test_split_days.is_some() || val_days.is_some();
        let boundaries = match (folds, by_dates, by_days) {
            (Some(mode), false, false) => return Ok(Task::Folds(self.walk_forward(mode)?)),
            (None, true, false) => {
                let train_end = train_end.context("other dates are set, but `train_end` is not")?;
                if val_end.or(test_start).is_none() {
                    return Err(anyhow::anyhow!("`train_end` is set, but `val_end` is not")).hint(
                        "--val-end is the last day of validation; for none, give --test-start instead",
                    );
                }
                let bounds = DateBounds { train_start, train_end, val_end, test_start, test_end };
                Boundaries::Dates(bounds)
            }
            (None, false, true) => Boundaries::LastDays {
                test_split_days: test_split_days
                    .context("`val_days` is set, but `test_split_days` is not")?,
                val_days: val_days
                    .context("`test_split_days` is set, but `val_days` is not (0 for none)")?,
            },
            (None, false, false) => {
                return Err(anyhow::anyhow!("nothing says where to cut")).hint(
                    "give --train-end and --val-end, --test-split-days and --val-days, --folds, \
                     or --config configs/dataset.yaml",
                );
            }
            _ => bail!(
                "two ways to cut are set at once; keep one of `train_end` with `val_end`, \
                 `test_split_days` with `val_days`, and `folds`"
            ),
        };
        Ok(Task::Split(SplitConfig { boundaries, embargo_days: self.embargo_days }))
    }

    /// How data sets are laid out.
    pub(crate) fn write_options(&self) -> WriteOptions {
        let max_shard_bytes = self.max_shard_mb.saturating_mul(1_000_000);
        WriteOptions { format: self.format, max_shard_bytes }
    }

    fn walk_forward(&self, mode: FoldMode) -> anyhow::Result<WalkForward> {
        let days = |key: &str, days: Option<u32>| {
            days.with_context(|| format!("`folds` is set, but `{key}` is not"))
        };
        Ok(WalkForward {
            mode,
            train_days: days("fold_train_days", self.fold_train_days)?,
            val_days: self.fold_val_days,
            test_days: days("fold_test_days", self.fold_test_days)?,
            step_days: days("fold_step_days", self.fold_step_days)?,
            embargo_days: self.embargo_days,
        })
    }
}
