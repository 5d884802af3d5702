//! The pipeline, with a small script in the place of each stage.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const STAGES: [&str; 7] = [
    "ingest",
    "build-dataset",
    "tokenize-shards",
    "fetch-prices",
    "train-sft",
    "evaluate-sft",
    "trading-backtest",
];

/// Data, programs and a run's folder, all in one scratch folder.
struct World(TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().expect("a folder"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pipeline/stage.sh");
        for stage in STAGES {
            let program = world.path("bin").join(stage);
            fs::create_dir_all(world.path("bin")).expect("a folder");
            fs::copy(&script, &program).expect("copied");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        }
        world.write("theses/a.xml", "<a/>");
        world.write("prices/BBB.csv", "date,close\n");
        world.write("prices/AAA.csv", "date,close\n");
        world.write("model/config.json", "{}");
        world.write("sft.yaml", "epochs: 1\n");
        world.write("profile.yaml", &world.profile("flags: { seed: 3, merge: true }"));
        world
    }

    fn profile(&self, train: &str) -> String {
        let at = |name: &str| self.path(name).display().to_string();
        format!(
            "description: a try\n\
             inputs: {{ theses: '{}', prices: '{}', base_model: '{}' }}\n\
             stages:\n  train-sft:\n    config: '{}'\n    {train}\n\
             fast:\n  train-sft:\n    flags: {{ merge: false, max-steps: 2 }}\n",
            at("theses"),
            at("prices"),
            at("model"),
            at("sft.yaml")
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("pipeline").arg("--profile").arg(self.path("profile.yaml"));
        command.arg("--bin-dir").arg(self.path("bin")).arg("--out").arg(self.path("run"));
        command.args(flags).env("JOURNAL", self.path("journal"));
        // What the machine's own environment says is no part of the test.
        for name in ["BASE_MODEL", "MAX_LENGTH", "TRAIN_START_DATE", "TRAIN_END_DATE"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, flags: &[&str]) -> Output {
        self.command(flags).output().expect("started")
    }

    /// Runs to a good end; what it wrote to standard error.
    fn runs(&self, flags: &[&str]) -> String {
        let output = self.run(flags);
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    }

    /// The stages that ran since the last look.
    fn journal(&self) -> String {
        let path = self.path("journal");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.trim().replace('\n', ", ")
    }

    /// What the stages wrote, file by file, but for stamps, checkpoints and the page's seconds.
    fn results(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path("run"), "", &mut files);
        files
    }

    /// Starts it with a stage that waits; returns when it does and the lock says so.
    fn waiting_in(
        &self,
        stage: &str,
        flags: &[&str],
    ) -> (Child, BufReader<std::process::ChildStderr>) {
        let gate = self.path("gate");
        if !gate.exists() {
            let made = Command::new("mkfifo").arg(&gate).status().expect("mkfifo");
            assert!(made.success());
        }
        let mut command = self.command(flags);
        command.env("HANG", stage).env("GATE", gate).stderr(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("started");
        let mut lines = BufReader::new(child.stderr.take().expect("piped"));
        read_until(&mut lines, "is waiting");
        // The stage has begun before its pipeline notes who it is.
        while !self.holder().starts_with(stage) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        (child, lines)
    }

    /// Who works in the run's folder.
    fn holder(&self) -> String {
        fs::read_to_string(self.path("run/pipeline/lock")).expect("a lock")
    }

    /// Lets a waiting stage go on.
    fn open_gate(&self) {
        fs::write(self.path("gate"), "").expect("a reader");
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let left_out = ["pipeline", "checkpoint-1", "timings.json", "index.html"];
        let path = format!("{prefix}{name}");
        if left_out.contains(&name.as_str()) {
        } else if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).expect("read"));
        }
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read_until(lines: &mut impl BufRead, what: &str) {
    let mut line = String::new();
    while !line.contains(what) {
        line.clear();
        assert!(lines.read_line(&mut line).expect("text") > 0, "{what} never came");
    }
}

#[test]
fn stages_run_in_order_and_once() {
    let world = World::new();
    let text = world.runs(&[]);
    assert_eq!(world.journal(), STAGES.join(", "));
    assert!(text.contains("stage 5 of 7  train-sft"), "{text}");
    assert!(text.contains("--tickers AAA,BBB --source csv --input"), "{text}");
    assert!(text.contains("/run/sft --config") && text.contains("--merge --seed 3\n"), "{text}");
    assert!(world.path("run/index.html").is_file());
    assert!(world.path("run/summary.json").is_file());
    let before = world.results();
    let text = world.runs(&[]);
    assert_eq!(world.journal(), "");
    assert_eq!(text.matches("unchanged").count(), 7, "{text}");
    assert_eq!(world.results(), before);
}

#[test]
fn printed_commands_do_the_same_by_hand() {
    let world = World::new();
    let text = world.runs(&[]);
    let before = world.results();
    let commands = text.lines().filter_map(|line| line.strip_prefix("$ "));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 7);
    fs::remove_dir_all(world.path("run/sft")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", commands[4]]).env("JOURNAL", world.path("journal"));
    assert!(shell.status().unwrap().success());
    assert_eq!(world.results(), before);
}

#[test]
fn what_has_changed_decides_what_runs() {
    let world = World::new();
    world.runs(&[]);
    world.journal();
    let check = |change: &dyn Fn(), want: &str| {
        change();
        world.runs(&[]);
        assert_eq!(world.journal(), want);
        world.runs(&[]);
        assert_eq!(world.journal(), "", "after {want}");
    };
    let all = STAGES.join(", ");
    let learns = "train-sft, evaluate-sft, trading-backtest";
    // The same text again: another time, and the same digest.
    check(&|| world.write("theses/a.xml", "<a/>"), "");
    check(
        &|| world.write("theses/a.xml", "<b/>"),
        "ingest, build-dataset, tokenize-shards, train-sft, evaluate-sft, trading-backtest",
    );
    check(
        &|| world.write("theses/new.xml", "<c/>"),
        "ingest, build-dataset, tokenize-shards, train-sft, evaluate-sft, trading-backtest",
    );
    check(
        &|| world.write("prices/AAA.csv", "date\n"),
        "fetch-prices, evaluate-sft, trading-backtest",
    );
    check(&|| world.write("sft.yaml", "epochs: 2\n"), learns);
    check(&|| world.write("profile.yaml", &world.profile("flags: { seed: 4 }")), learns);
    check(&|| world.write("model/config.json", "{ }"), &format!("tokenize-shards, {learns}"));
    // Another program with the same results: those who read them have nothing new.
    let program = world.path("bin/ingest");
    let longer = fs::read_to_string(&program).unwrap() + "# longer\n";
    check(&|| fs::write(&program, &longer).unwrap(), "ingest");
    // What is deleted or edited is made again.
    check(&|| fs::remove_file(world.path("run/shards/data")).unwrap(), "tokenize-shards");
    check(&|| fs::write(world.path("run/dataset/data"), "edited").unwrap(), "build-dataset");
    check(&|| fs::remove_dir_all(world.path("run/eval")).unwrap(), "evaluate-sft");
    check(
        &|| fs::write(world.path("run/sft/another"), "mine").unwrap(),
        "evaluate-sft, trading-backtest",
    );
    // Without stamps nothing is known.
    check(&|| fs::remove_file(world.path("run/pipeline/ingest.json")).unwrap(), "ingest");
    check(&|| fs::write(world.path("run/pipeline/ingest.json"), "{").unwrap(), "ingest");
    let reset = || {
        for stage in STAGES {
            fs::remove_file(world.path("run/pipeline").join(format!("{stage}.json"))).unwrap();
        }
    };
    check(&reset, &all);
}

#[test]
fn the_environment_of_a_stage_counts() {
    let world = World::new();
    world.runs(&[]);
    world.journal();
    let check = |name: &str, value: &str, want: &str| {
        let output = world.command(&[]).env(name, value).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(world.journal(), want, "{name}");
        // Values may be secrets.
        for file in fs::read_dir(world.path("run/pipeline")).unwrap() {
            let text = fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains("sesame"), "{text}");
        }
        stderr(&output)
    };
    let text = check("THESISFORGE_INGEST_STRICT", "sesame", "ingest");
    assert!(text.contains("the environment's THESISFORGE_INGEST_STRICT is new"), "{text}");
    let text = check("THESISFORGE_INGEST_STRICT", "sesame-2", "ingest");
    assert!(text.contains("THESISFORGE_INGEST_STRICT has changed"), "{text}");
    check("THESISFORGE_INGESTION", "sesame", "ingest");
    check("THESISFORGE_OTHER", "sesame", "");
    check("TRAIN_END_DATE", "sesame", "build-dataset");
    check("EODHD_API_KEY", "sesame", "build-dataset, fetch-prices");
    check("EODHD_API_KEY", "sesame-2", "");
}

