use dataset_split::SplitError;
use run_manifest::ManifestError;
use stage_cli::Hint;

/// Adds what to do about an error, where there is something to say.
pub(crate) fn with_hint<T>(result: Result<T, SplitError>) -> anyhow::Result<T> {
    let hint = match &result {
        Err(SplitError::Faulty { .. }) => {
            "a record is one JSON object a line, as `ingest` writes it; correct these lines or \
             ingest again"
        }
        Err(SplitError::Io { action: "open", .. } | SplitError::NoRecords) => {
            "--jsonl names the file that `ingest --out` wrote"
        }
        Err(SplitError::ShortSpan { .. }) => {
            "take shorter windows: --fold-train-days, --fold-val-days, --fold-test-days"
        }
        _ => return Ok(result?),
    };
    result.hint(hint)
}

/// Adds what to do about an output folder that cannot be begun.
pub(crate) fn with_folder_hint<T>(result: Result<T, ManifestError>) -> anyhow::Result<T> {
    match &result {
        Err(ManifestError::Occupied { .. }) => {
            result.hint("name another --out-dir, or remove what is there")
        }
        Err(ManifestError::Io { .. }) => result.hint("--out-dir must be a folder you may write to"),
        _ => Ok(result?),
    }
}
