//! The binary as a person meets it: what is refused and how, and what is said before training.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use burn_flex::Flex;
use causal_lm::{LoadOptions, load};
use checkpoint_files::{Checkpoint, TensorSource, write_safetensors};
use dataset_split::{DatasetRow, read_records};
use hf_dataset::{DEFAULT_SHARD_BYTES, DatasetDict, Format, SplitWriter, write_dataset_dict};
use tempfile::TempDir;
use tokenize::{
    ModelFiles, PromptFormat, PromptOptions, RowOptions, Sample, ShardWriter, StructureTokens,
    tokenizer_files,
};

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    #[track_caller]
    fn says(&self, words: &[&str]) {
        for word in words {
            assert!(
                self.stderr.contains(word) || self.stdout.contains(word),
                "no {word:?} in {}{}",
                self.stdout,
                self.stderr
            );
        }
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// Runs the binary in a folder of its own, with these settings as its file.
fn run_in(folder: &Path, yaml: &str, flags: &[&str]) -> Run {
    let file = folder.join("sft.yaml");
    fs::write(&file, yaml).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_train-sft"));
    let output = command.current_dir(folder).arg("--config").arg(&file).args(flags).output();
    let output = output.expect("the binary runs");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn run(yaml: &str, flags: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    run_in(folder.path(), yaml, flags)
}

/// Settings that work: the reference's data on its model, without an evaluation.
fn settings() -> String {
    format!(
        "base_model: {}\nshards: {}\neval_split: null\nmax_length: 40\n",
        fixture("models/llama").display(),
        fixture("sft/llama-dataset").display()
    )
}

#[track_caller]
fn refused(yaml: &str, flags: &[&str], words: &[&str]) {
    let run = run(yaml, flags);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    run.says(words);
}

/// A data set of one split with `labels` over ids of the same shape.
fn shards(ids: &[&[i32]], labels: &[&[i32]]) -> TempDir {
    let lists = |rows: &[&[i32]]| -> ArrayRef {
        let rows = rows.iter().map(|row| Some(row.iter().map(|&value| Some(value))));
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows))
    };
    let uids: Vec<String> = (0..ids.len()).map(|row| format!("TSLA|2024-01-02|{row}")).collect();
    let batch = RecordBatch::try_from_iter([
        ("input_ids", lists(ids)),
        ("labels", lists(labels)),
        ("uid", Arc::new(StringArray::from(uids)) as ArrayRef),
    ]);
    let (batch, folder) = (batch.expect("a batch"), tempfile::tempdir().expect("a folder"));
    let (path, schema) = (folder.path(), batch.schema());
    let writer = SplitWriter::create(path, "train", schema, Format::Arrow, DEFAULT_SHARD_BYTES);
    let mut writer = writer.expect("a writer");
    writer.write(&batch).expect("rows");
    writer.finish().expect("a split");
    write_dataset_dict(path, &["train"]).expect("written");
    folder
}

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

