//! Several processes under Open MPI's `mpirun` on this machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

/// A run of 18 steps of four rows, divided among so many processes, with everything on that is drawn at random.
fn settings(folder: &Path, processes: usize, more: &str) {
    let yaml = format!(
        "base_model: {}\nshards: {}\neval_split: train\neval_steps: 9\nmax_length: 40\nepochs: 1\n\
         accumulation: {}\nneftune_alpha: 5\nlora: {{ r: 4 }}\nsave_steps: 9\n{more}",
        fixture("models/llama").display(),
        fixture("sft/llama-dataset").display(),
        4 / processes,
    );
    fs::write(folder.join("sft.yaml"), yaml).expect("written");
}

fn train(folder: &Path, processes: usize, flags: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_train-sft");
    let mut command = match processes {
        1 => Command::new(program),
        _ => {
            // `mpirun` itself ends a run that takes too long.
            let count = processes.to_string();
            let mut command = Command::new("mpirun");
            command.args(["--oversubscribe", "--timeout", "300", "-n", &count, program]);
            command.env("OMPI_ALLOW_RUN_AS_ROOT", "1");
            command.env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
            command
        }
    };
    let command = command.current_dir(folder).args(["--config", "sft.yaml", "--threads", "1"]);
    command.args(flags).output().expect("Open MPI's mpirun: apt-get install openmpi-bin")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn figures(folder: &Path) -> Vec<(String, f64)> {
    let text = fs::read_to_string(folder.join("sft/metrics.jsonl")).expect("metrics");
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let keys = ["loss", "grad_norm", "learning_rate", "tokens", "eval_loss", "eval_examples"];
    let figure =
        |row: &Value, key: &str| Some((format!("{key} of {}", row["step"]), row[key].as_f64()?));
    rows.flat_map(|row| keys.map(|key| figure(&row, key))).flatten().collect()
}

#[test]
fn processes_change_no_loss() {
    let single = tempfile::tempdir().unwrap();
    settings(single.path(), 1, "");
    let run = train(single.path(), 1, &[]);
    assert!(run.status.success(), "{}", stderr(&run));
    let wanted = figures(single.path());
    assert_eq!(wanted.len(), 18 * 4 + 2 * 2);
    for processes in [2, 4] {
        let folder = tempfile::tempdir().unwrap();
        settings(folder.path(), processes, "");
        let run = train(folder.path(), processes, &[]);
        assert!(run.status.success(), "{}", stderr(&run));
        let got = figures(folder.path());
        assert_eq!(got.len(), wanted.len());
        for ((name, got), (_, wanted)) in got.iter().zip(&wanted) {
            assert!((got - wanted).abs() <= 1e-5 * wanted.abs(), "{name}: {got} {wanted}");
        }
        let once = String::from_utf8_lossy(&run.stdout).matches("written to sft/adapter").count();
        assert_eq!(once, 1, "one process writes");

        // A run of another size does not go on with its checkpoints.
        fs::remove_dir_all(folder.path().join("sft/checkpoint-18")).unwrap();
        settings(folder.path(), 1, "");
        let other = train(folder.path(), 1, &[]);
        assert_eq!(other.status.code(), Some(1));
        let words = format!("is of a run with {processes} processes, and this one has 1");
        assert!(stderr(&other).contains(&words), "{}", stderr(&other));
    }
}

#[test]
fn faults_are_said_once() {
    let folder = tempfile::tempdir().unwrap();
    settings(folder.path(), 2, "learning_rate: -1\n");
    let run = train(folder.path(), 2, &[]);
    assert!(!run.status.success());
    assert_eq!(stderr(&run).matches("learning_rate: is -1").count(), 1, "{}", stderr(&run));
    assert!(!folder.path().join("sft").exists());
}

/// The process of a rank, among the children of `mpirun`: by its environment.
fn process_of(rank: &str, launcher: u32) -> u32 {
    let children = format!("/proc/{launcher}/task/{launcher}/children");
    let children = fs::read_to_string(children).expect("the launcher's processes");
    let is_rank = |process: &&str| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let process = children.split_whitespace().find(is_rank);
    process.and_then(|process| process.parse().ok()).expect("a process of that rank")
}

#[test]
fn a_lost_process_ends_the_run_with_the_checkpoint_to_go_on_from() {
    // Without recovery `mpirun` ends the others itself, a second later.
    let rest = said_after_a_kill(&["--mca", "orte_enable_recovery", "1"]);
    let has = |words: &str| rest.iter().any(|line| line.contains(words));
    assert!(has("error: another process of the run is lost"), "{rest:#?}");
    assert!(has("hint: go on with --resume sft/checkpoint-"), "{rest:#?}");
}

#[test]
fn a_launcher_that_ends_the_run_leaves_time_to_name_the_checkpoint() {
    let rest = said_after_a_kill(&[]);
    let has = |words: &str| rest.iter().any(|line| line.contains(words));
    assert!(has("process 0 is asked to end"), "{rest:#?}");
    assert!(has("go on with --resume sft/checkpoint-"), "{rest:#?}");
}

/// What a run of two says after its second process was killed.
fn said_after_a_kill(of_launcher: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    settings(folder.path(), 2, "logging: { log_steps: 1 }\n");
    let mut launcher = Command::new("mpirun")
        .args(["--oversubscribe", "--timeout", "300"])
        .args(of_launcher)
        .args(["-n", "2", env!("CARGO_BIN_EXE_train-sft"), "--config", "sft.yaml"])
        .args(["--threads", "1", "--epochs", "100000"])
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mpirun");
    let stderr = BufReader::new(launcher.stderr.take().expect("piped"));
    let mut lines = stderr.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("saved sft/checkpoint-9")), "it trains");
    let lost = process_of("1", launcher.id()).to_string();
    let kill = Command::new("kill").args(["-KILL", &lost]).status().expect("kill");
    assert!(kill.success());
    let rest: Vec<String> = lines.collect();
    // With recovery the launcher's own status says nothing.
    launcher.wait().expect("mpirun");
    rest
}
