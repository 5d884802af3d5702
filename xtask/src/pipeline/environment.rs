use std::collections::BTreeMap;
use std::{env, fs};

use anyhow::Context;

use super::StageName;

/// Where a person keeps what the environment does not say: in the working folder, else in the nearest folder above it
/// that has one.
const FILE: &str = ".env";

/// The value of a variable in the environment, else in the file `.env`; an empty one is none.
pub(super) fn value(name: &str) -> anyhow::Result<Option<String>> {
    let of_file = of_file()?.remove(name);
    Ok(env::var(name).ok().or(of_file).filter(|value| !value.is_empty()))
}

/// The variables that a stage looks at, each with the digest of its value.
///
/// # Errors
/// A file `.env` that cannot be read.
pub(super) fn seen_by(stage: StageName) -> anyhow::Result<BTreeMap<String, String>> {
    let mut all = of_file()?;
    let of_process = env::vars_os().filter_map(|(name, value)| {
        // A value that is no text counts by its nearest text.
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    });
    all.extend(of_process);
    Ok(seen(stage, all))
}

fn seen(stage: StageName, all: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let prefix = format!("THESISFORGE_{}_", stage.as_str().to_uppercase().replace('-', "_"));
    let relevant =
        |name: &String| name.starts_with(&prefix) || aliases(stage).contains(&name.as_str());
    let digest = |name: &str, value: &str| match name {
        // What the key is does not matter to prices, and nothing of it is written down.
        "EODHD_API_KEY" => "set".to_owned(),
        _ => blake3::hash(value.as_bytes()).to_hex().to_string(),
    };
    // One that is set to nothing is not set.
    let relevant =
        all.into_iter().filter(|(name, value)| relevant(name) && !value.trim().is_empty());
    relevant
        .map(|(name, value)| {
            let digest = digest(&name, &value);
            (name, digest)
        })
        .collect()
}

/// Names without a prefix that a stage takes.
fn aliases(stage: StageName) -> &'static [&'static str] {
    match stage {
        StageName::Ingest | StageName::EvaluateSft | StageName::TradingBacktest => &[],
        StageName::BuildDataset => {
            &["TRAIN_START_DATE", "TRAIN_END_DATE", "TEST_START_DATE", "TEST_END_DATE"]
        }
        StageName::TokenizeShards | StageName::TrainSft => &["MAX_LENGTH"],
        StageName::FetchPrices => &["EODHD_API_KEY"],
    }
}

fn of_file() -> anyhow::Result<BTreeMap<String, String>> {
    let here = env::current_dir()?;
    let Some(path) = here.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
    else {
        return Ok(BTreeMap::new());
    };
    let text = fs::read_to_string(&path);
    Ok(variables_of(&text.with_context(|| format!("cannot read {}", path.display()))?))
}

/// `NAME=value` on each line, also after `export` and between quotes; `#` begins a comment.
fn variables_of(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| {
        let line = line.trim();
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let name = name.trim();
        (!name.starts_with('#')).then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
    });
    lines.collect()
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|v| v.split_once(quote)) {
            return inside;
        }
    }
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_sees_its_own_names() {
        let all = "# A=1\nexport THESISFORGE_TRAIN_SFT_SEED = 3 # why\nMAX_LENGTH='5 # 1'\nTRAIN_END_DATE=\"x\"\n\
                   EODHD_API_KEY=secret\nTHESISFORGE_TRAIN_SFTX=1\nbroken";
        let all = variables_of(all);
        assert_eq!(all["THESISFORGE_TRAIN_SFT_SEED"], "3");
        assert_eq!((all["MAX_LENGTH"].as_str(), all["TRAIN_END_DATE"].as_str()), ("5 # 1", "x"));
        assert_eq!(all.len(), 5);
        let names = |stage| seen(stage, all.clone()).into_keys().collect::<Vec<_>>().join(" ");
        assert_eq!(names(StageName::TrainSft), "MAX_LENGTH THESISFORGE_TRAIN_SFT_SEED");
        assert_eq!(names(StageName::BuildDataset), "TRAIN_END_DATE");
        assert_eq!(names(StageName::Ingest), "");
        let key = seen(StageName::FetchPrices, all.clone());
        assert_eq!(key["EODHD_API_KEY"], "set");
        let seed = seen(StageName::TrainSft, all);
        assert_eq!(seed["THESISFORGE_TRAIN_SFT_SEED"], blake3::hash(b"3").to_hex().as_str());
    }
}