#[test]
fn data_and_model_of_ones_own() {
    let world = World::new();
    world.write("data/theses/a.xml", "<a/>");
    world.write("other-model/config.json", "{}");
    let data = world.path("data").display().to_string();
    let commands = |environment: &[(&str, &str)], flags: &[&str]| -> Vec<String> {
        let mut command = world.command(&["--data", &data, "--dry-run"]);
        let output = command.args(flags).envs(environment.iter().copied()).output().unwrap();
        let text = stderr(&output);
        assert!(output.status.success(), "{text}");
        text.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
    };
    // Without a folder of prices they come from the web.
    let lines = commands(&[], &[]);
    assert!(lines[0].contains("/data/theses --out"), "{}", lines[0]);
    assert!(lines[3].ends_with("/run/prices") && !lines[3].contains("--input"), "{}", lines[3]);
    world.write("data/prices/CCC.parquet", "PAR1");
    let lines = commands(&[("BASE_MODEL", "models/mine.gguf")], &["--fast"]);
    let want = "--tickers CCC --source parquet --input ";
    assert!(lines[3].contains(want), "{}", lines[3]);
    for (line, flag) in [(&lines[2], "--tokenizer"), (&lines[4], "--base-model")] {
        assert!(line.contains(&format!("{flag} models/mine.gguf ")), "{line}");
    }
    // What --fast says wins.
    assert!(lines[4].ends_with("--max-steps 2 --seed 3"), "{}", lines[4]);
    let missing = world.run(&["--data", "no/such/folder"]);
    assert!(stderr(&missing).contains("no/such/folder/theses is no folder"));
}

