use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::process::{capture, cargo, root, run as execute};

/// One setting of `step_time`; the peer takes the same flags.
struct Setting {
    name: &'static str,
    flags: &'static [&'static str],
    /// Whether the peer is measured, too.
    with_peer: bool,
}

const SETTINGS: [Setting; 5] = [
    Setting { name: "512 tokens, f32", flags: &["--seq", "512"], with_peer: true },
    Setting {
        name: "512 tokens, bf16",
        flags: &["--seq", "512", "--compute", "bf16"],
        with_peer: true,
    },
    Setting {
        name: "2048 tokens, f32, checkpointing",
        flags: &["--seq", "2048", "--grad-ckpt", "--steps", "2"],
        with_peer: true,
    },
    Setting {
        name: "2048 tokens, bf16, checkpointing",
        flags: &["--seq", "2048", "--grad-ckpt", "--steps", "2", "--compute", "bf16"],
        with_peer: true,
    },
    Setting {
        name: "8192 tokens, f32, checkpointing",
        flags: &["--seq", "8192", "--grad-ckpt", "--steps", "1", "--warmup", "0"],
        with_peer: false,
    },
];

/// Measures steps of QLoRA training (NF4 with double quantization, rank 16 on all projections) in turn with PEFT, and
/// prints the figures as one JSON object.
pub(super) fn run(model: &Path, python: Option<&Path>, rounds: usize) -> anyhow::Result<()> {
    if !model.exists() {
        bail!("{} is not there; `cargo xtask fetch-model smollm2` brings it", model.display());
    }
    execute(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "lora-train",
        "--example",
        "step_time",
    ]))?;
    let binary = super::target_folder()?.join("release/examples/step_time");
    let script = root().join("benches/peers/train_peft.py");
    let mut figures = Vec::new();
    for Setting { name, flags, with_peer } in &SETTINGS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            ours.push(measure(Command::new(&binary).arg(model).args(*flags))?);
            if let Some(python) = python.filter(|_| *with_peer) {
                theirs.push(measure(Command::new(python).arg(&script).arg(model).args(*flags))?);
            }
        }
        let mut figure = json!({ "setting": name, "lora_train": middle(&ours) });
        if !theirs.is_empty() {
            let (ours, theirs) = (middle(&ours), middle(&theirs));
            let ratio = |key: &str| Some(ours[key].as_f64()? / theirs[key].as_f64()?);
            figure["peft"] = theirs.clone();
            figure["speed_ratio"] = json!(ratio("tokens_per_second"));
            figure["memory_ratio"] = json!(ratio("peak_mib"));
        }
        figures.push(figure);
    }
    let report = json!({ "rounds": rounds, "figures": figures });
    // The result is data: standard output, where the rest of xtask talks to people.
    writeln!(io::stdout(), "{report:#}")?;
    Ok(())
}

/// Tokens a second, and MiB at the peak, from a program's line of JSON.
fn measure(command: &mut Command) -> anyhow::Result<[f64; 2]> {
    let text = capture(command)?;
    let line = text.lines().last().unwrap_or_default();
    let line: Value = serde_json::from_str(line).context("a line of JSON was expected")?;
    let figure = |name: &str| line[name].as_f64().with_context(|| format!("no `{name}` in {line}"));
    Ok([figure("tok_s_median")?, figure("peak_rss_mib")?])
}

/// The median of each figure.
fn middle(rounds: &[[f64; 2]]) -> Value {
    let of = |figure: usize| {
        super::median(&mut rounds.iter().map(|round| round[figure]).collect::<Vec<_>>())
    };
    json!({ "tokens_per_second": of(0), "peak_mib": of(1) })
}
