//! Runs that are interrupted and killed, and go on as if nothing had happened.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

/// How often the run is killed.
const KILLS: u64 = 30;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A run in `folder` of so many steps, each of them saved, with everything on that is drawn at random.
fn begin(folder: &Path, steps: u64) -> (Child, BufReader<ChildStderr>) {
    let yaml = format!(
        "base_model: {}\nshards: {}\neval_split: null\nmax_length: 40\nepochs: null\n\
         max_steps: {steps}\naccumulation: 1\nsave_steps: 1\nkeep_last: 2\nneftune_alpha: 5\n\
         lora: {{ r: 2 }}\noptimizer: {{ state: 8bit }}\nlogging: {{ log_steps: 1 }}\n",
        fixture("models/llama").display(),
        fixture("sft/llama-dataset").display()
    );
    fs::write(folder.join("sft.yaml"), yaml).expect("written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_train-sft"))
        .current_dir(folder)
        .args(["--config", "sft.yaml"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    (child, stderr)
}

/// Losses and gradient norms by step, as `metrics.jsonl` spells them.
fn losses(folder: &Path) -> Vec<(u64, String, String)> {
    let text = fs::read_to_string(folder.join("sft/metrics.jsonl")).expect("metrics");
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let step = row["step"].as_u64().expect("a step");
        (step, row["loss"].to_string(), row["grad_norm"].to_string())
    };
    text.lines().map(row).collect()
}

fn finish(folder: &Path, steps: u64) {
    let (mut child, stderr) = begin(folder, steps);
    let lines: Vec<String> = stderr.lines().map_while(Result::ok).collect();
    assert!(child.wait().expect("it ends").success(), "{lines:#?}");
}

#[test]
fn kills_at_any_moment_change_no_loss() {
    let steps = 3 * KILLS;
    let whole = tempfile::tempdir().unwrap();
    finish(whole.path(), steps);
    let wanted = losses(whole.path());
    assert_eq!(wanted.len(), steps as usize);

    let killed = tempfile::tempdir().unwrap();
    // Lines come before and after a save; what passes between a line and the signal does the rest.
    let mut random = 1_u64;
    for _ in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (mut child, mut stderr) = begin(killed.path(), steps);
        let mut line = String::new();
        for _ in 0..1 + (random >> 33) % 6 {
            line.clear();
            if stderr.read_line(&mut line).expect("text") == 0 {
                break;
            }
        }
        // Somewhere inside of what follows the line.
        (0..(random >> 40) % 2_000_000).for_each(|i| _ = std::hint::black_box(i));
        child.kill().expect("killed");
        child.wait().expect("it ends");
    }
    finish(killed.path(), steps);
    assert_eq!(losses(killed.path()), wanted);
    // The same result, to the last bit.
    let adapter = |folder: &Path| fs::read(folder.join("sft/adapter/adapter_model.safetensors"));
    assert!(adapter(killed.path()).unwrap() == adapter(whole.path()).unwrap());
    // Nothing lies about: two checkpoints, and what a run has besides.
    let mut left: Vec<String> = fs::read_dir(killed.path().join("sft"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    let [before, last] = [steps - 1, steps].map(|step| format!("checkpoint-{step}"));
    let mut wanted = vec![
        "adapter".to_owned(),
        before,
        last,
        "logs".to_owned(),
        "metrics.jsonl".to_owned(),
        "prompt".to_owned(),
        "tensorboard".to_owned(),
    ];
    wanted.sort();
    assert_eq!(left, wanted);
}

#[test]
fn ctrl_c_saves_and_ends() {
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, stderr) = begin(folder.path(), 1_000_000);
        let mut lines = stderr.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.starts_with("step 2: loss")), "it trains");
        // Every shell has a `kill` of its own; not every machine has the program.
        let kill = format!("kill {signal} {}", child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.unwrap().success());
        let rest: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
        let last = rest.last().expect("it says so");
        assert!(last.contains("stopped after step ") && last.contains("--resume auto"), "{last}");
        let step = losses(folder.path()).last().expect("a step").0;
        let saved = folder.path().join(format!("sft/checkpoint-{step}/manifest.json"));
        assert!(saved.is_file(), "the step that was under way is saved");
    }
}
