use serde::Deserialize;
use serde_json::{Value, json};

/// What a reader needs of `state.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct State {
    /// The split's files, in the order of its rows.
    #[serde(rename = "_data_files")]
    pub(crate) data_files: Vec<DataFile>,
    /// The split's name, where the data set was one.
    #[serde(rename = "_split", default)]
    pub(crate) split: Option<String>,
}

/// A file of a split.
#[derive(Debug, Deserialize)]
pub(crate) struct DataFile {
    /// Its name, relative to the folder of `state.json`.
    pub(crate) filename: String,
}

/// What a reader needs of `dataset_info.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    /// The columns; null in files of old versions.
    #[serde(default)]
    pub(crate) features: Value,
}

/// `state.json`, keys in the library's own order.
pub(crate) fn state_json(files: &[String], fingerprint: &str) -> String {
    let files: Vec<Value> = files.iter().map(|name| json!({ "filename": name })).collect();
    let state = json!({
        "_data_files": files,
        "_fingerprint": fingerprint,
        "_format_columns": null,
        "_format_kwargs": {},
        "_format_type": null,
        "_output_all_columns": false,
        "_split": null,
    });
    format!("{state:#}")
}

/// `dataset_info.json`, keys in the library's own order.
pub(crate) fn info_json(features: &Value) -> String {
    let info = json!({
        "citation": "",
        "description": "",
        "features": features,
        "homepage": "",
        "license": "",
    });
    format!("{info:#}")
}
