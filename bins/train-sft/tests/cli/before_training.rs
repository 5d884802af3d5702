//! What is refused and how, and what is said before training.

use std::fs;
use std::path::Path;

use crate::support::{fixture, refused, run, run_in, settings, shards};

#[test]
fn a_dry_run_says_what_is_to_come() {
    let run = run(&settings(), &["--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.says(&[
        "llama, llama",
        // The adapter of rank 16 on all seven projections, counted by hand: in two layers,
        // 16 · (2 · 128 + 2 · 96 + 3 · 224).
        "trainable   35,840",
        "LoRA of rank 16; the base is in nf4 with double quantization",
        "training    72 rows, 2,144 tokens, 1,628 targets; the longest row has 40",
        "steps       27 of 8 rows; 3.00 epochs of 9; warm-up 1",
        "GFLOP/s measured for products here",
        "activations",
        "all together",
        "a micro-batch of 1 × 40 tokens, blocks computed again backward",
    ]);
}

#[test]
fn a_dry_run_needs_neither_data_nor_weights() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture("models/llama/config.json"), folder.path().join("config.json")).unwrap();
    let yaml = format!("base_model: {}\nshards: null\n", folder.path().display());
    let run = run(&yaml, &["--dry-run", "--max-length", "65536"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.says(&["1 × 65,536 tokens", "none: rows, steps and time are not known", "all together"]);
    run.says(&["warning: max_length is 65536, and the model was made for 512 positions"]);
}

#[test]
fn memory_grows_linearly_in_the_length() {
    let total = |length: &str| {
        let run = run(&settings(), &["--dry-run", "--max-length", length]);
        let activations = run.stdout.lines().find(|line| line.contains("activations")).unwrap();
        let bytes = activations.split_whitespace().nth(1).expect("bytes");
        bytes.replace(',', "").parse::<u64>().expect("a number")
    };
    assert_eq!(total("65536"), 16 * total("4096"));
}

#[test]
fn the_documented_settings_are_the_defaults() {
    let documented = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/sft.yaml");
    let documented = fs::read_to_string(documented).unwrap();
    // What is not there is a fault by its key; settings that differ would differ in their faults.
    let flags = ["--print-config"];
    let (file, none) = (run(&documented, &flags), run("", &flags));
    assert_eq!((file.code, none.code), (0, 0), "{}{}", file.stderr, none.stderr);
    assert_eq!(file.stdout, none.stdout);
    assert!(file.stdout.contains("\"learning_rate\": 0.0002"), "{}", file.stdout);
    // Every key stands in the file.
    let printed: serde_json::Value = serde_json::from_str(&none.stdout).unwrap();
    for (key, value) in printed.as_object().unwrap() {
        assert!(documented.contains(&format!("\n{key}:")), "{key} is not documented");
        for inner in value.as_object().into_iter().flatten().map(|(inner, _)| inner) {
            assert!(documented.contains(&format!("\n  {inner}:")), "{key}.{inner}");
        }
    }
}

#[test]
fn all_faults_are_listed_at_once() {
    let yaml = "\
base_model: no/such/model
shards: no/such/shards
dataset: also/this
learning_rate: -1
epochs: null
warmup_steps: 5
warmup_ratio: 2
micro_batch: 0
accumulation: 0
max_length: null
packing: true
balanced_sampling: true
class_weights: { HOLD: 0 }
max_grad_norm: 0
neftune_alpha: .inf
max_bad_steps: 0
eval_steps: 0
save_steps: 0
keep_last: 0
sample_every: 0
memory_limit: 0
eval_split: null
early_stopping: { patience: 0, min_delta: -1 }
device: cuda:1
resume: no/such/checkpoint
lora: { r: 0, alpha: 0, dropout: 1, target_modules: [], init: no/such/adapter }
optimizer: { beta1: 1, beta2: -0.1, eps: -1, weight_decay: .nan }
logging: { log_steps: 0, mlflow: { uri: localhost, experiment: '' } }
";
    let keys = [
        "base_model",
        "dataset",
        "learning_rate",
        "epochs",
        "warmup_ratio",
        "micro_batch",
        "accumulation",
        "packing",
        "balanced_sampling",
        "class_weights",
        "max_grad_norm",
        "neftune_alpha",
        "max_bad_steps",
        "eval_steps",
        "save_steps",
        "keep_last",
        "sample_every",
        "memory_limit",
        "early_stopping",
        "early_stopping.patience",
        "early_stopping.min_delta",
        "device",
        "resume",
        "lora.r",
        "lora.alpha",
        "lora.dropout",
        "lora.target_modules",
        "lora.init",
        "optimizer.beta1",
        "optimizer.beta2",
        "optimizer.eps",
        "optimizer.weight_decay",
        "logging.log_steps",
        "logging.mlflow.uri",
        "logging.mlflow.experiment",
    ];
    let lines: Vec<String> = keys.iter().map(|key| format!("\n  {key}: ")).collect();
    refused(yaml, &[], &lines.iter().map(String::as_str).collect::<Vec<_>>());
    refused(yaml, &[], &["settings cannot be used", "\nhint: ", "nothing was loaded or written"]);
}

#[test]
fn what_contradicts_the_model_is_said() {
    let with = |more: &str| settings() + more;
    refused(
        &with("lora: { target_modules: [q_proj, w_proj, x_proj] }"),
        &[],
        &["no projection `w_proj`; it has q_proj, k_proj", "no projection `x_proj`"],
    );
    refused(&with("gguf: true\nlora: { dora: true }"), &[], &["gguf: llama.cpp has no place for"]);
    refused(&with("adapter: none"), &[], &["quantization: must be none where `adapter` is none"]);
    refused(&with("warmup_steps: 28"), &[], &["warmup_steps: is 28, and the run has 27 steps"]);
    refused(
        &with("eval_split: nowhere").replace("eval_split: null\n", ""),
        &[],
        &["eval_split: ", "no split `nowhere`; it has train", "or null for no evaluation"],
    );
    refused(&with("balanced_sampling: true"), &[], &["balanced_sampling: ", "row 0 has no action"]);
    refused(&with(""), &["--max-length", "39"], &["more than 39 tokens", "raise `max_length`"]);
    refused(&with(""), &["--base-model", "hub:a/b@c"], &["`inspect-model info --model hub:a/b@c`"]);
    let text = settings().replace("sft/llama-dataset", "hf-dataset/reference");
    refused(&text, &[], &["no column `input_ids`", "as `tokenize-shards` writes them"]);
}

#[test]
fn what_is_wrong_with_rows_is_said_with_their_uids() {
    let check = |ids: &[&[i32]], labels: &[&[i32]], words: &[&str]| {
        let folder = shards(ids, labels);
        let path = folder.path().to_str().expect("text").to_owned();
        refused(&settings(), &["--shards", &path], words);
    };
    check(
        &[&[1, 2], &[1, 272]],
        &[&[1, 2], &[1, 272]],
        &["`TSLA|2024-01-02|1`", "id 272", "ends at 271"],
    );
    check(&[&[1, 2]], &[&[2, -100]], &["label of token 0 is 2"]);
    check(&[&[1, 2]], &[&[1, -100]], &["have no targets", "`TSLA|2024-01-02|0`"]);
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let big = settings()
        + "memory_limit: 116MiB\nmicro_batch: 64\ngradient_checkpointing: false\nquantization: none\n";
    let words = [
        "does not fit: it takes ",
        "`memory_limit` allows 116.00 MiB",
        "it would fit with\n",
        "gradient_checkpointing: true",
        "micro_batch: ",
        "hint: ",
    ];
    let run = run(&big, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    run.says(&words);
    let run = self::run(&big, &["--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.says(&words[..4]);
    let run = self::run(&(settings() + "memory_limit: 1MiB\n"), &[]);
    run.says(&["nothing of batch, length, checkpointing or quantization would make it fit"]);
}

#[test]
fn somebody_elses_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sft")).unwrap();
    fs::write(folder.path().join("sft/thesis.doc"), "years of work").unwrap();
    let run = run_in(folder.path(), &settings(), &[]);
    assert_eq!(run.code, 1);
    run.says(&["out: sft is not empty", "name another folder"]);
    fs::write(folder.path().join("file"), "").unwrap();
    for out in ["file", "file/below"] {
        let run = run_in(folder.path(), &settings(), &["--out", out]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains("Not a directory"), "{}", run.stderr);
    }
}

#[test]
fn settings_of_the_wrong_kind() {
    refused("learning_rat: 1", &[], &["learning_rat", "learning_rate", "configs/"]);
    refused("epochs: many", &[], &["epochs", "many"]);
    refused("device: gpu", &[], &["`gpu` is no device"]);
    refused("memory_limit: lots", &[], &["`lots` is no number of bytes"]);
    refused("quantization: nf5", &[], &["nf5", "nf4"]);
    refused("lora: { target_modules: all }", &[], &["all-linear"]);
    refused("class_weights: often", &[], &["class_weights"]);
    refused("- a list", &[], &["no YAML mapping"]);
    let usage = run("", &["--device", "gpu"]);
    assert_eq!(usage.code, 2);
    usage.says(&["`gpu` is no device"]);
}

#[test]
fn help_shows_examples() {
    let help = run("", &["--help"]);
    help.says(&["Examples:", "--dry-run", "configs/sft.yaml", "no", "investment advice"]);
}
