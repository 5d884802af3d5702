use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::environment;
use super::profile::{Profile, Settings};
use super::{PipelineArgs, StageName};
use crate::process::say;

/// What does not come from a stage.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    /// Folder of XML files.
    pub(super) theses: PathBuf,
    /// Price files; without them, prices come from the web.
    pub(super) prices: Option<PathBuf>,
    /// The tickers of the price files, with commas between them; empty where the settings name them.
    pub(super) tickers: String,
    /// Model folder or GGUF file.
    pub(super) base_model: PathBuf,
}

impl Inputs {
    /// Those of the profile; `--data` and the environment's `BASE_MODEL` win over it.
    pub(super) fn new(
        profile: &Profile,
        settings: &Settings,
        args: &PipelineArgs,
    ) -> anyhow::Result<Self> {
        let of_data = |name| args.data.as_ref().map(|folder| folder.join(name));
        let theses = of_data("theses").or(profile.inputs.theses.clone()).context(
            "the profile has no data of its own: give --data DIR with DIR/theses/*.xml and DIR/prices/*.csv",
        )?;
        if !theses.is_dir() {
            bail!("{} is no folder; it should hold theses as XML files", theses.display());
        }
        // Without a folder of prices beside the theses, they come from the web.
        let prices = of_data("prices").filter(|folder| folder.is_dir());
        let prices = if args.data.is_some() { prices } else { profile.inputs.prices.clone() };
        let tickers = match &prices {
            Some(folder) if !names_tickers(settings) => tickers(folder)?,
            _ => String::new(),
        };
        let base_model = environment::value("BASE_MODEL")?.map(PathBuf::from);
        if let Some(model) = &base_model {
            say(format!("base model: {} (BASE_MODEL)", model.display()));
        }
        let base_model = base_model
            .or(profile.inputs.base_model.clone())
            .context("the profile names no base model, and the environment no BASE_MODEL")?;
        Ok(Self { theses, prices, tickers, base_model })
    }
}

fn names_tickers(settings: &Settings) -> bool {
    let flags = settings.get(&StageName::FetchPrices).map(|stage| &stage.flags);
    flags.is_some_and(|flags| flags.contains_key("tickers") || flags.contains_key("tickers-file"))
}

/// The tickers of a folder with a file each, in order.
fn tickers(folder: &Path) -> anyhow::Result<String> {
    let files = fs::read_dir(folder)
        .with_context(|| format!("cannot list the prices in {}", folder.display()))?;
    let mut tickers = Vec::new();
    for file in files {
        let path = file?.path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if let ("csv" | "parquet", Some(stem)) = (kind, path.file_stem().and_then(|s| s.to_str())) {
            tickers.push(stem.to_owned());
        }
    }
    if tickers.is_empty() {
        bail!("{} holds no TICKER.csv and no TICKER.parquet", folder.display());
    }
    tickers.sort();
    tickers.dedup();
    Ok(tickers.join(","))
}
