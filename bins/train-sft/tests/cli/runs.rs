//! Whole runs: steps, resuming, evaluations, what is written.

use std::fs;
use std::path::Path;

use crate::support::{fixture, refused, run_in, settings, trains};

/// Settings of the reference runs of PEFT: see `fixtures/sft`.
fn reference_settings() -> String {
    let adapter = fixture("models/llama/adapter");
    settings()
        + &format!(
            "quantization: none\nlora: {{ r: 4, alpha: 8, dropout: 0, init: {} }}\n\
             learning_rate: 3.0e-3\nwarmup_steps: 4\nepochs: 1\nmax_grad_norm: 0.5\n\
             accumulation: 3\nshuffle: false\nlogging: {{ log_steps: 1, tensorboard: true }}\n",
            adapter.display()
        )
}

/// The rows of `metrics.jsonl` with a loss.
fn losses(folder: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.join("sft/metrics.jsonl")).expect("metrics");
    let rows = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    rows.filter(|row: &serde_json::Value| row.get("loss").is_some()).collect()
}

#[test]
fn steps_are_those_of_peft() {
    let folder = tempfile::tempdir().unwrap();
    let run = trains(folder.path(), &reference_settings(), &[]);
    run.says(&[
        "done: 24 steps, 72 examples",
        "step 24: saved sft/checkpoint-24",
        "written to sft/adapter",
    ]);
    let text = fs::read_to_string(fixture("sft/peft-llama.json")).unwrap();
    let reference: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = losses(folder.path());
    assert_eq!(rows.len(), 24);
    for (row, wanted) in rows.iter().zip(reference["steps"].as_array().unwrap()) {
        let close = |key: &str, of: &str, tolerance: f64| {
            let (got, want) = (row[key].as_f64().unwrap(), wanted[of].as_f64().unwrap());
            assert!((got - want).abs() <= tolerance * want.abs(), "{key}: {got} {want}");
        };
        close("loss", "loss", 1e-3);
        close("grad_norm", "grad_norm", 1e-2);
        close("learning_rate", "lr", 1e-12);
    }
    let out = folder.path().join("sft");
    for file in [
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/tokenizer.json",
        "adapter/chat_template.jinja",
        "adapter/sft.json",
        "adapter/manifest.json",
        "checkpoint-24/manifest.json",
    ] {
        assert!(out.join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_dir(out.join("tensorboard")).unwrap().count(), 1);
    assert_eq!(fs::read_dir(out.join("logs")).unwrap().count(), 2);
}

#[test]
fn a_run_that_goes_on_has_the_same_losses() {
    // Everything that is drawn at random is on.
    let yaml = settings()
        + "epochs: 1\naccumulation: 4\nsave_steps: 4\nneftune_alpha: 5\nlora: { r: 4, init: gaussian }\n";
    let whole = tempfile::tempdir().unwrap();
    trains(whole.path(), &yaml, &[]);
    let wanted = losses(whole.path());
    assert_eq!(wanted.len(), 18);
    let resumed = tempfile::tempdir().unwrap();
    trains(resumed.path(), &yaml, &[]);
    // As if it had been killed after step 10: the last checkpoint is that of step 8, the metrics know more.
    for step in [12, 16, 18] {
        fs::remove_dir_all(resumed.path().join(format!("sft/checkpoint-{step}"))).unwrap();
    }
    // Of three that were kept, none is left.
    let again = trains(resumed.path(), &yaml, &[]);
    assert!(!again.stdout.contains("goes on"), "{}", again.stdout);
    let of_interest = |rows: &[serde_json::Value]| -> Vec<_> {
        let part = |row: &serde_json::Value| {
            ["step", "loss", "grad_norm", "learning_rate"].map(|key| row[key].clone())
        };
        rows.iter().map(part).collect()
    };
    assert_eq!(of_interest(&losses(resumed.path())), of_interest(&wanted));
    for step in [16, 18] {
        fs::remove_dir_all(resumed.path().join(format!("sft/checkpoint-{step}"))).unwrap();
    }
    let again = trains(resumed.path(), &yaml, &[]);
    again.says(&["goes on     from sft/checkpoint-12, after step 12"]);
    assert_eq!(of_interest(&losses(resumed.path())), of_interest(&wanted));

    // From an earlier one, by name: what comes after it is done again.
    let again = trains(resumed.path(), &yaml, &["--resume", "sft/checkpoint-16"]);
    again.says(&["goes on     from sft/checkpoint-16, after step 16"]);
    assert_eq!(of_interest(&losses(resumed.path())), of_interest(&wanted));
    let anew = run_in(resumed.path(), &yaml, &["--resume", "none"]);
    assert_eq!(anew.code, 1);
    anew.says(&["out: sft has an earlier run"]);

    let other = yaml.replace("r: 4", "r: 5") + "seed: 8\nkeep_last: 9\n";
    let other = run_in(resumed.path(), &other, &[]);
    assert_eq!(other.code, 1, "{}", other.stderr);
    other.says(&[
        "2 settings cannot be used",
        "lora.r: is 5, and was 4 in the run of sft/checkpoint-18",
        "seed: is 8, and was 7",
        "--resume none and another --out",
    ]);
    let data = run_in(resumed.path(), &yaml.replace("llama-dataset", "single-dataset"), &[]);
    assert_eq!(data.code, 1, "{}", data.stderr);
    data.says(&["is of a run with another data set", "--resume none --out sft-2"]);
}

#[test]
fn whole_models_merged_models_and_gguf() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = settings() + "adapter: none\nquantization: none\n";
    trains(folder.path(), &yaml, &["--max-steps", "2"]);
    let model = folder.path().join("sft/model");
    let loaded = causal_lm::read_config(&model).unwrap();
    assert_eq!(loaded.family, "llama");
    assert!(model.join("model.safetensors").is_file() && model.join("tokenizer.json").is_file());

    let folder = tempfile::tempdir().unwrap();
    let run = trains(folder.path(), &settings(), &["--max-steps", "2", "--merge", "--gguf"]);
    run.says(&["merged into sft/merged"]);
    let out = folder.path().join("sft");
    assert_eq!(causal_lm::read_config(&out.join("merged")).unwrap().family, "llama");
    assert!(out.join("adapter/adapter.gguf").is_file());
}

