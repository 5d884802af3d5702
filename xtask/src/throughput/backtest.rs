use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::process::{capture, cargo, root, run as execute, say};

/// What `throughput` of the engine's examples prints.
#[derive(Debug, Deserialize)]
struct Engine {
    bars: usize,
    fills: usize,
    equity: f64,
    seconds: f64,
    input_bytes: usize,
    peak_bytes: usize,
    grid: Grid,
}

#[derive(Debug, Deserialize)]
struct Grid {
    configurations: usize,
    failed: usize,
    seconds: f64,
    cpu_seconds: f64,
    peak_bytes: usize,
}

/// What the peer's script prints.
#[derive(Debug, Deserialize)]
struct Peer {
    version: String,
    rust: bool,
    sells_first: PeerRun,
    in_order: PeerRun,
}

#[derive(Debug, Deserialize)]
struct PeerRun {
    seconds: f64,
    equity: f64,
    fills: usize,
}

/// Times the engine and vectorbt on the same arrays, in seconds of processor time.
pub(super) fn run(
    scratch: &Path,
    tickers: usize,
    sessions: usize,
    python: Option<&Path>,
) -> anyhow::Result<()> {
    let arrays = scratch.join("backtest");
    execute(&mut cargo(&[
        "build",
        "--release",
        "-p",
        "backtest-engine",
        "--example",
        "throughput",
    ]))?;
    let mut command = cargo(&[
        "run",
        "--release",
        "-q",
        "-p",
        "backtest-engine",
        "--example",
        "throughput",
        "--",
    ]);
    command.arg(tickers.to_string()).arg(sessions.to_string()).arg(&arrays);
    let ours: Engine = serde_json::from_str(&capture(&mut command)?)?;
    let rate = |seconds: f64| ours.bars as f64 / seconds / 1e6;
    say(format!(
        "{tickers} tickers, {sessions} sessions: {} bars, {} fills",
        ours.bars, ours.fills
    ));
    say(format!(
        "{:<28}{:>8.3} s{:>9.2} M bars/s",
        "thesisforge",
        ours.seconds,
        rate(ours.seconds)
    ));
    let memory = ours.peak_bytes as f64 / ours.input_bytes as f64;
    let Grid { configurations, failed, seconds, cpu_seconds, peak_bytes } = ours.grid;
    if let Some(python) = python.map(Path::to_owned).or_else(|| set_up_peer(scratch)) {
        let mut command = Command::new(python);
        command.arg(root().join("benches/peers/backtest_vectorbt.py")).arg(&arrays);
        command.arg(tickers.to_string()).arg(sessions.to_string());
        let peer: Peer = serde_json::from_str(&capture(&mut command)?)?;
        let engine = if peer.rust { "Rust engine" } else { "Numba engine" };
        say(format!("vectorbt {}, {engine}:", peer.version));
        for (name, run) in [("  sells first", &peer.sells_first), ("  in order", &peer.in_order)] {
            let ratio = run.seconds / ours.seconds;
            let (seconds, rate) = (run.seconds, rate(run.seconds));
            say(format!("{name:<28}{seconds:>8.3} s{rate:>9.2} M bars/s, ratio {ratio:.1}"));
        }
        let error = (ours.equity / peer.sells_first.equity - 1.0).abs();
        if error > 1e-9 || ours.fills != peer.sells_first.fills {
            bail!("the two programs disagree: {ours:?} {peer:?}");
        }
        say(format!("same fills, last equity within {error:.0e}"));
    }
    say(format!("memory: {memory:.2} times the input of {:.1} MB", ours.input_bytes as f64 / 1e6));
    say(format!(
        "grid of {configurations}: {seconds:.2} s, {cpu_seconds:.2} s of processor time, {:.1} M bars/s, \
         memory {:.2} times the input, {failed} failed",
        (configurations * ours.bars) as f64 / seconds / 1e6,
        peak_bytes as f64 / ours.input_bytes as f64
    ));
    Ok(())
}

/// A Python of its own with vectorbt, where python3 and pip are there; told, where they are not.
fn set_up_peer(scratch: &Path) -> Option<PathBuf> {
    let folder = scratch.join("vectorbt");
    let python = folder.join("bin/python");
    let set_up = || -> anyhow::Result<()> {
        if capture(Command::new(&python).args(["-c", "import vectorbt"])).is_ok() {
            return Ok(());
        }
        if folder.exists() {
            fs::remove_dir_all(&folder).context("an earlier attempt is in the way")?;
        }
        say("setting up vectorbt once (a minute or two)");
        execute(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let packages = ["vectorbt==1.2.0", "vectorbt-rust==1.2.0"];
        execute(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(packages))
    };
    match set_up() {
        Ok(()) => Some(python),
        Err(error) => {
            say(format!("vectorbt is left out: {error:#}"));
            None
        }
    }
}
