mod backtest;
mod generate;
mod train;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::process::{cargo, root, run as execute, say, target_folder};

/// Options of `cargo xtask throughput`.
#[derive(Debug, Args)]
pub(crate) struct ThroughputArgs {
    #[command(subcommand)]
    stage: StageArgs,
}

#[derive(Debug, Subcommand)]
enum StageArgs {
    /// `ingest` on copies of a folder of theses, in turn with a Python script over lxml
    Ingest {
        /// Folder of theses to copy
        #[arg(long, default_value = "fixtures/theses")]
        input_dir: PathBuf,
        /// How many copies
        #[arg(long, default_value_t = 40)]
        copies: usize,
        /// Runs of each program; the median counts
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Python with lxml, for the peer; left out without it
        #[arg(long)]
        python: Option<PathBuf>,
    },
    /// `build-dataset` on records made by repeating those of a folder of theses
    BuildDataset {
        /// Folder of theses whose records are repeated under other dates
        #[arg(long, default_value = "fixtures/theses")]
        input_dir: PathBuf,
        /// How many records
        #[arg(long, default_value_t = 1_000_000)]
        records: usize,
    },
    /// The backtest engine on a made-up market with half a fill a bar, beside vectorbt
    Backtest {
        /// How many tickers
        #[arg(long, default_value_t = 500)]
        tickers: usize,
        /// How many sessions
        #[arg(long, default_value_t = 2_520)]
        sessions: usize,
        /// Python with vectorbt, for the peer; without it, one is set up where python3 is there
        #[arg(long)]
        python: Option<PathBuf>,
    },
    /// Prefill and decode of a language model, in turn with transformers
    Generate {
        /// Model folder or GGUF file; SmolLM2 of `cargo xtask fetch-model` by default
        #[arg(long)]
        model: Option<PathBuf>,
        /// Runs of each program; the median counts
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Python with torch, transformers and gguf, for the peer; left out without it
        #[arg(long)]
        python: Option<PathBuf>,
    },
    /// Steps of QLoRA training, in turn with PEFT; prints JSON
    Train {
        /// Model folder or GGUF file; SmolLM2 of `cargo xtask fetch-model` by default
        #[arg(long)]
        model: Option<PathBuf>,
        /// Runs of each program; the median counts
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Python with torch, transformers, peft and bitsandbytes, for the peer; left out without it
        #[arg(long)]
        python: Option<PathBuf>,
    },
}

/// Times a stage as a whole process, from a built release binary.
pub(crate) fn run(args: &ThroughputArgs) -> anyhow::Result<()> {
    let scratch = root().join("target/throughput");
    fs::create_dir_all(&scratch)?;
    match &args.stage {
        StageArgs::Ingest { input_dir, copies, rounds, python } => {
            ingest(&scratch, &absolute(input_dir), *copies, *rounds, python.as_deref())
        }
        StageArgs::BuildDataset { input_dir, records } => {
            build_dataset(&scratch, &absolute(input_dir), *records)
        }
        StageArgs::Backtest { tickers, sessions, python } => {
            backtest::run(&scratch, *tickers, *sessions, python.as_deref())
        }
        StageArgs::Generate { model, rounds, python } => {
            let model = model.clone().unwrap_or_else(generate::default_model);
            generate::run(&absolute(&model), python.as_deref(), *rounds)
        }
        StageArgs::Train { model, rounds, python } => {
            let model = model.clone().unwrap_or_else(generate::default_model);
            train::run(&absolute(&model), python.as_deref(), *rounds)
        }
    }
}

fn ingest(
    scratch: &Path,
    input_dir: &Path,
    copies: usize,
    rounds: usize,
    python: Option<&Path>,
) -> anyhow::Result<()> {
    let binary = release("ingest")?;
    let bulk = scratch.join("theses");
    let bytes = copy_theses(input_dir, &bulk, copies)?;
    say(format!("{copies} copies of {}: {:.1} MB", input_dir.display(), bytes as f64 / 1e6));
    let ours = || {
        let mut command = Command::new(&binary);
        command.arg("--input-dir").arg(&bulk).arg("--out").arg(scratch.join("ours.jsonl"));
        command
    };
    let peer = |python: &Path| {
        let mut command = Command::new(python);
        command.arg(root().join("benches/peers/ingest_lxml.py")).arg(&bulk);
        command.arg(scratch.join("peer.jsonl"));
        command
    };
    let (mut our_times, mut peer_times) = (Vec::new(), Vec::new());
    // The first round of each warms the page cache and does not count.
    for round in 0..=rounds {
        let mut times = vec![(seconds(&mut ours())?, &mut our_times)];
        if let Some(python) = python {
            times.push((seconds(&mut peer(python))?, &mut peer_times));
        }
        for (time, all) in times {
            all.extend((round > 0).then_some(time));
        }
    }
    let report = |name: &str, seconds: f64| {
        say(format!("{name:<8}{seconds:>8.3} s{:>10.1} MB/s", bytes as f64 / 1e6 / seconds));
    };
    let ours = median(&mut our_times);
    report("ingest", ours);
    if python.is_some() {
        let peer = median(&mut peer_times);
        report("lxml", peer);
        say(format!("ratio   {:>8.1}", peer / ours));
        compare(&scratch.join("ours.jsonl"), &scratch.join("peer.jsonl"))?;
    }
    Ok(())
}

