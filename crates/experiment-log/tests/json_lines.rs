//! `metrics.jsonl`: rows, torn lines, resumed runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};
use experiment_log::{ExperimentLog, JsonLines, LogError, RunStatus};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/metrics.jsonl");
    (folder, path)
}

fn log(path: &Path) -> ExperimentLog {
    ExperimentLog::new(vec![JsonLines::create(path).unwrap().into()])
}

#[test]
fn rows() {
    let (_folder, path) = file();
    let mut log = log(&path);
    log.log_hyperparameters(&[("lr", "0.003")]).unwrap();
    log.log(1, &[("loss", 6.0), ("z", 0.1 + 0.2), ("a", 1e-300)]).unwrap();
    log.log(u64::MAX, &[("loss", f64::NAN), ("b", f64::INFINITY), ("c", -0.0)]).unwrap();
    let row = json!({ "z": 1, "by_class": { "buy": 0.5 }, "note": "x\ny", "a": null });
    log.log_row(3, row.as_object().unwrap().clone()).unwrap();
    log.log_text(3, "sample", "buy – 買い").unwrap();
    log.log(4, &[]).unwrap();
    // All of it is there before the log ends.
    expect![[r#"
        {"step":1,"loss":6.0,"z":0.30000000000000004,"a":1e-300}
        {"step":18446744073709551615,"loss":null,"b":null,"c":-0.0}
        {"step":3,"z":1,"by_class":{"buy":0.5},"note":"x\ny","a":null}
        {"step":3,"sample":"buy – 買い"}
        {"step":4}
    "#]]
    .assert_eq(&fs::read_to_string(&path).unwrap());
    log.finish(RunStatus::Finished).unwrap();
}

#[test]
fn the_step_is_not_named_twice() {
    let (_folder, path) = file();
    let mut log = log(&path);
    assert!(matches!(log.log(1, &[("step", 2.0)]), Err(LogError::ReservedName)));
    assert!(matches!(log.log_text(1, "step", ""), Err(LogError::ReservedName)));
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn an_earlier_file_is_not_thrown_away() {
    let (_folder, path) = file();
    log(&path).log(1, &[("loss", 1.0)]).unwrap();
    let error = JsonLines::create(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create {}", path.display()));
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":1,\"loss\":1.0}\n");
}

/// What is left of a file, and then what another row makes of it.
fn check(text: &str, last_step: u64, want: &Expect) {
    let (_folder, path) = file();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let got = JsonLines::resume(&path, last_step)
        .and_then(|mut lines| lines.append(&json!({ "step": "next" })))
        .map(|()| fs::read_to_string(&path).unwrap());
    let got = got.unwrap_or_else(|error| {
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "nothing is changed");
        error.to_string().replace(path.to_str().unwrap(), "PATH")
    });
    want.assert_eq(&got);
    // Nothing else is left in the folder.
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn resumed() {
    let three = "{\"step\":1,\"x\":1.50}\n{\"step\":2}\n{\"step\":3}\n";
    check(
        "",
        5,
        &expect![[r#"
        {"step":"next"}
    "#]],
    );
    // Lines that stay do so byte by byte.
    check(
        three,
        3,
        &expect![[r#"
        {"step":1,"x":1.50}
        {"step":2}
        {"step":3}
        {"step":"next"}
    "#]],
    );
    check(
        three,
        2,
        &expect![[r#"
        {"step":1,"x":1.50}
        {"step":2}
        {"step":"next"}
    "#]],
    );
    check(
        three,
        0,
        &expect![[r#"
        {"step":"next"}
    "#]],
    );
    // Torn: without its end, whole but for the newline, with an end that is no JSON.
    for torn in ["{\"step\":4,\"lo", "{\"step\":2}", "{\"st\n", "\0\0\0"] {
        check(
            &format!("{three}{torn}"),
            9,
            &expect![[r#"
            {"step":1,"x":1.50}
            {"step":2}
            {"step":3}
            {"step":"next"}
        "#]],
        );
    }
    // Rows out of order, and several of one step.
    check(
        "{\"step\":5}\n{\"step\":1}\n{\"step\":1,\"a\":1}\n",
        1,
        &expect![[r#"
        {"step":1}
        {"step":1,"a":1}
        {"step":"next"}
    "#]],
    );
    check(
        "{\"step\":1}\nhello\n{\"step\":2}\n",
        9,
        &expect![[
            r#"PATH:2: expected value at line 1 column 1; a log with damage in its middle is not continued"#
        ]],
    );
    check(
        "{\"loss\":1}\n{\"step\":2}\n",
        9,
        &expect![[r#"PATH:1: no `step`; a log with damage in its middle is not continued"#]],
    );
}

#[test]
fn resumed_where_there_is_none() {
    let (_folder, path) = file();
    JsonLines::resume(&path, 7).unwrap().append(&json!({ "step": 8 })).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\"step\":8}\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a run was killed, what is kept is a beginning of what it wrote, and no row up to the
    /// saved step is lost if it was written whole.
    #[test]
    fn cut_anywhere(steps in 0_u64..20, share in 0.0_f64..=1.0, last_step in 0_u64..22) {
        let (_folder, path) = file();
        let mut lines = JsonLines::create(&path).unwrap();
        for step in 1..=steps {
            lines.append(&json!({ "step": step, "loss": 1.0 / step as f64 })).unwrap();
        }
        let whole = fs::read_to_string(&path).unwrap();
        let cut = (whole.len() as f64 * share) as usize;
        fs::write(&path, &whole[..cut]).unwrap();
        JsonLines::resume(&path, last_step).unwrap();
        let kept = fs::read_to_string(&path).unwrap();
        prop_assert!(whole.starts_with(&kept));
        let complete = whole[..cut].matches('\n').count() as u64;
        prop_assert_eq!(kept.lines().count() as u64, complete.min(last_step));
    }

    #[test]
    fn numbers_come_back(value in any::<f64>()) {
        let (_folder, path) = file();
        log(&path).log(1, &[("x", value)]).unwrap();
        let row: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let got = row["x"].as_f64();
        let want = value.is_finite().then_some(value);
        prop_assert_eq!(got.map(f64::to_bits), want.map(f64::to_bits));
    }
}
