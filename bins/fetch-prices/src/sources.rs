use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use price_cache::{
    ApiKey, Eodhd, FileSource, HttpClient, PriceError, PriceSource, SystemClock, Yahoo,
};
use run_manifest::Run;
use stage_cli::{Hint, Stage};
use thesis_core::{Severity, Ticker};

use crate::config::{PricesConfig, SourceChoice};

/// The variable that holds EODHD's key.
const KEY: &str = "EODHD_API_KEY";

/// The sources to ask, in their order.
pub(crate) fn sources(
    stage: &Stage,
    config: &PricesConfig,
    tickers: &[Ticker],
    cache: &Path,
    run: &mut Run,
) -> anyhow::Result<Vec<Box<dyn PriceSource>>> {
    if config.input.is_some() && !matches!(config.source, SourceChoice::Csv | SourceChoice::Parquet)
    {
        bail!("--input is of use with --source csv or parquet alone");
    }
    Ok(match config.source {
        SourceChoice::Csv => vec![Box::new(files("csv", config, tickers, cache, run)?)],
        SourceChoice::Parquet => vec![Box::new(files("parquet", config, tickers, cache, run)?)],
        SourceChoice::Yahoo => vec![Box::new(yahoo(config)?)],
        SourceChoice::Eodhd => {
            let key = api_key(stage)?.with_context(|| format!("there is no {KEY}"));
            let key = key.hint(format!("set {KEY} in the environment or in a file .env here"))?;
            vec![Box::new(eodhd(config, key)?)]
        }
        SourceChoice::Auto => match api_key(stage)? {
            Some(key) => vec![Box::new(eodhd(config, key)?), Box::new(yahoo(config)?)],
            None => {
                tracing::warn!(
                    "there is no {KEY} in the environment or in .env; Yahoo alone is asked"
                );
                vec![Box::new(yahoo(config)?)]
            }
        },
    })
}

fn api_key(stage: &Stage) -> anyhow::Result<Option<ApiKey>> {
    Ok(stage.variable(KEY)?.and_then(|text| ApiKey::new(&text)))
}

fn eodhd(config: &PricesConfig, key: ApiKey) -> anyhow::Result<Eodhd> {
    Ok(Eodhd::new(client(config)?, &config.eodhd_url, key)?)
}

fn yahoo(config: &PricesConfig) -> anyhow::Result<Yahoo> {
    Ok(Yahoo::new(client(config)?, &config.yahoo_url))
}

/// A client for each service, since each has its own pace.
fn client(config: &PricesConfig) -> anyhow::Result<Arc<HttpClient>> {
    Ok(Arc::new(HttpClient::new(config.http()?, Arc::new(SystemClock))))
}

fn files(
    name: &str,
    config: &PricesConfig,
    tickers: &[Ticker],
    cache: &Path,
    run: &mut Run,
) -> anyhow::Result<FileSource> {
    let input = config.input.as_deref();
    let input = input.with_context(|| format!("--source {name} needs --input"));
    let input = input.hint("--input is a folder with AAPL.csv and so on, or one file")?;
    if let (Ok(input), Ok(cache)) = (input.canonicalize(), cache.canonicalize())
        && input == cache
    {
        bail!("--input and --cache are the same folder; name another cache");
    }
    let opened = FileSource::open(input, name, config.adjustment, tickers, config.date_order);
    let (source, diagnostics) = match opened {
        Err(error @ (PriceError::Io { .. } | PriceError::NoPrices { .. })) => {
            return Err(error).hint("--input is a folder with AAPL.csv and so on, or one file");
        }
        opened => opened?,
    };
    for diagnostic in diagnostics {
        match diagnostic.severity {
            Severity::Error => tracing::error!("{}", without_severity(&diagnostic)),
            Severity::Warning => tracing::warn!("{}", without_severity(&diagnostic)),
        }
    }
    for file in source.files() {
        run.add_input(file)?;
    }
    Ok(source)
}

/// A diagnostic whose severity the log line says already.
fn without_severity(diagnostic: &thesis_core::Diagnostic) -> String {
    let thesis_core::Diagnostic { file, line, column, severity: _, message } = diagnostic;
    format!("{file}:{line}:{column}: {message}")
}