#[test]
fn evaluations_and_samples() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = settings().replace("eval_split: null", "eval_split: train")
        + "eval_steps: 2\nsample_every: 2\nsample_prompts: 2\nsample_max_tokens: 5\n\
           early_stopping: { patience: 2 }\nclass_weights: none\n";
    let run = trains(folder.path(), &yaml, &["--max-steps", "3"]);
    run.says(&["step 2: evaluation loss ", "--- step 2, row 0 ---", "validation  72 rows"]);
    let text = fs::read_to_string(folder.path().join("sft/metrics.jsonl")).unwrap();
    assert!(text.contains("\"eval_loss\":") && text.contains("\"sample_1\":"), "{text}");
}

#[test]
fn records_are_tokenized_on_the_way() {
    let yaml = format!(
        "base_model: {}\nshards: null\ndataset: {}\nmax_length: 512\n",
        fixture("models/llama").display(),
        fixture("hf-dataset/reference").display()
    );
    let folder = tempfile::tempdir().unwrap();
    let run = trains(folder.path(), &yaml, &["--max-steps", "2"]);
    run.says(&["training    5 rows", "validation  2 rows", "% of actions"]);
    refused(&yaml, &["--max-length", "16"], &["dataset: ", "more than 16 tokens"]);
    refused(
        &yaml,
        &["--shards", "somewhere", "--dataset", "elsewhere"],
        &["dataset: is set, and `shards` too"],
    );
}

#[test]
fn an_adapter_of_another_kind_is_no_beginning() {
    let adapter = fixture("models/llama/adapter");
    let yaml =
        settings() + &format!("lora: {{ r: 16, dora: true, init: {} }}\n", adapter.display());
    refused(&yaml, &[], &["lora.r: is 16, and the adapter", "has 4", "lora.dora: is true"]);
}

#[cfg(feature = "mlflow")]
#[test]
fn a_server_that_is_not_there_is_no_reason_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on port 1.
    let yaml = settings() + "logging: { mlflow: { uri: 'http://127.0.0.1:1', experiment: e } }\n";
    let run = trains(folder.path(), &yaml, &["--max-steps", "2"]);
    run.says(&["warning: MLflow gets nothing of this run", "done: 2 steps"]);
}

#[cfg(not(feature = "mlflow"))]
#[test]
fn a_build_without_mlflow_says_so() {
    let yaml = settings() + "logging: { mlflow: { uri: 'http://127.0.0.1:1', experiment: e } }\n";
    refused(&yaml, &[], &["logging.mlflow: ", "build with `--features mlflow`"]);
}