#[track_caller]
fn trains(folder: &Path, yaml: &str, flags: &[&str]) -> Run {
    let run = run_in(folder, yaml, flags);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
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

/// Shards of records whose tags and actions are single tokens, with the tokenizer beside them.
fn shards_with_structure_tokens(folder: &Path) {
    let files = ModelFiles::read(&fixture("models/llama")).expect("a tokenizer");
    let added = StructureTokens::Added;
    let options = PromptOptions { structure_tokens: added, ..PromptOptions::default() };
    let format = PromptFormat::new(&files, &options).expect("a format");
    let rows = RowOptions {
        max_length: 512,
        on_overflow: Default::default(),
        packing: Default::default(),
        padding: Default::default(),
    };
    let mut writer = ShardWriter::create(folder, "train", &format, rows, false).expect("a writer");
    let records = DatasetDict::open(&fixture("hf-dataset/reference")).expect("a data set");
    let records = read_records(&records, "train").expect("records");
    let samples: Vec<Sample> = records
        .map(|row| row.expect("a record"))
        .map(|DatasetRow { record, weight }| Sample { record, weight })
        .collect();
    writer.push(&samples).expect("rows");
    writer.finish().expect("a split");
    write_dataset_dict(folder, &["train"]).expect("written");
    fs::create_dir(folder.join("tokenizer")).expect("a folder");
    for file in tokenizer_files(&files, &format).expect("files") {
        fs::write(folder.join("tokenizer").join(file.name), file.text).expect("written");
    }
}

#[test]
fn new_tokens_get_rows_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    shards_with_structure_tokens(&folder.path().join("shards"));
    let yaml = format!(
        "base_model: {}\nshards: shards\neval_split: null\nmax_length: 512\n",
        fixture("models/llama").display()
    );
    let run = trains(folder.path(), &yaml, &["--max-steps", "2"]);
    // 11 tokens of width 64, besides the adapter.
    run.says(&["trainable   36,544", "rows of 11 new tokens"]);
    let adapter = folder.path().join("sft/adapter");
    let text = fs::read_to_string(adapter.join("adapter_config.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tokens: Vec<u64> = (259..270).collect();
    assert_eq!(settings["trainable_token_indices"], serde_json::json!(tokens));
    let tokenizer = fs::read_to_string(adapter.join("tokenizer.json")).unwrap();
    assert!(tokenizer.contains("<STRONG_BUY>"));
    let gguf = run_in(folder.path(), &yaml, &["--out", "other", "--gguf"]);
    gguf.says(&["gguf: llama.cpp has no place for rows of new tokens"]);

    // It goes on as the beginning of another run, whose new tokens are the same.
    let more = yaml.clone() + "lora: { init: sft/adapter }\n";
    trains(folder.path(), &more, &["--max-steps", "1", "--out", "more"]);
    let other = yaml + "lora: { init: sft/adapter }\ntrain_new_tokens: none\n";
    let other = run_in(folder.path(), &other, &["--out", "none"]);
    assert_eq!(other.code, 1);
    other.says(&["lora.init: the adapter in sft/adapter trains rows of tokens [259, 260"]);
}

#[test]
fn how_prompts_were_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let shards = folder.path().join("shards");
    shards_with_structure_tokens(&shards);
    let yaml = format!(
        "base_model: {}\nshards: shards\neval_split: null\nmax_length: 512\nmax_steps: 1\nepochs: null\n",
        fixture("models/llama").display()
    );
    let recipe = |path: &str| -> serde_json::Value {
        let text = fs::read_to_string(folder.path().join(path)).expect(path);
        serde_json::from_str(&text).expect("JSON")
    };
    // Of shards that say nothing, what their tokenizer shows.
    trains(folder.path(), &yaml, &[]);
    let guessed = serde_json::json!({
        "prompt": {
            "structure_tokens": "added", "system_prompt": null, "end_token": null, "template_variables": {}
        },
        "shortened_to": null
    });
    for path in ["sft/adapter/prompt.json", "sft/prompt/prompt.json"] {
        assert_eq!(recipe(path), guessed, "{path}");
    }
    assert!(folder.path().join("sft/prompt/tokenizer.json").is_file());

    let settings = serde_json::json!({
        "max_length": 512, "structure_tokens": "added", "packing": "none", "on_overflow": "truncate-input",
        "padding": "none", "system_prompt": "Be brief.", "end_token": null, "template_variables": { "a": 1 }
    });
    let run = run_manifest::Run::begin("tokenize-shards", "0", &settings).unwrap();
    let manifest = run.finish(Vec::new()).to_json().unwrap();
    fs::write(shards.join("manifest.json"), manifest).unwrap();
    trains(folder.path(), &yaml, &["--out", "told", "--merge"]);
    let told = serde_json::json!({
        "prompt": {
            "structure_tokens": "added", "system_prompt": "Be brief.", "end_token": null,
            "template_variables": { "a": 1 }
        },
        "shortened_to": 512
    });
    for path in ["told/adapter/prompt.json", "told/prompt/prompt.json", "told/merged/prompt.json"] {
        assert_eq!(recipe(path), told, "{path}");
    }
}

/// A tiny model with `rows` rows in its embedding, and in its head where it has one.
fn shorter_embedding(family: &str, rows: usize, folder: &Path) {
    let from = fixture("models").join(family);
    let weights = Checkpoint::open(from.join("model.safetensors")).expect("weights");
    let tensors = weights.tensors().iter().map(|info| {
        let mut view = weights.get(&info.name).expect("a tensor");
        let mut shape = view.shape.to_vec();
        if ["model.embed_tokens.weight", "lm_head.weight"].contains(&info.name.as_str()) {
            view = view.rows(0..rows).expect("rows");
            shape[0] = rows;
        }
        TensorSource::bytes(&info.name, view.dtype, shape, view.bytes)
    });
    fs::create_dir(folder).expect("a folder");
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    write_safetensors(folder.join("model.safetensors"), tensors, &metadata).expect("written");
    let config = fs::read_to_string(from.join("config.json")).expect("a configuration");
    let config = config.replace("\"vocab_size\": 272", &format!("\"vocab_size\": {rows}"));
    fs::write(folder.join("config.json"), config).expect("written");
    for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
        fs::copy(from.join(name), folder.join(name)).expect("a copy");
    }
}

