use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process::{capture, root, say};

/// One setting of `inspect-model bench`, and the peer's that it is held against.
struct Setting {
    name: &'static str,
    ours: &'static [&'static str],
    /// Data type of transformers, which has no 4 bits on a CPU.
    peer_dtype: &'static str,
    batch: usize,
}

const SETTINGS: [Setting; 6] = [
    Setting { name: "f32", ours: &["--dtype", "f32"], peer_dtype: "f32", batch: 1 },
    Setting {
        name: "bf16",
        ours: &["--dtype", "bf16", "--compute-dtype", "bf16"],
        peer_dtype: "bf16",
        batch: 1,
    },
    Setting { name: "NF4", ours: &["--quantization", "nf4"], peer_dtype: "f32", batch: 1 },
    Setting {
        name: "NF4, bf16 units",
        ours: &["--quantization", "nf4", "--compute-dtype", "bf16"],
        peer_dtype: "bf16",
        batch: 1,
    },
    Setting { name: "f32, 8 rows", ours: &["--dtype", "f32"], peer_dtype: "f32", batch: 8 },
    Setting { name: "NF4, 8 rows", ours: &["--quantization", "nf4"], peer_dtype: "f32", batch: 8 },
];

/// Measures `inspect-model bench` in turn with transformers on the same model, the same prompts' length and threads.
pub(super) fn run(model: &Path, python: Option<&Path>, rounds: usize) -> anyhow::Result<()> {
    if !model.exists() {
        bail!("{} is not there; `cargo xtask fetch-model smollm2` brings it", model.display());
    }
    let binary = super::release("inspect-model")?;
    let script = root().join("benches/peers/generate_transformers.py");
    say("prompts of 512 tokens, 128 new tokens; tokens/s, medians; peak memory of the process");
    say(format!("{:<18}{:>10}{:>10}{:>10}", "", "prefill", "decode", "MiB"));
    for setting in &SETTINGS {
        let batch = setting.batch.to_string();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let mut command = Command::new(&binary);
            command
                .arg("bench")
                .arg("--model")
                .arg(model)
                .args(setting.ours)
                .args(["--batch", &batch]);
            ours.push(measure(&mut command)?);
            if let Some(python) = python {
                let mut command = Command::new(python);
                command.arg(&script).arg("--model").arg(model);
                command.args(["--dtype", setting.peer_dtype, "--batch", &batch]);
                theirs.push(measure(&mut command)?);
            }
        }
        let ours = middle(ours);
        report(setting.name, &ours);
        if !theirs.is_empty() {
            let theirs = middle(theirs);
            report(&format!("  transformers {}", setting.peer_dtype), &theirs);
            let ratios = [ours[0] / theirs[0], ours[1] / theirs[1], ours[2] / theirs[2]];
            say(format!(
                "{:<18}{:>9.2}x{:>9.2}x{:>9.2}x",
                "  ratio", ratios[0], ratios[1], ratios[2]
            ));
        }
    }
    Ok(())
}

/// Prefill and decode in tokens a second, and MiB at the peak, from a program's line of JSON.
fn measure(command: &mut Command) -> anyhow::Result<[f64; 3]> {
    let text = capture(command)?;
    let line: Value = serde_json::from_str(text.trim()).context("one line of JSON was expected")?;
    let figure = |name: &str| line[name].as_f64().with_context(|| format!("no `{name}` in {line}"));
    Ok([
        figure("prefill_tokens_per_second")?,
        figure("decode_tokens_per_second")?,
        figure("peak_memory_mib")?,
    ])
}

/// The median of each figure.
fn middle(rounds: Vec<[f64; 3]>) -> [f64; 3] {
    [0, 1, 2].map(|figure| {
        super::median(&mut rounds.iter().map(|round| round[figure]).collect::<Vec<_>>())
    })
}

fn report(name: &str, [prefill, decode, peak]: &[f64; 3]) {
    say(format!("{name:<18}{prefill:>10.1}{decode:>10.1}{peak:>10.0}"));
}

/// The model that `cargo xtask fetch-model smollm2` brings.
pub(super) fn default_model() -> PathBuf {
    root().join("models/SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf")
}
