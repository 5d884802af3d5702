use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::stage::Stage;

/// What a stage warned of, in the order in which it did, each text once: from its log files, and from the report that
/// it wrote.
pub(super) fn warnings(stage: &Stage) -> Vec<String> {
    let mut texts = Vec::new();
    let mut logs: Vec<PathBuf> = fs::read_dir(stage.folder.join("logs"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    logs.sort();
    for log in logs {
        let text = fs::read_to_string(log).unwrap_or_default();
        texts.extend(text.lines().filter_map(warning_of_line));
    }
    texts.extend(of_report(&stage.output.with_extension("json")));
    let mut seen = std::collections::BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts
}

fn warning_of_line(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let bad = matches!(line["level"].as_str(), Some("WARN" | "ERROR"));
    line["fields"]["message"].as_str().filter(|_| bad).map(str::to_owned)
}

fn of_report(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let report: Value = serde_json::from_str(&text).unwrap_or_default();
    let warnings = report["warnings"].as_array().into_iter().flatten();
    warnings.filter_map(|warning| warning.as_str().map(str::to_owned)).collect()
}