#[test]
fn new_tokens_get_rows_behind_the_embedding() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    shards_with_structure_tokens(&path("shards"));
    // Three of the 11 new tokens, 259 to 269, have rows.
    shorter_embedding("llama_tied_rope3", 262, &path("base"));
    let yaml = "base_model: base\nshards: shards\neval_split: null\nmax_length: 512\n";
    let run = trains(folder.path(), yaml, &["--max-steps", "4", "--merge"]);
    run.says(&[
        "rows of 11 new tokens",
        "the embedding has 262 rows; 8 new tokens get rows behind them",
        "`model.resize_token_embeddings(270)`",
    ]);
    let adapter = path("sft/adapter");
    let text = fs::read_to_string(adapter.join("adapter_config.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tokens: Vec<u32> = (259..270).collect();
    assert_eq!(settings["trainable_token_indices"], serde_json::json!(tokens));

    let rows = |options: &LoadOptions, model: &str| -> Vec<f32> {
        let model = load::<Flex>(&path(model), options, &Default::default(), &|_| {}).unwrap();
        assert_eq!(model.config().vocab_size, 270);
        model.embed(&tokens).unwrap().into_data().into_vec().unwrap()
    };
    let begun = rows(&LoadOptions { min_vocab_size: 270, ..LoadOptions::default() }, "base");
    let with_adapter = LoadOptions { adapter: Some(adapter), ..LoadOptions::default() };
    let trained = rows(&with_adapter, "base");
    let moved = |(begun, trained): (&[f32], &[f32])| begun != trained;
    assert!(begun.chunks(64).zip(trained.chunks(64)).all(moved), "every row is trained");
    let rounded: Vec<f32> = rows(&LoadOptions::default(), "sft/merged")
        .into_iter()
        .zip(&trained)
        .map(|(m, t)| m - t)
        .collect();
    assert!(rounded.iter().zip(&trained).all(|(off, t)| off.abs() <= t.abs() / 256.0));

    // It goes on, and as the beginning of another run.
    fs::remove_dir_all(path("sft/adapter")).unwrap();
    trains(folder.path(), yaml, &["--max-steps", "4"]).says(&["goes on"]);
    let more = format!("{yaml}lora: {{ init: sft/adapter }}\n");
    trains(folder.path(), &more, &["--max-steps", "1", "--out", "more"]);
    // A whole model has all rows.
    let whole = format!("{yaml}adapter: none\nquantization: none\n");
    trains(folder.path(), &whole, &["--max-steps", "1", "--out", "whole"]);
    rows(&LoadOptions::default(), "whole/model");

    let refused = |yaml: &str, words: &[&str]| {
        let run = run_in(folder.path(), yaml, &["--out", "none"]);
        assert_eq!(run.code, 1, "{}", run.stdout);
        run.says(words);
    };
    let untrained = format!("{yaml}train_new_tokens: none\n");
    let hint = "take `tokenize-shards --structure-tokens plain`";
    refused(&untrained, &["with id 269, and the model's embedding ends at 261", "no row", hint]);
    shorter_embedding("llama", 262, &path("untied"));
    refused(&yaml.replace("base\n", "untied\n"), &["shards: ", "head, which is not tied", hint]);
}

#[test]
fn tokenizers_that_do_not_go_with_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let shards = folder.path().join("shards");
    shards_with_structure_tokens(&shards);
    let yaml = format!(
        "base_model: {}\nshards: shards\neval_split: null\nmax_length: 512\n",
        fixture("models/llama").display()
    );
    let file = shards.join("tokenizer/tokenizer.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("\"id\": 269", "\"id\": 273").replace("\"id\":269", "\"id\":273"),
    )
    .unwrap();
    for (family, reason) in [("llama", "head"), ("llama_tied_rope3", "before it have no token")] {
        let run =
            run_in(folder.path(), &yaml.replace("models/llama", &format!("models/{family}")), &[]);
        assert_eq!(run.code, 1, "{}", run.stdout);
        run.says(&[
            "with id 273, and the model's embedding ends at 271",
            "--structure-tokens plain",
        ]);
        run.says(&[reason]);
    }
    fs::copy(fixture("tokenizers/bpe/tokenizer.json"), &file).unwrap();
    let run = run_in(folder.path(), &yaml, &[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    run.says(&["they were made with another tokenizer"]);
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
