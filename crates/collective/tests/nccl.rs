//! Sums between GPUs; where there are none, an error that says so.

use std::process::Command;

#[test]
fn sums_or_a_clear_error() {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/all_reduce");
    let output = Command::new("mpirun")
        .args(["--oversubscribe", "--timeout", "60", "-n", "2"])
        .arg(example)
        .arg("gpu")
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let everything = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!everything.contains("panicked"), "{everything}");
    if output.status.success() {
        assert_eq!(stdout.matches("sums over 2 ranks").count(), 2, "{everything}");
        return;
    }
    // The launcher ends the run with the first rank that fails.
    let clear = [
        "start: the CUDA driver (libcuda.so) cannot be loaded",
        "start: NCCL (libnccl.so",
        "GPU 0: ",
        "GPU 1: ",
    ];
    assert!(clear.iter().any(|error| stdout.contains(error)), "{everything}");
}
