//! Times the engine on a made-up market with half a fill a bar, and writes the market as raw arrays
//! that another program can trade: `throughput TICKERS SESSIONS [FOLDER]`. Prints JSON.

#![expect(clippy::print_stdout, reason = "a program whose output is data")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use backtest_engine::{
    BacktestConfig, Calls, Costs, Market, Record, Sizing, simulate, simulate_each,
};
use chrono::{Days, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde_json::json;
use thesis_core::{Action, Bps, Ticker};

const ROUNDS: usize = 5;
const CONFIGURATIONS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = || args.next().ok_or("usage: throughput TICKERS SESSIONS [FOLDER]");
    let (tickers, days): (usize, usize) = (number()?.parse()?, number()?.parse()?);
    let before = resident("VmRSS:");
    let (market, calls) = workload(tickers, days)?;
    let config = config(tickers)?;
    // Open, close and volume as numbers, a byte a call.
    let input = tickers * days * (3 * 8 + 1);

    let outcome = simulate(&market, &calls, &config, Record::Everything)?;
    let peak = resident("VmHWM:").saturating_sub(before);
    let fills = outcome.fills.len();
    let equity = outcome.days.last().map_or(0.0, |day| day.equity);
    drop(outcome);
    if let Some(folder) = args.next() {
        write(Path::new(&folder), &market, &calls, &config)?;
    }
    let mut times = [0.0; ROUNDS];
    for time in &mut times {
        let began = cpu_seconds()?;
        let outcome = simulate(&market, &calls, &config, Record::Everything)?;
        *time = cpu_seconds()? - began;
        drop(outcome);
    }
    times.sort_by(f64::total_cmp);

    let configs: Vec<BacktestConfig> = (0..CONFIGURATIONS)
        .map(|i| {
            let costs = Costs { slippage_bps: Bps::new(i as f64 / 10.0)?, ..config.costs };
            Ok(BacktestConfig { costs, ..config })
        })
        .collect::<Result<_, thesis_core::CoreError>>()?;
    forget_peak();
    let (wall, cpu) = (Instant::now(), cpu_seconds()?);
    let grid = simulate_each(&market, &calls, &configs, Record::Days);
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let failed = grid.iter().filter(|run| run.is_err()).count();
    let grid_peak = resident("VmHWM:").saturating_sub(before);
    let bars = tickers * days;
    println!(
        "{}",
        json!({
            "bars": bars,
            "fills": fills,
            "equity": equity,
            "seconds": times[ROUNDS / 2],
            "input_bytes": input,
            "peak_bytes": peak,
            "grid": {
                "configurations": CONFIGURATIONS, "failed": failed, "seconds": wall,
                "cpu_seconds": cpu, "peak_bytes": grid_peak,
            },
        })
    );
    Ok(())
}

/// Random walks, and a call on half of all bars.
fn workload(tickers: usize, days: usize) -> Result<(Market, Calls), Box<dyn Error>> {
    let mut rng = Pcg64::seed_from_u64(2_520);
    let first = NaiveDate::from_ymd_opt(2014, 1, 2).ok_or("no such day")?;
    let dates: Vec<NaiveDate> = (0..days as u64).map(|day| first + Days::new(day)).collect();
    let names = (0..tickers).map(|i| Ticker::new(&format!("T{i:05}")));
    let names: Vec<Ticker> = names.collect::<Result<_, _>>()?;
    let cells = tickers * days;
    let (mut open, mut close) = (Vec::with_capacity(cells), Vec::with_capacity(cells));
    let mut actions = Vec::with_capacity(cells);
    let mut last: Vec<f64> = (0..tickers).map(|_| 20.0 + 200.0 * rng.random::<f64>()).collect();
    for _ in 0..days {
        for price in &mut last {
            open.push(*price * (1.0 + 0.01 * (rng.random::<f64>() - 0.5)));
            *price *= 1.0 + 0.04 * (rng.random::<f64>() - 0.4995);
            close.push(*price);
            actions.push(match rng.random::<f64>() {
                x if x < 0.22 => Some(Action::Buy),
                x if x < 0.44 => Some(Action::StrongBuy),
                x if x < 0.54 => Some(Action::Sell),
                _ => None,
            });
        }
    }
    let volume = vec![1e6; cells];
    let market = Market::new(dates, names, open, close, volume)?;
    let calls = Calls::new(&market, actions, None)?;
    Ok((market, calls))
}

fn config(tickers: usize) -> Result<BacktestConfig, Box<dyn Error>> {
    Ok(BacktestConfig {
        sizing: Sizing::FixedPct { pct: 1.2 / tickers as f64 },
        costs: Costs { fee_bps: Bps::new(5.0)?, slippage_bps: Bps::new(10.0)?, ..Costs::FREE },
        ..BacktestConfig::default()
    })
}

/// Writes open, close and target weights as 64-bit floats, day by day.
fn write(
    folder: &Path,
    market: &Market,
    calls: &Calls,
    config: &BacktestConfig,
) -> Result<(), Box<dyn Error>> {
    let Sizing::FixedPct { pct } = config.sizing else { return Err("a fixed share".into()) };
    let days = 0..market.dates().len();
    let bytes = |values: &mut dyn Iterator<Item = f64>| -> Vec<u8> {
        values.flat_map(f64::to_le_bytes).collect()
    };
    let weight = |action: &Option<Action>| {
        let of_action = action.and_then(|a| config.action_weights.of(a, config.shorts));
        of_action.map_or(f64::NAN, |weight| weight * pct)
    };
    fs::create_dir_all(folder)?;
    let opens = days.clone().flat_map(|day| market.opens(day)).copied();
    fs::write(folder.join("open.f64"), bytes(&mut { opens }))?;
    let closes = days.flat_map(|day| market.closes(day)).copied();
    fs::write(folder.join("close.f64"), bytes(&mut { closes }))?;
    let weights = calls.actions().iter().map(weight);
    fs::write(folder.join("weight.f64"), bytes(&mut { weights }))?;
    Ok(())
}

/// Seconds of processor time of this process, all threads.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    // Nanoseconds of each thread that is there, or was.
    let mut nanoseconds = 0_u64;
    for task in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().ok_or("no schedstat")?.parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

/// Sets the kernel's high-water mark of memory back to what is in use, where it lets us.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// A figure of this process's memory in bytes; 0 where the system does not tell.
fn resident(figure: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok());
    kib.unwrap_or(0) * 1024
}
