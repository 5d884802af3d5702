use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use news_records::{NewsConfig, NewsItem, NewsRecords, Reject, parse_news_csv, parse_news_jsonl};
use run_manifest::{FileEntry, Run, digest_bytes};
use stage_cli::{Hint, Stage, Unit};
use thesis_core::{AsOfDate, Bar, DateOrder, Ticker};

use crate::files::{InputFile, find};
use crate::output::Output;

/// Reads news and prices, and writes a record for each session that news was fresh in.
pub(crate) fn ingest(
    stage: &Stage,
    config: &NewsConfig,
    as_of: Option<AsOfDate>,
    input_dir: &Path,
    prices: &Path,
    run: &mut Run,
    output: &mut Output,
) -> anyhow::Result<()> {
    let mut config = config.clone();
    config.to = [config.to, as_of].into_iter().flatten().min();
    config.validate().hint("the keys are those of `news` in configs/ingest.yaml")?;
    let prices = read_prices(prices, config.date_order, run, output)?;
    let news = read_news(stage, &config, input_dir, run, output)?;
    let NewsRecords { records, duplicates, skipped } =
        news_records::news_records(&prices, &news, &price_cache::close_instant, &config)?;
    output.counts.duplicates += duplicates;
    output.counts.skipped = skipped.into_iter().map(|(why, n)| (why.to_string(), n)).collect();
    let last_bar = prices.values().filter_map(|bars| bars.last()).map(|bar| bar.date).max();
    if last_bar.is_some_and(|last| last > price_cache::CLOSES_KNOWN_UNTIL) {
        tracing::warn!(
            "half days after {} are unknown; each session counts as open until 16:00 New York time",
            price_cache::CLOSES_KNOWN_UNTIL
        );
    }
    output.write(&records)
}

fn read_news(
    stage: &Stage,
    config: &NewsConfig,
    input_dir: &Path,
    run: &mut Run,
    output: &mut Output,
) -> anyhow::Result<Vec<NewsItem>> {
    let files = find(input_dir, &["csv", "jsonl"])?;
    let progress =
        stage.progress("reading news", files.iter().map(|file| file.bytes).sum(), Unit::Bytes);
    let mut news = Vec::new();
    for file in &files {
        let text = read(file, run, output)?;
        let parse = if file.has_extension("csv") { parse_news_csv } else { parse_news_jsonl };
        let (items, rejects) = parse(&file.name, &text, config.zone, config.date_order);
        news.extend(items);
        for Reject { reason, diagnostic, raw } in rejects {
            output.reject(reason.to_string(), diagnostic, &raw)?;
        }
        progress.inc(file.bytes);
    }
    progress.finish_and_clear();
    Ok(news)
}

/// The bars of each `TICKER.csv`.
fn read_prices(
    folder: &Path,
    order: DateOrder,
    run: &mut Run,
    output: &mut Output,
) -> anyhow::Result<BTreeMap<Ticker, Vec<Bar>>> {
    let mut prices = BTreeMap::new();
    for file in find(folder, &["csv"]).context("cannot read --prices")? {
        let text = read(&file, run, output)?;
        let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
        let ticker =
            Ticker::new(&stem).hint("price files are named TICKER.csv, such as AAPL.csv")?;
        let (bars, diagnostics) = price_cache::parse_csv(&file.name, &text, order);
        diagnostics.into_iter().for_each(|d| output.counts.diagnostic(d));
        if prices.insert(ticker.clone(), bars).is_some() {
            bail!("two files hold the prices of {ticker}; the second is {}", file.path.display());
        }
    }
    Ok(prices)
}

fn read(file: &InputFile, run: &mut Run, output: &mut Output) -> anyhow::Result<String> {
    let InputFile { path, bytes, .. } = file;
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let digest = digest_bytes(&content);
    let entry = FileEntry { path: path.to_string_lossy().into_owned(), bytes: *bytes, digest };
    run.add_input_entry(entry);
    output.counts.files += 1;
    output.counts.bytes += bytes;
    String::from_utf8(content)
        .with_context(|| format!("{} is no UTF-8 text", path.display()))
        .hint("save it as UTF-8")
}
