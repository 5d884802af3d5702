use std::ffi::OsStr;
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
    /// What the price files are, `csv` or `parquet`; empty without them, and where the settings say it.
    pub(super) price_source: String,
    /// The tickers of the price files, with commas between them; empty without them, and where the settings say it.
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
        let of_files = |flags: &[&str], part: fn(&Path) -> anyhow::Result<String>| match &prices {
            Some(folder) if !says(settings, flags) => part(folder),
            _ => Ok(String::new()),
        };
        let price_source = of_files(&["source"], price_source)?;
        let tickers = of_files(&["tickers", "tickers-file"], tickers)?;
        let base_model = environment::value("BASE_MODEL")?.map(PathBuf::from);
        if let Some(model) = &base_model {
            say(format!("base model: {} (BASE_MODEL)", model.display()));
        }
        let base_model = base_model
            .or(profile.inputs.base_model.clone())
            .context("the profile names no base model, and the environment no BASE_MODEL")?;
        Ok(Self { theses, prices, price_source, tickers, base_model })
    }
}

/// Whether the settings of `fetch-prices` have one of the flags.
fn says(settings: &Settings, flags: &[&str]) -> bool {
    let stage = settings.get(&StageName::FetchPrices);
    stage.is_some_and(|stage| flags.iter().any(|flag| stage.flags.contains_key(*flag)))
}

/// What the files of a folder are.
fn price_source(folder: &Path) -> anyhow::Result<String> {
    let csv = price_files(folder)?.iter().any(|(_, kind)| kind == "csv");
    Ok(if csv { "csv" } else { "parquet" }.to_owned())
}

/// The tickers of a folder with a file each, in order.
fn tickers(folder: &Path) -> anyhow::Result<String> {
    let mut tickers: Vec<String> =
        price_files(folder)?.into_iter().map(|(ticker, _)| ticker).collect();
    tickers.sort();
    tickers.dedup();
    Ok(tickers.join(","))
}

/// Name and kind of each price file.
fn price_files(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let entries = fs::read_dir(folder)
        .with_context(|| format!("cannot list the prices in {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let text = |part: Option<&OsStr>| part.and_then(OsStr::to_str).map(str::to_owned);
        if let (Some(stem), Some(kind)) = (text(path.file_stem()), text(path.extension()))
            && ["csv", "parquet"].contains(&kind.as_str())
        {
            files.push((stem, kind));
        }
    }
    if files.is_empty() {
        bail!("{} holds no TICKER.csv and no TICKER.parquet", folder.display());
    }
    Ok(files)
}
