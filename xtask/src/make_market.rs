mod calendar;
mod indicators;
mod market;
mod prose;
mod random;
mod rule;
mod thesis_file;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use self::calendar::{Day, sessions};
use self::indicators::snapshots;
use self::market::{Stock, price_file};
use self::random::{Random, Stream};
use self::thesis_file::thesis_file;
use crate::process::{root, say};

/// Sessions of history before the first thesis: the longest average has 100, and the slow ones
/// among the others forget how they began.
const WARM_UP: usize = 250;
/// Sessions after the last thesis: most forward windows end within the data, the longest do not.
const TAIL: usize = 21;
/// The stocks of the embedded market. No exchange lists them.
const EMBEDDED: [&str; 8] = ["ACRO", "BRYN", "CALD", "DORN", "ELMA", "FJOR", "GALT", "HEXA"];

/// Options of `cargo xtask make-market`.
#[derive(Debug, Clone, Args)]
pub(crate) struct MakeMarketArgs {
    /// What all random choices follow from
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Folder for `prices/TICKER.csv` and `theses/TICKER.xml` [default: fixtures/quickstart]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// So many stocks with made-up tickers, instead of the eight of the embedded market
    #[arg(long, value_name = "N")]
    pub(crate) stocks: Option<u32>,
    /// The year in which prices begin; New York's regular holidays are no sessions
    #[arg(long, value_name = "YEAR", default_value_t = 2020)]
    pub(crate) first_year: i32,
    /// Sessions with prices; theses begin after 250 of them
    #[arg(long, value_name = "N", default_value_t = 920)]
    pub(crate) sessions: usize,
    /// Sessions from one thesis of a stock to the next
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) every: usize,
    /// Draw actions at random instead of by the rule, and let the support name them: for a model that
    /// shall know how theses are written, and not how they come to their calls
    #[arg(long)]
    pub(crate) random_actions: bool,
}

/// Writes a made-up market and theses on it. The same options make the same bytes on every machine.
pub(crate) fn run(args: &MakeMarketArgs) -> anyhow::Result<()> {
    let out = args.out.clone().unwrap_or_else(|| root().join("fixtures/quickstart"));
    let files = market_files(args)?;
    let mut bytes = 0;
    for (name, text) in &files {
        write(&out.join(name), text)?;
        bytes += text.len();
    }
    say(format!("{} files, {bytes} bytes, in {}", files.len(), out.display()));
    Ok(())
}

/// The files of a market by name, below the folder that `run` writes to.
fn market_files(args: &MakeMarketArgs) -> anyhow::Result<Vec<(String, String)>> {
    if args.sessions <= WARM_UP + TAIL || args.every == 0 {
        bail!("--sessions must be more than {}, and --every at least 1", WARM_UP + TAIL);
    }
    let days = sessions(args.first_year, args.sessions);
    let mut files = Vec::new();
    for (index, ticker) in tickers(args).into_iter().enumerate() {
        let stock = Stock { seed: args.seed, index: index as u64 };
        let bars = market::bars(stock, &days);
        files.push((format!("prices/{ticker}.csv"), price_file(&bars)));
        // Each stock has a day of its own on which its theses begin.
        let first = WARM_UP + index % args.every;
        let snapshots = snapshots(&bars);
        let written = snapshots[..args.sessions - TAIL].iter().skip(first).step_by(args.every);
        let text = thesis_file(&ticker, written, stock, args.random_actions);
        files.push((format!("theses/{ticker}.xml"), text));
    }
    Ok(files)
}

fn tickers(args: &MakeMarketArgs) -> Vec<String> {
    let Some(count) = args.stocks else { return EMBEDDED.map(str::to_owned).to_vec() };
    let mut random = Random::new(args.seed, 0, Stream::Tickers);
    let mut tickers = Vec::<String>::new();
    while tickers.len() < count as usize {
        let letters = 3 + random.below(2);
        let ticker: String =
            (0..letters).map(|_| char::from(b'A' + random.below(26) as u8)).collect();
        if !tickers.contains(&ticker) && !EMBEDDED.contains(&ticker.as_str()) {
            tickers.push(ticker);
        }
    }
    tickers
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