fn build_dataset(scratch: &Path, input_dir: &Path, records: usize) -> anyhow::Result<()> {
    let (ingest, build) = (release("ingest")?, release("build-dataset")?);
    let seed = scratch.join("seed.jsonl");
    seconds(Command::new(ingest).arg("--input-dir").arg(input_dir).arg("--out").arg(&seed))?;
    let bulk = scratch.join("bulk.jsonl");
    let bytes = repeat_records(&seed, &bulk, records)?;
    say(format!("{records} records: {:.1} MB", bytes as f64 / 1e6));
    let mut command = Command::new(build);
    command.arg("--jsonl").arg(&bulk).arg("--out-dir").arg(scratch.join("dataset"));
    command.args(["--test-split-days", "2000", "--val-days", "1000"]);
    let (seconds, peak) = seconds_and_peak(&mut command)?;
    let peak = peak.map_or("unknown".to_owned(), |kib| format!("{:.0} MiB", kib as f64 / 1024.0));
    say(format!(
        "build-dataset {seconds:.2} s, {:.0} records/s, {:.0} MB/s, peak memory {peak}",
        records as f64 / seconds,
        bytes as f64 / 1e6 / seconds
    ));
    Ok(())
}

/// Builds a release binary and returns its path.
fn release(name: &str) -> anyhow::Result<PathBuf> {
    execute(&mut cargo(&["build", "--release", "--package", name]))?;
    Ok(target_folder()?.join("release").join(name))
}

/// Runs a command and returns its seconds.
fn seconds(command: &mut Command) -> anyhow::Result<f64> {
    let began = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() {
        bail!("{command:?} failed ({status}); run it by hand to see why");
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Runs a command; its seconds, and the peak of its memory in KiB where the system tells.
fn seconds_and_peak(command: &mut Command) -> anyhow::Result<(f64, Option<u64>)> {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // The kernel keeps the high-water mark itself, so a late look misses little.
        peak = high_water_mark(&status_file).or(peak);
        std::thread::sleep(Duration::from_millis(5));
    };
    if !status.success() {
        bail!("{command:?} failed ({status}); run it by hand to see why");
    }
    Ok((began.elapsed().as_secs_f64(), peak))
}

fn high_water_mark(status_file: &str) -> Option<u64> {
    let status = fs::read_to_string(status_file).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Copies the XML files of a folder `copies` times; the bytes of all copies.
fn copy_theses(from: &Path, to: &Path, copies: usize) -> anyhow::Result<u64> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let mut bytes = 0;
    for copy in 0..copies {
        let folder = to.join(format!("{copy:03}"));
        fs::create_dir_all(&folder)?;
        for entry in
            fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?
        {
            let path = entry?.path();
            if let Some(name) =
                path.file_name().filter(|_| path.extension() == Some("xml".as_ref()))
            {
                bytes += fs::copy(&path, folder.join(name))?;
            }
        }
    }
    Ok(bytes)
}

/// Writes `count` records, the seed's again and again, each round a year of days later.
fn repeat_records(seed: &Path, to: &Path, count: usize) -> anyhow::Result<u64> {
    let text = fs::read_to_string(seed)?;
    let seeds: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    let seeds = seeds?;
    let mut file = std::io::BufWriter::new(fs::File::create(to)?);
    for index in 0..count {
        let mut record = seeds[index % seeds.len()].clone();
        let (round, day) = (index / seeds.len(), index % 336);
        let date = format!("{}-{:02}-{:02}", 1990 + round % 30, day / 28 + 1, day % 28 + 1);
        record["uid"] =
            format!("{}|{date}|{index}", record["ticker"].as_str().unwrap_or("T")).into();
        record["as_of_date"] = date.into();
        serde_json::to_writer(&mut file, &record)?;
        std::io::Write::write_all(&mut file, b"\n")?;
    }
    std::io::Write::flush(&mut file)?;
    Ok(fs::metadata(to)?.len())
}

/// Fails where two files of records differ.
fn compare(ours: &Path, peer: &Path) -> anyhow::Result<()> {
    let read = |path: &Path| -> anyhow::Result<Vec<Value>> {
        let text = fs::read_to_string(path)?;
        text.lines().map(|line| serde_json::from_str(line).map_err(Into::into)).collect()
    };
    let (ours, peer) = (read(ours)?, read(peer)?);
    if ours != peer {
        bail!("the two programs wrote different records ({} and {})", ours.len(), peer.len());
    }
    say(format!("both wrote the same {} records", ours.len()));
    Ok(())
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn absolute(path: &Path) -> PathBuf {
    if path.is_relative() { root().join(path) } else { path.to_owned() }
}
