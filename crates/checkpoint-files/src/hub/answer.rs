use super::name::is_commit;

/// What the hub says about a model at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelAnswer {
    /// The commit that the revision stands for.
    pub(super) commit: String,
    /// All files, also those in folders.
    pub(super) files: Vec<FileOfModel>,
}

/// A file, and its size where the hub tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileOfModel {
    pub(super) name: String,
    pub(super) size: Option<u64>,
}

/// The fields of the answer that matter here.
#[derive(serde::Deserialize)]
struct Raw {
    sha: String,
    #[serde(default)]
    siblings: Vec<RawFile>,
}

#[derive(serde::Deserialize)]
struct RawFile {
    rfilename: String,
    size: Option<u64>,
}

/// Reads the answer of `/api/models/ORG/NAME/revision/REVISION?blobs=true`; why it is none otherwise.
pub(super) fn parse(json: &[u8]) -> Result<ModelAnswer, String> {
    let Raw { sha, siblings } = serde_json::from_slice(json)
        .map_err(|error| format!("the answer is not that of a model: {error}"))?;
    if !is_commit(&sha) {
        return Err(format!("`{}` is no commit", sha.escape_debug()));
    }
    let file = |RawFile { rfilename, size }| FileOfModel { name: rfilename, size };
    Ok(ModelAnswer { commit: sha, files: siblings.into_iter().map(file).collect() })
}
