//! The binary as a person meets it: exit codes, messages, and what it prints and writes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use checkpoint_files::Checkpoint;
use serde_json::Value;
use tempfile::TempDir;

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_inspect-model")).args(args).output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn works(args: &[&str]) -> Run {
    let run = run(args);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run
}

#[track_caller]
fn fails(args: &[&str], want: &[&str]) {
    let run = run(args);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    for want in want {
        assert!(run.stderr.contains(want), "{want}: {}", run.stderr);
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn model(family: &str) -> String {
    fixture("models").join(family).to_str().unwrap().to_owned()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The ids of the reference's two rows, and how many logits it has.
fn reference_rows(family: &str) -> (Vec<Vec<i64>>, Vec<f32>) {
    let file =
        Checkpoint::open(fixture("models").join(family).join("reference.safetensors")).unwrap();
    let (words, _) = file.get("input_ids").unwrap().bytes.as_chunks::<8>();
    let ids: Vec<i64> = words.iter().map(|word| i64::from_le_bytes(*word)).collect();
    let mut logits = Vec::new();
    file.get("logits").unwrap().to_f32(&mut logits).unwrap();
    (ids.chunks(48).map(<[i64]>::to_vec).collect(), logits)
}

fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_documented_configuration_is_the_default() {
    let config = fixture("../configs/inspect.yaml");
    let config = config.to_str().unwrap();
    let llama = model("llama");
    let args = ["generate", "--model", &llama, "--prompt", "abc", "--max-new-tokens", "5"];
    let default = works(&args).stdout;
    assert_eq!(works(&[&args[..], &["--config", config]].concat()).stdout, default);
    let documented = fs::read_to_string(config).unwrap();
    for key in ["device", "kv_cache", "prefill_chunk", "sampling", "samples", "stop", "seed"] {
        assert!(documented.lines().any(|line| line.starts_with(&format!("{key}:"))), "{key}");
    }
}

#[test]
fn info_says_what_a_model_is() {
    let llama = model("llama");
    let text = works(&["info", "--model", &llama]).stdout;
    for want in ["family      llama", "121,", "tied head", "template    yes", "<|im_end|>", "F32"] {
        assert!(text.contains(want) != (want == "tied head"), "{want}: {text}");
    }
    let info = json(&works(&["info", "--model", &llama, "--format", "json"]).stdout);
    assert_eq!(info["architecture"]["hidden_size"], 64);
    assert_eq!(info["architecture"]["vocab_size"], 272);
    assert_eq!(info["tensors"]["F32"]["values"], info["parameters"]);
    let gguf = fixture("gguf/small.gguf");
    fails(&["info", "--model", gguf.to_str().unwrap()], &["error: "]);
}

#[test]
fn estimate_needs_the_configuration_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = fs::read_to_string(fixture("models/qwen3/config.json")).unwrap();
    write(&folder, "config.json", &config);
    let path = folder.path().to_str().unwrap();
    let args = ["estimate", "--model", path, "--quantization", "nf4", "--format", "json"];
    let estimate = json(&works(&args).stdout);
    let items = estimate["items"].as_array().unwrap();
    let total: u64 = items.iter().map(|item| item["bytes"].as_u64().unwrap()).sum();
    assert_eq!(estimate["total_bytes"], total);
    let names: Vec<&str> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"cache") && !names.contains(&"optimizer"), "{names:?}");

    let lora = ["--lora-rank", "8", "--sequence", "128", "--gradient-checkpointing"];
    let text = works(&[&args[..5], &lora].concat()).stdout;
    for want in ["parameters: ", "trainable: ", "optimizer", "activations", "all together"] {
        assert!(text.contains(want), "{want}: {text}");
    }
    let unknown = ["--lora-rank", "8", "--lora-targets", "q_proj,w_proj"];
    fails(&[&args[..5], &unknown].concat(), &["no projection `w_proj`", "q_proj, k_proj"]);
}

