use news_records::NewsConfig;
use serde::{Deserialize, Serialize};
use thesis_core::{AsOfDate, DateOrder, RecordTemplate};

/// The settings of `configs/ingest.yaml`, which documents each key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct IngestConfig {
    pub(crate) as_of: Option<AsOfDate>,
    pub(crate) date_order: DateOrder,
    pub(crate) max_file_mib: u64,
    pub(crate) strict: bool,
    pub(crate) instruction: String,
    pub(crate) input: String,
    pub(crate) indicator: String,
    pub(crate) missing: String,
    pub(crate) news: NewsConfig,
}

impl Default for IngestConfig {
    fn default() -> Self {
        Self {
            as_of: None,
            date_order: DateOrder::Refuse,
            max_file_mib: 512,
            strict: false,
            instruction: RecordTemplate::DEFAULT_INSTRUCTION.to_owned(),
            input: RecordTemplate::DEFAULT_INPUT.to_owned(),
            indicator: RecordTemplate::DEFAULT_INDICATOR.to_owned(),
            missing: RecordTemplate::DEFAULT_MISSING.to_owned(),
            news: NewsConfig::default(),
        }
    }
}
