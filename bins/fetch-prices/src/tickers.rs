use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, bail};
use stage_cli::Hint;
use thesis_core::Ticker;

/// The tickers of the flag and of the file, each once, in the order in which they are named.
///
/// # Errors
/// A file that cannot be read or has a word that is no ticker, with its line; no ticker at all.
pub(crate) fn tickers(flag: &[Ticker], file: Option<&Path>) -> anyhow::Result<Vec<Ticker>> {
    let mut tickers = flag.to_vec();
    if let Some(file) = file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))
            .hint("--tickers-file names a text file with tickers")?;
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.split_once('#').map_or(text, |(text, _)| text);
            let words = text.split([',', ' ', '\t', ';']).map(str::trim).filter(|w| !w.is_empty());
            for word in words {
                let ticker = Ticker::new(word);
                tickers.push(ticker.with_context(|| format!("{}:{line}", file.display()))?);
            }
        }
    }
    let mut seen = HashSet::new();
    tickers.retain(|ticker| seen.insert(ticker.clone()));
    if tickers.is_empty() {
        return Err(anyhow::anyhow!("nothing says which tickers"))
            .hint("give --tickers AAPL,MSFT or --tickers-file FILE");
    }
    if tickers.len() > MOST {
        bail!("{} tickers are more than {MOST}", tickers.len());
    }
    Ok(tickers)
}

/// More than any market has; a wrong file has more words.
const MOST: usize = 200_000;
