//! Every operation between ranks, checked; and what happens when one of them goes wrong.
//!
//! `mpirun -n 4 all_reduce SCENARIO [KEY=VALUE …]`: each rank prints one line. Scenarios: `sums` (all operations), `speed`,
//! `compute` (a rank is busy for longer than the silence that is allowed), `stuck`, `mismatch`, `disagree`; `kill`, `pause` and
//! `leave` have one rank end itself with SIGKILL, stop itself with SIGSTOP, and exit as if all were well.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use collective::{Collective, CollectiveError, Patience};

/// The rank to which it happens.
const VICTIM: usize = 1;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let scenario = arguments.next().unwrap_or_else(|| "sums".to_owned());
    let options = arguments
        .filter_map(|argument| {
            let (key, value) = argument.split_once('=')?;
            Some((key.to_owned(), value.parse().ok()?))
        })
        .collect::<HashMap<String, f64>>();
    let option = |key: &str, default: f64| options.get(key).copied().unwrap_or(default);
    let patience = Patience {
        silence: Duration::from_secs_f64(option("silence", 45.0)),
        stall: Duration::from_secs_f64(option("stall", 1800.0)),
    };
    let length = option("length", 1000.0) as usize;

    let mut ranks = match Collective::start(patience).and_then(|ranks| on_gpus(ranks, &scenario)) {
        Ok(ranks) => ranks,
        Err(error) => return say(format!("start: {error}"), ExitCode::FAILURE),
    };
    let began = Instant::now();
    let rank = ranks.rank();
    let result = run(&mut ranks, &scenario, length, option("repeats", 10.0) as u32);
    let seconds = began.elapsed().as_secs_f64();
    match result {
        Ok(line) => match ranks.finish() {
            Ok(()) => say(format!("rank {rank}: {line}"), ExitCode::SUCCESS),
            Err(error) => say(format!("rank {rank}: finish: {error}"), ExitCode::FAILURE),
        },
        Err(error) => {
            let lost = error.is_peer_lost();
            let line = format!("rank {rank}: lost={lost} seconds={seconds:.1}: {error}");
            let code = say(line, ExitCode::from(3));
            if option("abort", 0.0) > 0.0 {
                ranks.abort(3);
            }
            code
        }
    }
}

/// `gpu`: as `sums`, but the gradient goes from GPU to GPU.
#[cfg(feature = "nccl")]
fn on_gpus(ranks: Collective, scenario: &str) -> Result<Collective, CollectiveError> {
    if scenario != "gpu" {
        return Ok(ranks);
    }
    let device = ranks.local_rank();
    ranks.with_gpu(device)
}

#[cfg(not(feature = "nccl"))]
fn on_gpus(ranks: Collective, _scenario: &str) -> Result<Collective, CollectiveError> {
    Ok(ranks)
}

fn run(
    ranks: &mut Collective,
    scenario: &str,
    length: usize,
    repeats: u32,
) -> Result<String, CollectiveError> {
    let victim = ranks.rank() == VICTIM;
    match scenario {
        "speed" => return speed(ranks, length, repeats),
        "kill" if victim => end_itself(ranks, "-KILL")?,
        "pause" if victim => end_itself(ranks, "-STOP")?,
        "leave" if victim => std::process::exit(0),
        "compute" | "stuck" if victim => thread::sleep(Duration::from_secs(4)),
        "mismatch" if victim => ranks.barrier()?,
        "disagree" => {
            let value: &[u8] = if victim { b"seed: 2" } else { b"seed: 1" };
            return match ranks.agree("configuration", value) {
                Err(error @ CollectiveError::Disagreement { .. }) => Ok(error.to_string()),
                other => other.map(|()| "all agree".to_owned()),
            };
        }
        _ => {}
    }
    sums(ranks, length)
}

/// A step, then the end: as a process that dies in the middle of a run.
fn end_itself(ranks: &mut Collective, signal: &str) -> Result<(), CollectiveError> {
    let mut values = vec![1.0; 1000];
    ranks.all_reduce_sum(&mut values)?;
    let status = Command::new("kill").args([signal, &std::process::id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill");
    Ok(())
}

fn sums(ranks: &mut Collective, length: usize) -> Result<String, CollectiveError> {
    let (rank, world_size) = (ranks.rank(), ranks.world_size());
    let mut first = vec![1.0; 1000];
    ranks.all_reduce_sum(&mut first)?;
    assert!(first.iter().all(|sum| *sum == world_size as f32));

    let mut values: Vec<f32> = (0..length).map(|index| value(rank, index)).collect();
    ranks.all_reduce_sum(&mut values)?;
    for (index, sum) in values.iter().enumerate() {
        let expected: f64 = (0..world_size).map(|rank| f64::from(value(rank, index))).sum();
        assert_eq!(sum.to_bits(), (expected as f32).to_bits(), "element {index}");
    }
    let bits: Vec<u8> = values.iter().flat_map(|sum| sum.to_bits().to_le_bytes()).collect();
    ranks.agree("bits of the sums", &bits)?;

    let mut losses = [f64::from(value(rank, 0)) / 3.0, 1.0, rank as f64];
    ranks.all_reduce_sum_f64(&mut losses)?;
    assert_eq!(losses[1], world_size as f64);
    assert_eq!(losses[2], (world_size * (world_size - 1) / 2) as f64);
    let bits: Vec<u8> = losses.iter().flat_map(|loss| loss.to_bits().to_le_bytes()).collect();
    ranks.agree("bits of the losses", &bits)?;

    let root = world_size - 1;
    let mut bytes = vec![rank as u8; rank * length];
    ranks.broadcast(&mut bytes, root)?;
    assert_eq!(bytes, vec![root as u8; root * length]);
    let mut nothing = vec![rank as u8; rank];
    ranks.broadcast(&mut nothing, 0)?;
    assert!(nothing.is_empty());

    assert!(!ranks.any(false)?);
    for yes in 0..world_size {
        assert!(ranks.any(rank == yes)?);
    }
    ranks.all_reduce_sum(&mut [])?;
    ranks.barrier()?;
    let digest = values.iter().fold(0xcbf2_9ce4_8422_2325_u64, |digest, sum| {
        (digest ^ u64::from(sum.to_bits())).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(format!("sums over {world_size} ranks: {digest:016x}"))
}

/// Values of many magnitudes and both signs, so that another order of summing would show.
fn value(rank: usize, index: usize) -> f32 {
    let hash = (rank as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64 + 1);
    let hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd) ^ (hash >> 29);
    let mantissa = (hash >> 40) as f32 / (1 << 24) as f32 - 0.5;
    mantissa * f32::powi(10.0, (hash % 13) as i32 - 6)
}

fn speed(ranks: &mut Collective, length: usize, repeats: u32) -> Result<String, CollectiveError> {
    let mut values = vec![1.0; length];
    ranks.all_reduce_sum(&mut values)?;
    ranks.barrier()?;
    let began = Instant::now();
    for _ in 0..repeats {
        ranks.all_reduce_sum(&mut values)?;
    }
    let each = began.elapsed().as_secs_f64() / f64::from(repeats);
    Ok(format!(
        "{length} values: {:.2} ms, {:.2} GB/s",
        each * 1e3,
        4.0 * length as f64 / each / 1e9
    ))
}

fn say(line: String, code: ExitCode) -> ExitCode {
    // A launcher that is gone cannot be told anything.
    writeln!(io::stdout(), "{line}").ok();
    code
}
