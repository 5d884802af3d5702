//! Event files. The bytes here are golden: `EventAccumulator` of TensorBoard 2.21.0 read from them
//! the scalars and texts that went in, and of the resumed run step 4 once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::time::{Duration, SystemTime};

use expect_test::{Expect, expect};
use experiment_log::{ExperimentLog, RunStatus, TensorBoard};

fn time(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

fn check(sink: &TensorBoard, want: &Expect) {
    let bytes = fs::read(sink.path()).unwrap();
    let lines: Vec<String> = bytes
        .chunks(24)
        .map(|chunk| chunk.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    want.assert_eq(&lines.join("\n"));
}

#[test]
fn scalars_and_texts() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = TensorBoard::create(folder.path(), time(1_600_000_000.0)).unwrap();
    sink.log_hyperparameters(time(1_600_000_000.5), &[("lr", "0.003"), ("a|b", "x\ny")]).unwrap();
    sink.log(time(1_600_000_001.5), 1, &[("loss", 6.25), ("learning rate", 0.003)]).unwrap();
    sink.log_text(time(1_600_000_002.0), 1, "sample", "buy – 買い").unwrap();
    sink.log(time(1_600_000_003.0), 1 << 40, &[("loss", f64::NAN), ("x", f64::NEG_INFINITY)])
        .unwrap();
    sink.sync().unwrap();
    check(
        &sink,
        &expect![[r#"
        1800000000000000a37f4b22090000000084d7d7411a0d62
        7261696e2e4576656e743a32253c71d06e00000000000000
        c4bf3364090000200084d7d7412a630a610a0f6879706572
        706172616d65746572734242080712041202080142387c20
        6e616d65207c2076616c7565207c0a7c2d2d2d7c2d2d2d7c
        0a7c206c72207c20302e303033207c0a7c20615c7c62207c
        20782079207c4a0a0a060a04746578742002742ccda23000
        00000000000095f5d05f090000600084d7d74110012a230a
        0b0a046c6f7373150000c8400a140a0d6c6561726e696e67
        207261746515a69b443b0c05a1b83d000000000000006049
        f1ec090000800084d7d74110012a300a2e0a0673616d706c
        6542180807120412020801420e62757920e2809320e8b2b7
        e381844a0a0a060a04746578742002686919802900000000
        00000037ff5f00090000c00084d7d741108080808080202a
        170a0b0a046c6f7373150000c07f0a080a017815000080ff
        a41c7982"#]],
    );
}

#[test]
fn resumed() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = TensorBoard::create(folder.path(), time(1_600_000_000.0)).unwrap();
    for step in 1..6 {
        first.log(time(1_600_000_000.0 + step as f64), step, &[("loss", step as f64)]).unwrap();
    }
    let mut second = TensorBoard::resume(folder.path(), 3, time(1_600_000_100.0)).unwrap();
    second.log(time(1_600_000_101.0), 4, &[("loss", 40.0)]).unwrap();
    check(
        &second,
        &expect![[r#"
        1800000000000000a37f4b22090000001984d7d7411a0d62
        7261696e2e4576656e743a32129fa4370f00000000000000
        6d532b09090000001984d7d74110043a020801f47c2ab61a
        00000000000000129bd82d090000401984d7d74110042a0d
        0a0b0a046c6f737315000020427670221b"#]],
    );
}

#[test]
fn names() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    let first = TensorBoard::create(&deep, time(7.0)).unwrap();
    let second = TensorBoard::create(&deep, time(7.0)).unwrap();
    let name = |sink: &TensorBoard| sink.path().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name(&first).starts_with("events.out.tfevents.0000000007."), "{}", name(&first));
    let pid = std::process::id();
    assert!(name(&first).ends_with(&format!(".{pid}.0")), "{}", name(&first));
    assert!(name(&second).ends_with(&format!(".{pid}.1")), "{}", name(&second));
}

#[test]
fn a_folder_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = TensorBoard::create(&file, time(0.0)).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot create {}", file.display()));
    assert!(!error.is_remote());
}

#[test]
fn within_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let direct = TensorBoard::create(folder.path(), time(1.0)).map(|mut sink| {
        sink.log(time(5.0), 2, &[("loss", 0.5)]).unwrap();
        fs::read(sink.path()).unwrap()
    });
    let sink = TensorBoard::create(folder.path(), time(1.0)).unwrap();
    let path = sink.path().to_owned();
    let mut log = ExperimentLog::with_clock(vec![sink.into()], || time(5.0));
    log.log(2, &[("loss", 0.5)]).unwrap();
    log.finish(RunStatus::Finished).unwrap();
    assert_eq!(fs::read(path).unwrap(), direct.unwrap());
}
