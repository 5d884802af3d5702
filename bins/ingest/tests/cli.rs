//! The binary as a person uses it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn ingest(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest"));
    command.args(args).output().expect("the binary runs")
}

fn text(path: &Path) -> String {
    path.to_str().expect("a UTF-8 path").to_owned()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the file is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn fixtures_to_records_and_rejects() {
    let dir = tempfile::tempdir().unwrap();
    let (out, report) = (dir.path().join("all.jsonl"), dir.path().join("report.json"));
    let theses = text(&fixtures().join("theses"));
    let run = ingest(&[
        "--input-dir",
        &theses,
        "--out",
        &text(&out),
        "--as-of",
        "2024-01-01",
        "--report",
        &text(&report),
    ]);
    assert!(run.status.success(), "{}", stderr(&run));

    let records = lines(&out);
    assert_eq!(records.len(), 60 + 5 + 1 + 1);
    let find =
        |uid: &str| records.iter().find(|r| r["uid"] == uid).unwrap_or_else(|| panic!("no {uid}"));
    let dirty = find("TSLA|2023-10-24|0");
    assert_eq!(
        dirty["indicators"].to_string(),
        r#"{"RSI(14)":null,"SMA(20)":243.1,"MACD":null,"ATR(14)":null,"P/E":null,"Market cap":1234567.5}"#
    );
    assert_eq!(
        dirty["output"],
        "<reasoning>Price is <below> its average & falling.</reasoning>\
         <support>Below SMA(20) | Volume is thin</support><action>STRONG_SELL</action>"
    );
    assert_eq!(dirty["metadata"]["file"], "sub/dirty.xml");
    assert_eq!(dirty["metadata"]["line"], 4);
    assert_eq!(find("BRK.B|2023-10-25|0")["action"], "BUY");
    assert_eq!(
        find("TSLA|2023-10-26|1")["output"].as_str().unwrap().matches("Flat, again").count(),
        1
    );
    assert_eq!(find("SAP|2023-10-24|0")["metadata"]["generated_by"], "Büro");

    let rejects = lines(&dir.path().join("all.rejects.jsonl"));
    let reasons: Vec<_> = rejects.iter().map(|r| r["reason"].as_str().unwrap()).collect();
    let want = [
        "bad_date",
        "bad_date",
        "future_date",
        "no_date",
        "unknown_action",
        "empty_reasoning",
        "no_action",
        "malformed",
        "not_xml",
        "malformed",
    ];
    assert_eq!(reasons, want);
    assert!(rejects[4]["raw"].as_str().unwrap().contains("to the moon"));
    assert!(
        stderr(&run).contains("sub/dirty.xml:38:84: unknown action `to the moon`"),
        "{}",
        stderr(&run)
    );

    let report: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    assert_eq!(report["duplicates"], 1);
    assert_eq!(report["rejected"]["bad_date"], 2);
    assert_eq!(report["files"], 6);
    let manifest: Value =
        serde_json::from_slice(&fs::read(dir.path().join("all.manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["config"]["as_of"], "2024-01-01");
    assert_eq!(manifest["inputs"].as_array().unwrap().len(), 6);
    assert_eq!(manifest["outputs"][0]["path"], "all.jsonl");
    assert_eq!(fs::read_dir(dir.path().join("logs")).unwrap().count(), 2);
}

#[test]
fn the_same_bytes_whatever_the_thread_count() {
    let dir = tempfile::tempdir().unwrap();
    let theses = text(&fixtures().join("theses"));
    let bytes = |threads: &str| {
        let out = dir.path().join(format!("{threads}.jsonl"));
        let args = [
            "--input-dir",
            &theses,
            "--out",
            &text(&out),
            "--threads",
            threads,
            "--log-level",
            "off",
        ];
        assert!(ingest(&args).status.success());
        (fs::read(&out).unwrap(), fs::read(out.with_extension("rejects.jsonl")).unwrap())
    };
    let one = bytes("1");
    assert_eq!(one, bytes("2"));
    assert_eq!(one, bytes("7"));
}

#[test]
fn strict_writes_everything_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("all.jsonl");
    let theses = text(&fixtures().join("theses"));
    let run = ingest(&["--input-dir", &theses, "--out", &text(&out), "--strict"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("--strict allows none"), "{}", stderr(&run));
    assert!(!lines(&out).is_empty());
    let clean = text(&fixtures().join("theses/AAPL.xml"));
    assert!(ingest(&["--input-dir", &clean, "--out", &text(&out), "--strict"]).status.success());
    assert_eq!(lines(&out).len(), 30);
}

#[test]
fn a_huge_file_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in");
    fs::create_dir(&input).unwrap();
    fs::copy(fixtures().join("theses/AAPL.xml"), input.join("a.xml")).unwrap();
    File::create(input.join("huge.xml")).unwrap().set_len(1 << 30).unwrap();
    let out = dir.path().join("all.jsonl");
    let run = ingest(&["--input-dir", &text(&input), "--out", &text(&out)]);
    assert!(run.status.success(), "{}", stderr(&run));
    assert!(
        stderr(&run).contains("huge.xml:1:1: the file has 1.00 GiB, more than the 512.00 MiB"),
        "{}",
        stderr(&run)
    );
    assert_eq!(lines(&out).len(), 30);
}

#[test]
fn a_failed_run_leaves_the_earlier_output() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("all.jsonl");
    fs::write(&out, "earlier").unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for (input, message) in
        [(text(&empty), "no .xml file below"), (text(&dir.path().join("none")), "does not exist")]
    {
        let run = ingest(&["--input-dir", &input, "--out", &text(&out)]);
        assert_eq!(run.status.code(), Some(1));
        assert!(
            stderr(&run).contains(message) && stderr(&run).contains("hint: "),
            "{}",
            stderr(&run)
        );
    }
    assert_eq!(fs::read_to_string(&out).unwrap(), "earlier");
}

#[test]
fn settings_come_in_layers_and_faults_name_their_key() {
    let dir = tempfile::tempdir().unwrap();
    let (out, config) = (dir.path().join("all.jsonl"), dir.path().join("ingest.yaml"));
    let clean = text(&fixtures().join("theses/AAPL.xml"));
    let run = |yaml: &str| {
        fs::write(&config, yaml).unwrap();
        ingest(&["--config", &text(&config), "--input-dir", &clean, "--out", &text(&out)])
    };
    assert!(run("instruction: Go {ticker}\ninput: '{as_of_date}'").status.success());
    let record = &lines(&out)[0];
    assert_eq!(
        (record["instruction"].as_str(), record["input"].as_str()),
        (Some("Go AAPL"), Some("2021-01-04"))
    );
    for (yaml, message) in [
        ("instructions: x", "no setting `instructions`; did you mean `instruction`?"),
        ("max_file_mib: many", "max_file_mib"),
        ("input: '{ticker'", "record template `input`, line 1"),
        ("input: '{action}'", "unknown placeholder `{action}`"),
        ("news: {bars: 20, horizons: 5}", "horizons"),
    ] {
        let output = run(yaml);
        assert_eq!(output.status.code(), Some(1), "{yaml}");
        assert!(stderr(&output).contains(message), "{yaml}: {}", stderr(&output));
    }
}

#[test]
fn the_documented_configuration_is_the_default() {
    let dir = tempfile::tempdir().unwrap();
    let clean = text(&fixtures().join("theses/AAPL.xml"));
    let config = text(&fixtures().join("../configs/ingest.yaml"));
    let run = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let mut args =
            vec!["--input-dir", &clean, "--out", out.to_str().unwrap(), "--as-of", "2024-01-01"];
        args.extend(more);
        assert!(ingest(&args).status.success());
        let manifest = fs::read(out.with_extension("manifest.json")).unwrap();
        serde_json::from_slice::<Value>(&manifest).unwrap()["config"].clone()
    };
    assert_eq!(run("plain.jsonl", &[]), run("file.jsonl", &["--config", &config]));
}

#[test]
fn news_and_prices_to_records() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("all.jsonl");
    let (news, prices) = (text(&fixtures().join("news")), text(&fixtures().join("prices")));
    let run = ingest(&[
        "--kind",
        "news",
        "--input-dir",
        &news,
        "--prices",
        &prices,
        "--out",
        &text(&out),
    ]);
    assert!(run.status.success(), "{}", stderr(&run));
    let records = lines(&out);
    let input = |uid: &str| records.iter().find(|r| r["uid"] == uid).unwrap()["input"].to_string();
    let late = "Published one second after the close";
    assert!(!input("AAPL|2022-11-14|0").contains(late));
    assert!(input("AAPL|2022-11-15|0").contains(late));
    let missing = ingest(&["--kind", "news", "--input-dir", &news, "--out", &text(&out)]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("--prices"), "{}", stderr(&missing));
}