#[test]
fn logits_are_those_of_transformers() {
    let folder = tempfile::tempdir().unwrap();
    for family in ["llama", "gemma3_text"] {
        let (rows, want) = reference_rows(family);
        let ids = write(&folder, "ids.json", &serde_json::to_string(&rows).unwrap());
        let out = folder.path().join("logits.safetensors");
        let out = out.to_str().unwrap();
        for device in ["cpu", "ndarray"] {
            let args = ["--input-ids", &ids, "--out", out, "--device", device];
            works(&[&["logits", "--model", &model(family)], &args[..]].concat());
            let file = Checkpoint::open(out).unwrap();
            let view = file.get("logits").unwrap();
            assert_eq!(view.shape, [2, 48, 272]);
            let mut got = Vec::new();
            view.to_f32(&mut got).unwrap();
            let worst = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{family} on {device}: {worst}");
        }
    }
}

#[test]
fn generate_streams_or_prints_lines() {
    let llama = model("llama");
    let ask = ["generate", "--model", &llama, "--chat", "buy?", "--max-new-tokens", "12"];
    let run = works(&ask);
    assert!(
        run.stderr.contains("prefill ") && run.stderr.contains("decode 11 tokens"),
        "{}",
        run.stderr
    );
    let line = json(&works(&[&ask[..], &["--format", "json"]].concat()).stdout);
    assert_eq!(line["text"].as_str().unwrap(), run.stdout.strip_suffix('\n').unwrap());
    assert_eq!(line["ids"].as_array().unwrap().len(), 12);
    assert_eq!(line["finish"], "length");

    let sample = ["--samples", "3", "--temperature", "1.5", "--top-k", "40", "--logprobs", "2"];
    let lines = works(&[&ask[..], &sample].concat()).stdout;
    let lines: Vec<Value> = lines.lines().map(json).collect();
    assert_eq!(lines.len(), 3);
    assert_ne!(lines[0]["ids"], lines[1]["ids"]);
    let top = &lines[0]["top"][0];
    assert_eq!(top.as_array().unwrap().len(), 2);
    // The second sample by itself, by its seed.
    let alone = ["--temperature", "1.5", "--top-k", "40", "--format", "json", "--seed", "8"];
    let alone = json(&works(&[&ask[..], &alone].concat()).stdout);
    assert_eq!((&alone["seed"], &alone["ids"]), (&lines[1]["seed"], &lines[1]["ids"]));
}

#[test]
fn a_stop_text_is_no_part_of_the_answer() {
    let llama = model("llama");
    let ask = ["generate", "--model", &llama, "--prompt", "abc", "--max-new-tokens", "12"];
    let whole = json(&works(&[&ask[..], &["--format", "json"]].concat()).stdout);
    let whole = whole["text"].as_str().unwrap().to_owned();
    let stop = whole.chars().nth(4).unwrap().to_string();
    let stopped = works(&[&ask[..], &["--format", "json", "--stop", &stop]].concat()).stdout;
    let stopped = json(&stopped);
    assert_eq!(stopped["finish"], "stop_text");
    assert_eq!(stopped["text"].as_str().unwrap(), &whole[..whole.find(&stop).unwrap()]);
}

#[test]
fn answers_keep_to_their_grammar() {
    let llama = model("llama");
    let ask = ["generate", "--model", &llama, "--chat", "call it", "--max-new-tokens", "160"];
    for more in [&["--temperature", "1"][..], &[]] {
        let args = [&ask[..], &["--grammar", "thesis"], more].concat();
        let text = works(&args).stdout;
        let text = text.strip_suffix('\n').unwrap();
        assert!(text.starts_with("<reasoning>") && text.ends_with("</action>"), "{text}");
    }
    let regex = works(&[&ask[..], &["--grammar", "regex:(BUY|SELL) [0-9]{2}"]].concat()).stdout;
    assert!(["BUY ", "SELL "].iter().any(|call| regex.starts_with(call)), "{regex}");

    let folder = tempfile::tempdir().unwrap();
    let schema = write(
        &folder,
        "schema.json",
        r#"{"type": "object", "properties": {"action": {"enum": ["BUY", "HOLD"]}}, "required": ["action"],
            "additionalProperties": false}"#,
    );
    let text = works(&[&ask[..], &["--grammar", &format!("json:{schema}")]].concat()).stdout;
    assert!(["BUY", "HOLD"].contains(&json(&text)["action"].as_str().unwrap()), "{text}");

    fails(&[&ask[..], &["--grammar", "prose"]].concat(), &["`prose` is no grammar", "hint: "]);
    fails(&[&ask[..], &["--grammar", "json:no.json"]].concat(), &["cannot read no.json"]);
    fails(&[&ask[..], &["--grammar", "regex:("]].concat(), &["error: "]);
    let short = [&ask[..5], &["--max-new-tokens", "4", "--grammar", "thesis"]].concat();
    fails(&short, &["hint: --max-new-tokens "]);
}

