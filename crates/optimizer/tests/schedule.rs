//! Learning rates against those of reference runs, and at the edges.

use optimizer::{OptimizerError, Schedule, ScheduleKind};

/// Of a run with transformers 5.23.0 and peft 0.21.2: 4 steps of warm-up, 24 in all, cosine.
const COSINE: [f64; 24] = [
    0.00075,
    0.0015,
    0.0022500000000000003,
    0.003,
    0.003,
    0.002981532510892707,
    0.0029265847744427307,
    0.0028365097862825517,
    0.002713525491562421,
    0.002560660171779821,
    0.00238167787843871,
    0.0021809857496093202,
    0.0019635254915624212,
    0.0017346516975603465,
    0.0015,
    0.0012653483024396542,
    0.001036474508437579,
    0.0008190142503906799,
    0.0006183221215612905,
    0.0004393398282201788,
    0.000286474508437579,
    0.00016349021371744833,
    7.341522555726971e-05,
    1.846748910729351e-05,
];

fn schedule(kind: ScheduleKind) -> Schedule {
    Schedule { kind, warmup: 4, total: 24, peak: 0.003, min_ratio: 0.0 }
}

#[test]
fn reference_run() {
    let schedule = schedule(ScheduleKind::Cosine);
    let got: Vec<f64> = (0..24).map(|step| schedule.learning_rate(step)).collect();
    assert_eq!(got, COSINE);
}

#[track_caller]
fn check(schedule: Schedule, want: &[(u64, f64)]) {
    schedule.check().expect("valid");
    for &(step, want) in want {
        let got = schedule.learning_rate(step);
        assert!((got - want).abs() <= 1e-15, "{schedule:?} at {step}: {got}, not {want}");
    }
}

#[test]
fn edges() {
    use ScheduleKind::{Constant, Cosine, Linear};
    check(
        schedule(Constant),
        &[(0, 0.00075), (3, 0.003), (4, 0.003), (23, 0.003), (24, 0.003), (u64::MAX, 0.003)],
    );
    check(schedule(Linear), &[(0, 0.00075), (4, 0.003), (14, 0.0015), (23, 0.00015), (24, 0.0)]);
    check(schedule(Linear), &[(25, 0.0), (u64::MAX, 0.0)]);
    check(schedule(Cosine), &[(24, 0.0), (100, 0.0)]);
    check(
        Schedule { min_ratio: 0.1, ..schedule(Cosine) },
        &[(4, 0.003), (14, 0.00165), (24, 3e-4)],
    );
    check(
        Schedule { min_ratio: 0.1, ..schedule(Linear) },
        &[(4, 0.003), (14, 0.00165), (24, 3e-4)],
    );
    // The ratio is of the fall; a constant rate has none.
    check(Schedule { min_ratio: 0.1, ..schedule(Constant) }, &[(24, 0.003)]);
    check(Schedule { warmup: 0, ..schedule(Linear) }, &[(0, 0.003), (12, 0.0015)]);
    check(Schedule { warmup: 24, ..schedule(Cosine) }, &[(11, 0.0015), (23, 0.003), (24, 0.003)]);
    check(Schedule { warmup: 0, total: 0, ..schedule(Linear) }, &[(0, 0.003), (1, 0.0)]);
}

#[test]
fn faults() {
    let fault = |schedule: Schedule| schedule.check().unwrap_err().to_string();
    let good = schedule(ScheduleKind::Linear);
    for (schedule, want) in [
        (
            Schedule { peak: f64::NAN, ..good },
            "`peak` is NaN, but must be a finite number, at least 0",
        ),
        (Schedule { peak: -1.0, ..good }, "`peak` is -1, but must be a finite number, at least 0"),
        (Schedule { min_ratio: 1.5, ..good }, "`min_ratio` is 1.5, but must be between 0 and 1"),
        (
            Schedule { min_ratio: f64::NAN, ..good },
            "`min_ratio` is NaN, but must be between 0 and 1",
        ),
        (Schedule { warmup: 25, ..good }, "`warmup` is 25, but must be at most `total`"),
    ] {
        assert_eq!(fault(schedule), want);
    }
    let error = Schedule { peak: -2.0, ..good }.check().unwrap_err();
    assert!(matches!(error, OptimizerError::Setting { name: "peak", .. }));
}

#[test]
fn text() {
    let schedule: Schedule =
        serde_json::from_str(r#"{"kind": "cosine", "warmup": 4, "total": 24, "peak": 0.003}"#)
            .unwrap();
    assert_eq!(schedule, self::schedule(ScheduleKind::Cosine));
    assert!(serde_json::from_str::<Schedule>(r#"{"kind": "cosine", "warmdown": 4}"#).is_err());
}