#[test]
fn a_stage_and_those_after_it() {
    let world = World::new();
    let refused = world.run(&["--from", "train-sft"]);
    let text = stderr(&refused);
    assert!(!refused.status.success());
    assert!(text.contains("build-dataset is not finished"), "{text}");
    assert!(text.contains("leave --from"), "{text}");
    // It reads nothing of the stages before it.
    world.runs(&["--only", "fetch-prices"]);
    assert_eq!(world.journal(), "fetch-prices");
    world.runs(&[]);
    world.journal();
    world.runs(&["--from", "evaluate-sft"]);
    assert_eq!(world.journal(), "evaluate-sft, trading-backtest");
    world.runs(&["--only", "train-sft"]);
    assert_eq!(world.journal(), "train-sft");
    // An earlier stage is taken as it is, and that is said.
    world.write("theses/a.xml", "<b/>");
    let text = world.runs(&["--only", "build-dataset"]);
    assert_eq!(world.journal(), "build-dataset");
    assert!(text.contains("ingest: taken as it is, and out of date"), "{text}");
    let dry = world.runs(&["--dry-run"]);
    assert_eq!(world.journal(), "");
    assert!(dry.contains("ingest: would run (") && dry.contains("a.xml has changed"), "{dry}");
    assert!(dry.contains("build-dataset: would run if ingest changes what it reads"), "{dry}");
}

#[test]
fn a_failure_is_passed_on_and_gone_on_from() {
    let world = World::new();
    let output = world.command(&[]).env("FAIL", "tokenize-shards").output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert_eq!(world.journal(), "ingest, build-dataset, tokenize-shards");
    assert!(text.contains("error: no luck"), "{text}");
    assert!(
        text.contains("tokenize-shards: failed after") && text.contains("exit code 3"),
        "{text}"
    );
    let again = text.lines().find_map(|line| line.strip_prefix("to go on: ")).unwrap();
    let want = world.path("profile.yaml");
    let want = format!("cargo xtask pipeline --profile {} --out ", want.display());
    assert!(again.starts_with(&want), "{again}");
    assert!(
        text.contains("by hand: ") && text.contains("bin/tokenize-shards --dataset-dir"),
        "{text}"
    );
    world.runs(&[]);
    // It begins anew: what the failed one left is gone.
    assert_eq!(
        world.journal(),
        "tokenize-shards, fetch-prices, train-sft, evaluate-sft, trading-backtest"
    );
}

/// How a pipeline comes to an end before its time.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mishap {
    /// Ctrl-C, or a request to end: the stage is asked, too.
    Asked(Signal),
    /// The pipeline is gone at once; its stage goes on.
    PipelineKilled,
    /// The stage is gone at once.
    StageKilled,
}

#[test]
fn what_was_disturbed_comes_to_the_same() {
    let mishaps = [
        Mishap::Asked(Signal::INT),
        Mishap::Asked(Signal::TERM),
        Mishap::PipelineKilled,
        Mishap::StageKilled,
    ];
    for (stage, resumed) in [("fetch-prices", ""), ("train-sft", " resumed")] {
        for mishap in mishaps {
            let world = World::new();
            disturb(&world, stage, mishap);
            let journal = world.journal();
            assert!(journal.starts_with(&format!("{stage}{resumed}, ")), "{mishap:?}: {journal}");
            let disturbed = world.results();
            fs::remove_dir_all(world.path("run")).unwrap();
            world.runs(&[]);
            assert_eq!(world.journal(), STAGES.join(", "));
            assert_eq!(world.results(), disturbed, "{stage} {mishap:?}");
        }
    }
}

