//! Every moment at which a save or a removal may be killed, made by hand.

use std::fs::{self, File};
use std::path::Path;

use super::test_folders::{list, save};
use super::{newest, prune};

const STAGED: &str = ".checkpoint-2.partial-train-20260101T000000Z-1";
const REPLACED: &str = ".checkpoint-2.partial-train-20260101T000000Z-1-replaced";

fn remains(root: &Path) -> Option<String> {
    let found = newest(root).expect("a list").found?;
    Some(fs::read_to_string(found.path.join("deep/adapter")).expect("text"))
}

/// `crash` makes what a process killed at that moment leaves of a folder with checkpoint 1, and 2 in the making.
fn check(moment: &str, crash: impl FnOnce(&Path), newest_is: &str, steps: &[&str]) {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path();
    save(root, 1, "one");
    crash(root);
    assert_eq!(remains(root).as_deref(), Some(newest_is), "{moment}");
    assert_eq!(remains(root).as_deref(), Some(newest_is), "{moment}, asked again");
    // The resumed run saves the same step again, and then goes on.
    save(root, 2, "two again");
    assert_eq!(remains(root).as_deref(), Some("two again"), "{moment}");
    save(root, 3, "three");
    assert_eq!(remains(root).as_deref(), Some("three"), "{moment}");
    assert_eq!(list(root), steps, "{moment}: litter");
}

const ALL: [&str; 3] = ["checkpoint-1", "checkpoint-2", "checkpoint-3"];

/// A whole checkpoint of step 2 under some name; made elsewhere, since a save sweeps.
fn saved_as(root: &Path, name: &str, text: &str) {
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::rename(save(elsewhere.path(), 2, text), root.join(name)).expect("a name");
}

#[test]
fn a_first_save_of_a_step() {
    check("folder made", |root| fs::create_dir(root.join(STAGED)).unwrap(), "one", &ALL);
    check(
        "lock made",
        |root| {
            fs::create_dir(root.join(STAGED)).unwrap();
            File::create(root.join(STAGED).join(".lock")).unwrap();
        },
        "one",
        &ALL,
    );
    check(
        "a file half written",
        |root| {
            fs::create_dir(root.join(STAGED)).unwrap();
            File::create(root.join(STAGED).join(".lock")).unwrap();
            fs::write(root.join(STAGED).join("adapter"), "tw").unwrap();
        },
        "one",
        &ALL,
    );
    check(
        "lock removed, no manifest",
        |root| {
            saved_as(root, STAGED, "two");
            fs::remove_file(root.join(STAGED).join("manifest.json")).unwrap();
        },
        "one",
        &ALL,
    );
    check("all but the rename", |root| saved_as(root, STAGED, "two"), "one", &ALL);
    check("renamed", |root| drop(save(root, 2, "two")), "two", &ALL);
}

#[test]
fn a_save_of_a_step_that_is_there() {
    check(
        "new one staged",
        |root| {
            save(root, 2, "old");
            saved_as(root, STAGED, "new");
        },
        "old",
        &ALL,
    );
    check(
        "old one moved aside",
        |root| {
            saved_as(root, REPLACED, "old");
            saved_as(root, STAGED, "new");
        },
        "old",
        &ALL,
    );
    check(
        "new one renamed",
        |root| {
            saved_as(root, REPLACED, "old");
            saved_as(root, "checkpoint-2", "new");
        },
        "new",
        &ALL,
    );
    check(
        "old one half removed",
        |root| {
            saved_as(root, REPLACED, "old");
            fs::remove_dir_all(root.join(REPLACED).join("deep")).unwrap();
            saved_as(root, "checkpoint-2", "new");
        },
        "new",
        &ALL,
    );
    check(
        "old one moved aside, and damaged",
        |root| {
            saved_as(root, REPLACED, "old");
            fs::write(root.join(REPLACED).join("deep/adapter"), "odd").unwrap();
        },
        "one",
        &ALL,
    );
}

#[test]
fn a_save_in_progress_is_not_swept() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join(STAGED)).unwrap();
    let lock = File::create(root.path().join(STAGED).join(".lock")).unwrap();
    lock.lock().unwrap();
    save(root.path(), 3, "x");
    assert_eq!(list(root.path()), [STAGED, "checkpoint-3"]);
    drop(lock);
    save(root.path(), 4, "x");
    assert_eq!(list(root.path()), ["checkpoint-3", "checkpoint-4"]);
}

#[test]
fn a_removal_that_was_killed_is_ended_by_the_next() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for step in [1, 2, 3] {
        save(root, step, "x");
    }
    // Killed behind the rename, and with some of its files gone.
    fs::rename(root.join("checkpoint-1"), root.join(".checkpoint-1.partial-pruned")).unwrap();
    fs::remove_file(root.join(".checkpoint-1.partial-pruned/manifest.json")).unwrap();
    assert_eq!(newest(root).unwrap().found.unwrap().state.step, 3);
    prune(root, 1, &[]).unwrap();
    assert_eq!(list(root), ["checkpoint-3"]);
}
