mod to_bf16;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use self::to_bf16::to_bf16;
use crate::make_market::{MakeMarketArgs, run as make_market};
use crate::process::{cargo, root, run as execute, say};

/// The market that the base model learns from: other seed, other stocks, other years than those of
/// `fixtures/quickstart`, and calls that say nothing.
const SEED: u64 = 101;
const STOCKS: u32 = 64;
const FIRST_YEAR: i32 = 2013;
const SESSIONS: usize = 1_250;
const EVERY: usize = 3;
/// Rows for looking on, and for the test that a data set must have; the rest is for training.
const CUTS: [&str; 2] = ["2017-11-06", "2017-11-08"];
/// The seed of the weights with which training begins.
const WEIGHTS_SEED: u64 = 7;
/// No limit for the vocabulary: texts as plain as these have fewer pairs to merge.
const VOCABULARY: usize = 1_024;

/// Where the recipe lies, below the workspace.
const RECIPE: &str = "configs/quickstart/base-model";
/// Files of a model folder that are kept.
const KEPT: [&str; 3] = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];

/// Options of `cargo xtask make-base-model`.
#[derive(Debug, Args)]
pub(crate) struct MakeBaseModelArgs {
    /// Folder of the finished model [default: fixtures/models/quickstart-base]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder for everything on the way; training goes on there after a break
    #[arg(long, value_name = "DIR", default_value = "target/make-base-model")]
    work: PathBuf,
    /// Where the stages' programs are, instead of building them
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
}

/// Pretrains the tiny model of the profile `quickstart` with this project's own stages.
pub(crate) fn run(args: &MakeBaseModelArgs) -> anyhow::Result<()> {
    let out = args.out.clone().unwrap_or_else(|| root().join("fixtures/models/quickstart-base"));
    let work = root().join(&args.work);
    let programs = match &args.bin_dir {
        Some(folder) => folder.clone(),
        None => build()?,
    };
    let at = |name: &str| work.join(name);
    let stage = |name: &str| Command::new(programs.join(name));

    if !at("records/all.jsonl").exists() {
        make_market(&market(at("market")))?;
        let mut ingest = stage("ingest");
        ingest
            .arg("--input-dir")
            .arg(at("market/theses"))
            .arg("--out")
            .arg(at("records/all.jsonl"));
        execute(&mut ingest)?;
    }
    if !at("dataset/manifest.json").exists() {
        let mut split = stage("build-dataset");
        split.arg("--jsonl").arg(at("records/all.jsonl")).arg("--out-dir").arg(at("dataset"));
        execute(split.args(["--train-end", CUTS[0], "--val-end", CUTS[1]]))?;
    }
    if !at("begin/manifest.json").exists() {
        let shape = at("shape");
        let mut train_bpe = stage("examples/train_bpe");
        execute(train_bpe.arg(at("records/all.jsonl")).arg(VOCABULARY.to_string()).arg(&shape))?;
        copy(&root().join(RECIPE).join("config.json"), &shape.join("config.json"))?;
        check_vocabulary(&shape)?;
        let mut init = stage("inspect-model");
        init.arg("init").arg("--model").arg(&shape).arg("--out").arg(at("begin"));
        execute(init.args(["--dtype", "f32", "--seed", &WEIGHTS_SEED.to_string()]))?;
    }
    if !at("shards/manifest.json").exists() {
        let mut tokenize = stage("tokenize-shards");
        tokenize.arg("--dataset-dir").arg(at("dataset")).arg("--tokenizer").arg(at("begin"));
        execute(tokenize.arg("--out").arg(at("shards")))?;
    }
    if !at("run/model").exists() {
        let mut train = stage("train-sft");
        train.arg("--config").arg(root().join(RECIPE).join("sft.yaml"));
        train.arg("--base-model").arg(at("begin")).arg("--shards").arg(at("shards"));
        execute(train.arg("--out").arg(at("run")))?;
    }
    finish(&at("run/model"), &at("begin"), &out)?;
    say(format!("{} is complete", out.display()));
    Ok(())
}

fn market(out: PathBuf) -> MakeMarketArgs {
    MakeMarketArgs {
        seed: SEED,
        out: Some(out),
        stocks: Some(STOCKS),
        first_year: FIRST_YEAR,
        sessions: SESSIONS,
        every: EVERY,
        random_actions: true,
    }
}

/// Builds the programs, and says where they are.
fn build() -> anyhow::Result<PathBuf> {
    let packages = ["ingest", "build-dataset", "tokenize-shards", "inspect-model", "train-sft"];
    let mut command = cargo(&["build", "--release"]);
    packages.iter().for_each(|package| {
        command.args(["--package", package]);
    });
    execute(&mut command)?;
    execute(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "tokenize",
        "--example",
        "train_bpe",
    ]))?;
    let json =
        crate::process::capture(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&json)?;
    let target = metadata["target_directory"].as_str().context("cargo has no target folder")?;
    Ok(Path::new(target).join("release"))
}

/// The shape must have a row for each token, and no more.
fn check_vocabulary(shape: &Path) -> anyhow::Result<()> {
    let config = json(&shape.join("config.json"))?;
    let tokenizer = json(&shape.join("tokenizer.json"))?;
    let count = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    let learnt = tokenizer["model"]["vocab"].as_object();
    let added = tokenizer["added_tokens"].as_array().into_iter().flatten();
    let beyond = added.filter(|token| {
        let content = token["content"].as_str().unwrap_or_default();
        learnt.is_none_or(|vocabulary| !vocabulary.contains_key(content))
    });
    let tokens = count(&tokenizer["model"]["vocab"]) + beyond.count();
    if config["vocab_size"] != tokens {
        bail!(
            "the tokenizer has {tokens} tokens: `vocab_size` in {RECIPE}/config.json must say so, and says {}",
            config["vocab_size"]
        );
    }
    Ok(())
}

/// Writes the trained model in bf16, with its tokenizer.
fn finish(trained: &Path, begin: &Path, out: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    for name in KEPT {
        copy(&begin.join(name), &out.join(name))?;
    }
    let weights = trained.join("model.safetensors");
    let bytes = fs::read(&weights).with_context(|| format!("cannot read {}", weights.display()))?;
    let bytes = to_bf16(&bytes).with_context(|| format!("cannot convert {}", weights.display()))?;
    fs::write(out.join("model.safetensors"), bytes)?;
    let mut config = json(&trained.join("config.json"))?;
    config["dtype"] = "bfloat16".into();
    fs::write(out.join("config.json"), format!("{config:#}\n"))?;
    Ok(())
}

fn json(path: &Path) -> anyhow::Result<Value> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}