#[test]
fn an_adapter_brings_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let from = fixture("models/adapters/tokens_beyond");
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let tied = model("llama_tied_rope3");
    let text = fs::read_to_string(Path::new(&tied).join("tokenizer.json")).unwrap();
    let mut tokenizer = json(&text);
    let mut token = tokenizer["added_tokens"][0].clone();
    token["id"] = 259.into();
    token["content"] = "<NEW>".into();
    token["special"] = false.into();
    tokenizer["added_tokens"].as_array_mut().unwrap().push(token);
    write(&folder, "tokenizer.json", &tokenizer.to_string());
    // Five letters, or one token.
    let ask = ["generate", "--model", &tied, "--prompt", "abc", "--max-new-tokens", "3"];
    let ask = [&ask[..], &["--grammar", "regex:<NEW>"]].concat();
    fails(&ask, &["--max-new-tokens 5"]);
    let adapter = folder.path().to_str().unwrap();
    assert_eq!(works(&[&ask[..], &["--adapter", adapter]].concat()).stdout.trim(), "<NEW>");
}

#[test]
fn a_quantized_folder_answers_as_the_model_that_is_quantized_on_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let llama = model("llama");
    let out = folder.path().join("nf4");
    let out = out.to_str().unwrap();
    let quantize = ["quantize", "--model", &llama, "--quantization", "nf4", "--out", out];
    works(&[&quantize[..], &["--double-quantization"]].concat());
    let ask = ["--prompt", "abc", "--max-new-tokens", "8", "--logprobs"];
    let stored = works(&[&["generate", "--model", out], &ask[..]].concat()).stdout;
    let nf4 = ["--quantization", "nf4", "--double-quantization"];
    let now = works(&[&["generate", "--model", &llama], &ask[..], &nf4].concat()).stdout;
    assert_eq!(stored, now);
    let manifest = fs::read_to_string(Path::new(out).join("manifest.json")).unwrap();
    assert_eq!(json(&manifest)["config"]["quantization"], "nf4");

    let into = |out: &str, more: &[&str], want: &[&str]| {
        let args = ["quantize", "--model", &llama, "--out", out];
        fails(&[&args[..], more].concat(), want);
    };
    fs::create_dir(folder.path().join("full")).unwrap();
    write(&folder, "full/letter.txt", "dear");
    let full = folder.path().join("full");
    into(full.to_str().unwrap(), &["--quantization", "int8"], &["hint: name another --out"]);
    let none = folder.path().join("none");
    into(none.to_str().unwrap(), &["--quantization", "none"], &["no quantization is asked for"]);
    assert!(!none.exists());
}

#[test]
fn a_random_model_has_its_seed_and_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let config = format!("{}/config.json", model("gemma3_text"));
    let init = |out: &str, more: &[&str]| {
        works(&[&["init", "--model", &config, "--out", &at(out)], more].concat());
        fs::read(folder.path().join(out).join("model.safetensors")).unwrap()
    };
    let first = init("first", &[]);
    assert_eq!(init("again", &["--threads", "1"]), first);
    assert_ne!(init("other", &["--seed", "8"]), first);
    init("f32", &["--dtype", "f32"]);

    let values = |folder: &str, name: &str| {
        let file = Checkpoint::open(at(folder)).unwrap();
        let mut values = Vec::new();
        file.get(name).unwrap().to_f32(&mut values).unwrap();
        values
    };
    let matrix = values("f32", "model.layers.0.mlp.up_proj.weight");
    let square = matrix.iter().map(|x| f64::from(x * x)).sum::<f64>() / matrix.len() as f64;
    // Its configuration says 0.15; thousands of values are within a few hundredths of that.
    assert!((square.sqrt() - 0.15).abs() < 0.01, "{square}");
    // Norms of this family are stored as differences from 1.
    assert!(values("f32", "model.norm.weight").iter().all(|&x| x == 0.0));

    let answer =
        works(&["generate", "--model", &at("first"), "--prompt", "abc", "--max-new-tokens", "2"]);
    assert!(!answer.stdout.is_empty());
    let info = json(&works(&["info", "--model", &at("first"), "--format", "json"]).stdout);
    assert_eq!(info["tensors"]["BF16"]["values"], info["parameters"]);
    let manifest = fs::read_to_string(folder.path().join("first/manifest.json")).unwrap();
    assert_eq!(json(&manifest)["config"]["seed"], 7);

    let into =
        |model: &str, want: &[&str]| fails(&["init", "--model", model, "--out", &at("no")], want);
    into("no/such/config.json", &["no/such/config.json", "hint: --model names a config.json"]);
    into(&write(&folder, "config.json", "{}"), &["config.json", "model_type"]);
    assert!(!folder.path().join("no").exists());
}

