//! The operations between ranks, over Open MPI's `mpirun` on this machine; the program is `examples/all_reduce.rs`.

use std::path::PathBuf;
use std::process::Command;

/// The peer that is lost is the same in all scenarios.
const VICTIM: &str = "lost rank 1";

struct Outcome {
    success: bool,
    /// What the ranks printed, by rank; those that were ended before have nothing.
    said: Vec<Option<String>>,
    everything: String,
}

/// `mpirun` itself ends a run that takes longer than a minute, with a status that is no success.
fn mpirun(ranks: usize, options: &[&str], program: &[&str]) -> Outcome {
    let output = Command::new("mpirun")
        .args(["--oversubscribe", "--timeout", "60", "-n", &ranks.to_string()])
        .args(options)
        .arg(example())
        .args(program)
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .output()
        .expect("the feature `mpi` needs Open MPI's mpirun: apt-get install openmpi-bin");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = (0..ranks)
        .map(|rank| {
            let prefix = format!("rank {rank}: ");
            stdout.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
        })
        .collect();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let everything = format!("{ranks} ranks, {options:?} {program:?}:\n{stdout}\n{stderr}");
    Outcome { success: output.status.success(), said, everything }
}

/// `cargo test` builds examples beside the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("a path of this program");
    let build = test.parent().and_then(|deps| deps.parent()).expect("a folder of builds");
    let example = build.join("examples/all_reduce");
    assert!(example.is_file(), "no {}: run all tests of the crate at once", example.display());
    example
}

#[test]
fn sums_are_the_same_on_all_ranks_and_in_every_run() {
    for ranks in [2, 3, 4] {
        for length in ["0", "1", "3", "100000"] {
            let mut first: Option<String> = None;
            for transport in [&[][..], &["--mca", "btl", "self,tcp"]] {
                let length = format!("length={length}");
                let outcome = mpirun(ranks, transport, &["sums", &length]);
                assert!(outcome.success, "{}", outcome.everything);
                for said in &outcome.said {
                    let said = said.as_ref().expect("a line of each rank");
                    assert!(said.starts_with(&format!("sums over {ranks} ranks: ")), "{said}");
                    assert_eq!(first.get_or_insert(said.clone()), said, "{}", outcome.everything);
                }
            }
        }
    }
}

/// More than one chunk of values, whose length the number of ranks does not divide.
#[test]
fn long_gradients() {
    let outcome = mpirun(3, &[], &["sums", "length=4200001"]);
    assert!(outcome.success, "{}", outcome.everything);
}

#[test]
fn one_process_of_a_launcher_is_alone() {
    let outcome = mpirun(1, &[], &["sums"]);
    assert!(outcome.success, "{}", outcome.everything);
}

/// Without help of the launcher: it is told to let the others live.
#[test]
fn survivors_learn_of_a_lost_peer() {
    let recovery = ["--mca", "orte_enable_recovery", "1"];
    let tcp = ["--mca", "orte_enable_recovery", "1", "--mca", "btl", "self,tcp"];
    for (ranks, options, scenario) in [
        (2, &recovery[..], "kill"),
        (4, &recovery, "kill"),
        (3, &tcp, "kill"),
        (3, &recovery, "leave"),
    ] {
        let outcome = mpirun(ranks, options, &[scenario, "silence=3"]);
        for (rank, said) in outcome.said.iter().enumerate() {
            if rank == 1 {
                assert!(said.is_none(), "{}", outcome.everything);
                continue;
            }
            let said = said.as_deref().unwrap_or_default();
            assert!(said.contains("lost=true") && said.contains(VICTIM), "{}", outcome.everything);
        }
    }
}

/// As launchers are by default: they end the other ranks.
#[test]
fn a_lost_peer_ends_the_run() {
    for ranks in [2, 4] {
        // With the silence of a minute it is the launcher that ends the run.
        let outcome = mpirun(ranks, &[], &["kill", "silence=60"]);
        assert!(!outcome.success, "{}", outcome.everything);
        assert!(!outcome.everything.contains("mpirun --timeout"), "{}", outcome.everything);
    }
}

#[test]
fn a_peer_that_stands_still_is_lost() {
    let outcome = mpirun(2, &[], &["pause", "silence=3", "abort=1"]);
    assert!(!outcome.success, "{}", outcome.everything);
    let said = outcome.said[0].as_deref().unwrap_or_default();
    assert!(said.contains("lost=true") && said.contains(VICTIM), "{}", outcome.everything);
}

#[test]
fn a_peer_that_computes_is_waited_for() {
    let outcome = mpirun(3, &[], &["compute", "silence=2"]);
    assert!(outcome.success, "{}", outcome.everything);
}

#[test]
fn a_peer_that_lives_but_does_not_come_is_stuck() {
    let outcome = mpirun(2, &[], &["stuck", "stall=1", "abort=1"]);
    assert!(!outcome.success, "{}", outcome.everything);
    let said = outcome.said[0].as_deref().unwrap_or_default();
    assert!(said.contains("lost=true"), "{}", outcome.everything);
    assert!(said.contains("rank 1 did not take part"), "{}", outcome.everything);
}

#[test]
fn ranks_that_call_different_operations() {
    let outcome = mpirun(2, &[], &["mismatch"]);
    assert!(!outcome.success, "{}", outcome.everything);
    // The launcher ends the run with the first rank that fails: the other one may not have spoken.
    let zero = "rank 0 calls a sum of 1000 f32 values, rank 1 calls barrier";
    let one = "rank 1 calls barrier, rank 0 calls a sum of 1000 f32 values";
    assert!(
        outcome.everything.contains(zero) || outcome.everything.contains(one),
        "{}",
        outcome.everything
    );
}

#[test]
fn ranks_that_differ_are_named_on_all_ranks() {
    let outcome = mpirun(3, &[], &["disagree"]);
    assert!(outcome.success, "{}", outcome.everything);
    for said in &outcome.said {
        let expected = "configuration of rank 1 differs from that of rank 0";
        assert_eq!(said.as_deref(), Some(expected), "{}", outcome.everything);
    }
}

/// No launcher, no MPI: a program that was built for many processes runs alone.
#[test]
fn without_a_launcher() {
    let output = Command::new(example()).arg("sums").output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("rank 0: sums over 1 ranks"));
}

/// The MPI library finds one process where the launcher says two.
#[test]
fn a_launcher_of_another_mpi() {
    let output = Command::new(example()).arg("sums").env("PMI_SIZE", "2").output().unwrap();
    assert!(!output.status.success());
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        stdout.starts_with(
            "start: PMI_SIZE says that this is one of 2 processes, but the MPI library finds 1"
        ),
        "{stdout}"
    );
}