/// A run to which this happens in this stage, and the one after it, whose journal is left.
fn disturb(world: &World, stage: &str, mishap: Mishap) {
    let (mut child, mut lines) = world.waiting_in(stage, &[]);
    match mishap {
        Mishap::Asked(kind) => {
            kill_process(Pid::from_child(&child), kind).expect("a process");
            assert_eq!(child.wait().expect("a child").code(), Some(7));
            read_until(&mut lines, "interrupted after");
            read_until(&mut lines, "to go on: ");
            assert!(world.journal().ends_with(&format!("{stage} was asked")));
            world.runs(&[]);
        }
        Mishap::PipelineKilled => {
            child.kill().expect("a process");
            child.wait().expect("a child");
            world.journal();
            // The stage outlives its pipeline, and the next one waits for it.
            let mut again = world.command(&[]);
            let again = again.stderr(Stdio::piped()).stdout(Stdio::null());
            let mut again = again.spawn().expect("started");
            let mut lines = BufReader::new(again.stderr.take().expect("piped"));
            read_until(&mut lines, &format!("is in use by {stage}, process"));
            world.open_gate();
            read_until(&mut lines, "the report of it all");
            assert!(again.wait().expect("a child").success());
        }
        Mishap::StageKilled => {
            let process = world.holder();
            let process = process.trim().rsplit(' ').next().and_then(|id| id.parse().ok());
            let process = process.and_then(Pid::from_raw).expect("a process");
            kill_process(process, Signal::KILL).expect("a process");
            assert_eq!(child.wait().expect("a child").code(), Some(128 + 9));
            read_until(&mut lines, "failed after");
            // What the stage itself had started goes on alone.
            world.open_gate();
            world.journal();
            world.runs(&[]);
        }
    }
}

#[test]
fn other_settings_do_not_go_on_with_what_the_last_ones_left() {
    let world = World::new();
    let (mut child, _lines) = world.waiting_in("train-sft", &[]);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    child.wait().unwrap();
    world.journal();
    world.write("sft.yaml", "epochs: 2\n");
    world.runs(&[]);
    assert_eq!(world.journal(), "train-sft, evaluate-sft, trading-backtest");
}

#[test]
fn what_is_wrong_is_said_before_anything_runs() {
    let world = World::new();
    let good = world.profile("flags: {}");
    let refused = |profile: &str, flags: &[&str], words: &[&str]| {
        world.write("profile.yaml", profile);
        let output = world.run(flags);
        let text = stderr(&output);
        assert!(!output.status.success());
        assert!(words.iter().all(|word| text.contains(word)), "{words:?} in {text}");
        assert_eq!(world.journal(), "");
    };
    let replaced = |from: &str, to: &str| good.replace(from, to);
    refused(&replaced("theses:", "thesis:"), &[], &["profile.yaml", "`thesis`", "mean `theses`?"]);
    refused(&replaced("train-sft", "trian-sft"), &[], &["`trian-sft`", "mean `train-sft`?"]);
    refused(&replaced("config:", "konfig:"), &[], &["`konfig`", "mean `config`?"]);
    refused(&replaced("flags: {}", "flags: { out: x }"), &[], &["stages.train-sft.flags.out"]);
    refused(&replaced("flags: {}", "flags: 3"), &[], &["profile.yaml", "flags"]);
    refused("inputs: {}\n", &[], &["profile.yaml", "description"]);
    refused("description: d\n", &[], &["--data DIR", "DIR/theses/*.xml"]);
    refused(&replaced("/theses'", "/nothing'"), &[], &["nothing is no folder"]);
    refused(&replaced("/sft.yaml'", "/no.yaml'"), &["--dry-run", "--bogus"], &["--bogus"]);
    refused(&good, &["--from", "trian-sft"], &["'trian-sft'", "'train-sft'"]);
    let unknown = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["pipeline", "--profile", "no-such"])
        .output()
        .unwrap();
    let text = stderr(&unknown);
    assert!(text.contains("no-such.yaml") && text.contains("quickstart, smollm2"), "{text}");
    world.write("run/mine.txt", "mine");
    world.write("run/pipeline/mine.txt", "mine");
    refused(&good, &[], &["holds something that is no run of the pipeline"]);
    assert_eq!(fs::read_to_string(world.path("run/mine.txt")).unwrap(), "mine");
}
