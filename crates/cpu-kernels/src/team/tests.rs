use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Team;

#[test]
fn every_part_once() {
    let team = Team::new();
    for threads in [2, 3, 8] {
        for n_parts in [1, 2, 3, 7, 100] {
            for _ in 0..200 {
                let counts: Vec<_> = (0..n_parts).map(|_| AtomicUsize::new(0)).collect();
                assert!(team.run(threads, n_parts, &|i| {
                    counts[i].fetch_add(1, Ordering::Relaxed);
                }));
                assert!(
                    counts.iter().all(|c| c.load(Ordering::Relaxed) == 1),
                    "{threads} {n_parts}"
                );
            }
        }
    }
}

#[test]
fn a_team_at_work_takes_no_other_call() {
    let team = Team::new();
    let refused = AtomicUsize::new(0);
    assert!(team.run(3, 10, &|_| {
        let inner = team.run(3, 10, &|_| panic!("a team within itself"));
        refused.fetch_add(usize::from(!inner), Ordering::Relaxed);
    }));
    assert_eq!(refused.into_inner(), 10);
}

#[test]
fn callers_at_the_same_time_all_get_their_parts_done() {
    let team = Team::new();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let part = |_| {
                        done.fetch_add(1, Ordering::Relaxed);
                    };
                    if !team.run(3, 5, &part) {
                        (0..5).for_each(part);
                    }
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 6 * 500 * 5);
}

#[test]
fn a_panic_reaches_the_caller_and_the_team_lives_on() {
    let team = Team::new();
    for bad in 0..20 {
        let caught = catch_unwind(AssertUnwindSafe(|| {
            team.run(4, 20, &|i| assert_ne!(i, bad, "part {i}"));
        }));
        assert!(caught.is_err(), "part {bad}");
        let sum = Mutex::new(0);
        assert!(team.run(4, 20, &|i| *sum.lock().unwrap() += i));
        assert_eq!(sum.into_inner().unwrap(), 190);
    }
}

/// The parts of a call are written when it returns, also where a member did them.
#[test]
fn what_parts_wrote_is_seen() {
    let team = Team::new();
    let cells: Vec<_> = (0..64).map(|_| Mutex::new(0)).collect();
    for round in 1..2000 {
        assert!(team.run(2, cells.len(), &|i| *cells[i].lock().unwrap() = round * i));
        assert!(cells.iter().enumerate().all(|(i, c)| *c.lock().unwrap() == round * i));
    }
}