#[test]
fn bench_prints_one_line() {
    let llama = model("llama");
    let args = ["--batch", "2", "--prompt-len", "9", "--new-tokens", "4", "--repeats", "2"];
    let run = works(&[&["bench", "--model", &llama], &args[..]].concat());
    assert_eq!(run.stdout.lines().count(), 1);
    let line = json(&run.stdout);
    for rate in ["prefill_tokens_per_second", "decode_tokens_per_second", "load_seconds"] {
        assert!(line[rate].as_f64().unwrap() > 0.0, "{rate}");
    }
    assert_eq!((&line["batch"], &line["prompt_len"]), (&2.into(), &9.into()));
    assert!(line["threads"].as_u64().unwrap() > 0);
    fails(&["bench", "--model", &llama, "--batch", "0"], &["must be 1 or more"]);
}

#[test]
fn rubbish_gets_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let llama = model("llama");
    let fetch = "cargo xtask fetch-model smollm2";
    fails(&["info", "--model", "no/such/model"], &["no/such/model", "hint: ", fetch]);
    let empty = folder.path().to_str().unwrap();
    fails(&["info", "--model", empty], &["has no config.json", fetch]);
    let text = write(&folder, "model.bin", "hello");
    fails(&["info", "--model", &text], &["model.bin", fetch]);
    let damaged = write(&folder, "damaged.gguf", "GGUF and then nothing");
    fails(&["info", "--model", &damaged], &["damaged.gguf"]);
    fails(&["bench", "--model", &llama, "--device", "cuda"], &["built without CUDA", "hint: "]);

    let out = folder.path().join("out.safetensors");
    let logits = |ids: &str, want: &[&str]| {
        let ids = write(&folder, "ids.json", ids);
        let args = ["logits", "--model", &llama, "--input-ids", &ids, "--out"];
        fails(&[&args[..], &[out.to_str().unwrap()]].concat(), want);
        assert!(!out.exists());
    };
    logits("[[1, 2], [3]]", &["row 1 of", "has 1 ids, and row 0 has 2", "hint: "]);
    logits("[]", &["has no rows"]);
    logits("[[]]", &["has no ids"]);
    logits("[[1, -2]]", &["ids.json is not a list of rows of token ids", "hint: "]);
    logits("hello", &["ids.json is not a list of rows of token ids"]);
    logits("[[1, 272]]", &["row 0", "272"]);

    let ask = ["generate", "--model", &llama, "--prompt", "abc"];
    let with = |more: &[&'static str], want: &[&str]| fails(&[&ask[..], more].concat(), want);
    with(&["--top-p", "0.5"], &["temperature 0", "hint: add --temperature 1"]);
    with(&["--temperature=-1"], &["temperature is -1", "not below 0"]);
    with(&["--temperature", "1", "--top-p", "7"], &["top_p is 7"]);
    with(&["--samples", "0"], &["--samples must be 1 or more"]);
    with(&["--stop", ""], &["error: "]);
    with(&["--adapter", "no/adapter"], &["no/adapter"]);
    fails(
        &["generate", "--model", &llama, "--prompt", ""],
        &["the prompt has no tokens", "hint: "],
    );
    let date = ["generate", "--model", &llama, "--chat", "x", "--as-of-date", "yesterday"];
    fails(&date, &["yesterday", "hint: --as-of-date is like"]);
    assert_eq!(run(&["generate", "--model", &llama]).code, 2);
}
