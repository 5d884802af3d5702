//! The binary as a person meets it: whole runs on a tiny model, runs that are killed, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod world;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use world::{Output, World, fixture};

fn evaluate(world: &World, flags: &[&str]) -> Output {
    world.run(flags)
}

#[track_caller]
fn evaluated(world: &World, flags: &[&str]) -> Output {
    let run = evaluate(world, flags);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run
}

/// The files of a result but its logs and the manifest, which has times.
fn files(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let out = world.path("results");
    let mut folders = vec![out.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&out).unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "logs" {
                folders.push(path);
            } else if path.is_file() && !name.ends_with(".manifest.json") {
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn table(world: &World) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(world.path("results/eval.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn answers(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.path("results/eval.answers.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_whole_run() {
    let world = World::new();
    let run = evaluated(&world, &[]);
    run.says(&["tuned", "base", "accuracy", "valid tags", "hit rate, 1 sessions", "written to"]);
    let files = files(&world);
    for name in ["eval.csv", "eval.json", "eval.html", "eval.answers.jsonl"] {
        assert!(files.contains_key(name), "{name}");
    }
    for plot in ["confusion_matrix", "confusion_matrix_base", "outcomes", "reliability"] {
        assert!(files.contains_key(&format!("eval.plots/{plot}.svg")), "{plot}");
    }
    let manifest: Value =
        serde_json::from_slice(&fs::read(world.path("results/eval.manifest.json")).unwrap())
            .unwrap();
    assert_eq!(manifest["stage"], "evaluate-sft");
    assert_eq!(manifest["outputs"].as_array().unwrap().len(), files.len());

    // Columns in their order, a row a record, and what is not known is empty.
    let header = String::from_utf8(files["eval.csv"].clone()).unwrap();
    assert!(
        header.starts_with(
            "uid,ticker,as_of_date,label,pred_action,correct,outcome,confidence,p_STRONG_BUY,p_BUY,p_HOLD,p_SELL,\
             p_STRONG_SELL,loss,perplexity,reasoning_cosine,forward_1,forward_5,base_pred_action,base_correct,\
             base_outcome,base_confidence,base_p_STRONG_BUY,"
        ),
        "{header}"
    );
    let rows = table(&world);
    assert_eq!(rows.len(), world.test_rows());
    for row in &rows {
        let p: f64 = ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"]
            .iter()
            .map(|action| row[&format!("p_{action}")].parse::<f64>().unwrap())
            .sum();
        assert!((p - 1.0).abs() < 1e-9, "{p}");
        assert_eq!(row["pred_action"].is_empty(), row["confidence"].is_empty());
        let (loss, perplexity): (f64, f64) =
            (row["loss"].parse().unwrap(), row["perplexity"].parse().unwrap());
        assert!((loss.exp() - perplexity).abs() < 1e-9 * perplexity);
    }
    // By hand from the made-up closes: one dollar more each session.
    let forward = |row: usize, from: &str, to: &str| {
        let got: f64 = rows[row]["forward_1"].parse().unwrap();
        assert!((got - (world.close(to) / world.close(from) - 1.0)).abs() < 1e-12, "{row} {got}");
    };
    forward(0, "2024-03-01", "2024-03-04");
    // A Saturday counts from the Monday after it.
    assert_eq!(rows[3]["as_of_date"], "2024-03-16");
    forward(3, "2024-03-18", "2024-03-19");
    // The prices end, the ticker has none, the date is behind them.
    let known = |row: usize| ["forward_1", "forward_5"].map(|name| !rows[row][name].is_empty());
    assert_eq!([0, 4, 5, 6].map(known), [[true, true], [true, false], [false; 2], [false; 2]]);
    run.says(&["1 of 7 rows have dates outside of the prices"]);
    run.says(&["The prices end within 5 sessions", "tickers without prices", "NOPE"]);

    // The report is one page by itself.
    let html = String::from_utf8(files["eval.html"].clone()).unwrap();
    assert!(html.contains("<svg") && !html.contains("<script") && !html.contains("http://cdn"));
    let json: Value = serde_json::from_slice(&files["eval.json"]).unwrap();
    assert_eq!(json["study"]["rows"], world.test_rows());
    assert_eq!(json["model"]["kind"], "run");
    assert_eq!(json["model"]["structure_tokens"], true);

    // A second run has nothing to do, says the same, and leaves the same.
    let again = evaluated(&world, &[]);
    assert_eq!(again.stdout, run.stdout);
    again.says(&["answers and figures are there already"]);
    assert!(!again.stderr.contains("loading"), "{}", again.stderr);
    assert_eq!(self::files(&world), files);
    // Other windows ask no model.
    let other = evaluated(&world, &["--config", world.settings("forward_windows: [2]").as_str()]);
    assert!(!other.stderr.contains("loading"), "{}", other.stderr);
    assert!(table(&world)[0].contains_key("forward_2"));
}

#[test]
fn without_a_base_and_without_prices() {
    let world = World::new();
    let flags = ["--baseline", "none", "--temperature-rows", "0", "--max-rows", "3"];
    let run = evaluated(&world, &[&flags[..], &["--no-prices"]].concat());
    run.says(&["there are no forward returns", "No temperature could be fitted"]);
    let rows = table(&world);
    assert_eq!(rows.len(), 3);
    assert!(!rows[0].contains_key("base_loss"));
    assert!(rows.iter().all(|row| row["forward_1"].is_empty()));
    let kinds: Vec<Value> = answers(&world)[1..].iter().map(|line| line["model"].clone()).collect();
    assert_eq!(kinds, vec![Value::from("tuned"); 6]);

    // With the base, what the tuned model said stands.
    let before = answers(&world);
    let flags = ["--temperature-rows", "0", "--max-rows", "3", "--no-prices"];
    evaluated(&world, &flags);
    let after = answers(&world);
    assert_eq!(before[1..4], after[1..4]);
    assert_eq!(after.len(), 1 + 4 * 3);
}

#[test]
fn by_the_grammar_every_answer_is_valid() {
    let world = World::new();
    let flags = ["--decoding", "structured", "--max-rows", "4", "--temperature-rows", "2"];
    evaluated(&world, &flags);
    for row in table(&world) {
        assert_eq!((&*row["outcome"], &*row["base_outcome"]), ("valid", "valid"));
        assert!(!row["reasoning_cosine"].is_empty() && !row["reasoning"].is_empty());
    }
    let short = evaluate(&world, &[&flags[..], &["--max-new-tokens", "3"]].concat());
    assert_eq!(short.code, 1);
    short.says(&["hint: --max-new-tokens"]);
}

#[test]
fn kills_at_any_moment_change_no_byte() {
    let flags = ["--batch", "2", "--log-level", "debug"];
    let whole = World::new();
    let run = evaluated(&whole, &flags);
    let wanted = files(&whole);
    let groups = run.stderr.matches("lines were written").count();
    // Two models; rows that are judged and rows of the temperature, by twos; cosines.
    let (judged, temperature) =
        (whole.test_rows().div_ceil(2), whole.validation_rows().div_ceil(2));
    assert_eq!(groups, 3 * judged + 2 * temperature);
    let killed = World::new();
    let mut done = 0;
    for kill in 0.. {
        let mut child = Command::new(env!("CARGO_BIN_EXE_evaluate-sft"))
            .current_dir(killed.folder())
            .args(killed.flags(&flags))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // One group more each time, and then whatever comes before the signal does.
        let reached =
            lines.by_ref().map_while(Result::ok).any(|line| line.contains("lines were written"));
        if !reached {
            assert!(child.wait().unwrap().success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        done += 1;
        // A file that is torn in its last line is no worse.
        if kill % 3 == 1 {
            let path = killed.path("results/eval.answers.jsonl");
            let mut bytes = fs::read(&path).unwrap();
            bytes.truncate(bytes.len() - 7 * (kill + 1));
            fs::write(path, bytes).unwrap();
        }
        assert!(kill < 100, "it never ends");
    }
    assert!(done >= groups / 2, "{done} kills of {groups}");
    assert_eq!(files(&killed), wanted);
}

#[test]
fn answers_of_other_settings_are_set_aside() {
    let world = World::new();
    let flags = ["--max-rows", "2", "--temperature-rows", "0", "--baseline", "none"];
    evaluated(&world, &flags);
    let before = fs::read(world.path("results/eval.answers.jsonl")).unwrap();
    let run = evaluated(&world, &[&flags[..], &["--max-new-tokens", "9"]].concat());
    run.says(&["were made otherwise: max_new_tokens differ", "eval.answers.old-1.jsonl"]);
    assert_eq!(fs::read(world.path("results/eval.answers.old-1.jsonl")).unwrap(), before);
    // Another adapter, too.
    let weights = world.path("sft/adapter/adapter_model.safetensors");
    let other = fixture("models/llama/adapter/adapter_model.safetensors");
    assert_eq!(fs::read(&weights).unwrap(), fs::read(other).unwrap());
    let mut bytes = fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, bytes).unwrap();
    let run = evaluated(&world, &[&flags[..], &["--max-new-tokens", "9"]].concat());
    run.says(&["were made otherwise: model differ"]);
}

#[test]
fn what_model_dir_may_be() {
    let world = World::new();
    let few = ["--max-rows", "2", "--temperature-rows", "0"];
    let kind = |flags: &[&str]| {
        evaluated(&world, &[&few[..], flags].concat());
        let json = fs::read_to_string(world.path("results/eval.json")).unwrap();
        let json: Value = serde_json::from_str(&json).unwrap();
        (json["model"]["kind"].clone(), json["study"]["base"].is_null())
    };
    assert_eq!(kind(&["--model-dir", "sft/adapter"]), ("adapter".into(), false));
    // A checkpoint is asked by what lies in the run.
    assert_eq!(kind(&["--model-dir", "sft/checkpoint-4"]), ("checkpoint".into(), false));
    let bare = fixture("models/llama/adapter");
    let (bare, llama) = (bare.to_str().unwrap(), fixture("models/llama"));
    let base = llama.to_str().unwrap();
    assert_eq!(kind(&["--model-dir", bare, "--base-model", base]), ("adapter".into(), false));
    // No adapter: judged alone.
    assert_eq!(kind(&["--model-dir", base]), ("model".into(), true));
    // A model and what it was before.
    let copy = world.path("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(fixture("models/llama").join(name), copy.join(name)).unwrap();
    }
    let (_, is_alone) = kind(&["--model-dir", base, "--base-model", "copy"]);
    assert!(!is_alone);
}

#[test]
fn what_is_refused() {
    let world = World::new();
    let check = |flags: &[&str], words: &[&str]| {
        let run = evaluate(&world, flags);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{flags:?} {}", run.stderr);
        run.says(words);
    };
    check(&["--model-dir", "nowhere"], &["there is nothing at nowhere", "hint: --model-dir names"]);
    check(&["--model-dir", "dataset"], &["dataset is no model, and holds none", "hint: "]);
    fs::create_dir_all(world.path("half/checkpoint-2")).unwrap();
    fs::create_dir_all(world.path("half/checkpoint-10")).unwrap();
    check(&["--model-dir", "half"], &["is not finished", "--model-dir half/checkpoint-10"]);
    let bare = fixture("models/llama/adapter");
    check(
        &["--model-dir", bare.to_str().unwrap()],
        &["there is no base model at llama", "--base-model says where it is now"],
    );
    check(&["--split", "dev"], &["no split `dev`; it has", "hint: --split"]);
    check(&["--split", "validation"], &["`temperature_split` is `validation`, which is judged"]);
    check(&["--prices", "nowhere"], &["nowhere", "hint: --prices names"]);
    check(&["--dataset-dir", "sft"], &["sft holds no data set", "hint: --dataset-dir"]);
    check(&["--out", "results/eval.json"], &["does not end in .csv"]);
    check(&["--batch", "0"], &["`batch` is 0"]);
    check(&["--top-p", "0.9"], &["temperature 0 leaves no choice"]);
    check(&["--config", &world.settings("forward_windows: [5, 1]")], &["forward_windows"]);
    check(&["--config", &world.settings("bin: 5")], &["bin", "bins"]);
    world.settings("");
    // A base without room for the tokens that the adapter's tokenizer has.
    let small = world.path("small");
    fs::create_dir(&small).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(fixture("models/llama").join(name), small.join(name)).unwrap();
    }
    let config = fs::read_to_string(small.join("config.json")).unwrap();
    let config = config.replace("\"vocab_size\": 272", "\"vocab_size\": 260");
    fs::write(small.join("config.json"), config).unwrap();
    check(&["--base-model", "small"], &["the tokenizer has `", "embedding ends at 259"]);
    fs::remove_file(world.path("sft/adapter/adapter_model.safetensors")).unwrap();
    check(&[], &["there is no sft/adapter/adapter_model.safetensors"]);
}

#[test]
fn the_documented_settings_are_the_defaults() {
    let world = World::new();
    let documented = fixture("../configs/eval.yaml");
    let flags = ["--max-rows", "2", "--temperature-rows", "0", "--baseline", "none"];
    let json = |more: &[&str]| {
        evaluated(&world, &[&flags[..], more].concat());
        let json = fs::read(world.path("results/eval.json")).unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()["config"].clone()
    };
    let (file, none) =
        (json(&["--bare", "--config", documented.to_str().unwrap()]), json(&["--bare"]));
    assert_eq!(file, none);
    let text = fs::read_to_string(&documented).unwrap();
    for (key, value) in none.as_object().unwrap() {
        assert!(text.contains(&format!("\n{key}:")), "{key} is not documented");
        for inner in value.as_object().into_iter().flatten().map(|(inner, _)| inner) {
            assert!(text.contains(&format!("\n  {inner}:")), "{key}.{inner}");
        }
    }
}

#[test]
fn help_shows_examples() {
    let help = Command::new(env!("CARGO_BIN_EXE_evaluate-sft")).arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    for word in
        ["Examples:", "--decoding", "configs/eval.yaml", "investment advice", "trading-backtest"]
    {
        assert!(text.replace('\n', " ").contains(word), "{word}: {text}");
    }
}
