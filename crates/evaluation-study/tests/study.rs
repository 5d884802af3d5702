//! Small cases by hand, and properties.

mod made_rows;

use evaluation_study::{
    BootstrapSettings, EvaluatedRow, Figure, ModelAnswer, ModelName, StudyError, StudySettings,
    ValidationRow, Warning, study,
};
use made_rows::{answer, answer_of, row};
use proptest::prelude::*;
use thesis_core::Action::{self, *};
use thesis_core::AnswerOutcome;

const NAN: f64 = f64::NAN;

fn settings(windows: &[u32]) -> StudySettings {
    let bootstrap = BootstrapSettings { replicates: 200, ..BootstrapSettings::default() };
    StudySettings { forward_windows: windows.to_vec(), bootstrap, ..StudySettings::default() }
}

/// Four days; the third answer has no action, the fourth is wrong.
fn four_rows() -> Vec<EvaluatedRow> {
    vec![
        row("a", "2024-01-02", Buy, &[0.02, 0.10], answer(Buy)),
        row("b", "2024-01-03", Sell, &[0.01, NAN], answer(Sell)),
        row("c", "2024-01-04", Hold, &[0.00, NAN], answer_of("no idea")),
        row("d", "2024-02-05", Sell, &[-0.03, NAN], answer(StrongBuy)),
    ]
}

#[test]
fn four_rows_by_hand() {
    let study = study(&four_rows(), None, &settings(&[1, 5])).unwrap();
    assert_eq!((study.rows, study.dates, study.tickers), (4, 4, 1));
    assert_eq!(study.labels, [0, 1, 1, 2, 0]);
    let calls = &study.tuned.calls;
    assert_eq!((calls.accuracy.value, calls.direction_accuracy.value), (0.5, 0.5));
    assert_eq!(calls.without_action, 1);
    assert_eq!(calls.confusion[Hold.index()], [0, 0, 0, 0, 0, 1]);
    assert_eq!(calls.confusion[Sell.index()], [1, 0, 0, 1, 0, 0]);
    // F1 of BUY 1, of HOLD 0, of SELL 2/3; recalls 1, 0 and 1/2.
    assert!((calls.macro_f1.value - (1.0 + 2.0 / 3.0) / 3.0).abs() < 1e-15);
    assert!((calls.balanced_accuracy.value - 0.5).abs() < 1e-15);
    let language = study.tuned.language.unwrap();
    assert_eq!((language.loss.value, language.perplexity.value), (1.0, std::f64::consts::E));
    assert_eq!(study.tuned.tags.valid.value, 0.75);

    let [short, long] = study.tuned.windows.as_slice() else { panic!("two windows") };
    // Right on the first day only, of three calls; the two that are no hold of four in direction.
    assert_eq!((short.hits, short.judged, short.known, short.unknown), (1, 3, 4, 0));
    assert_eq!(short.direction.unwrap().value, 0.25);
    assert!((short.call_return.unwrap().value - (0.02 - 0.01 - 0.03) / 3.0).abs() < 1e-15);
    assert_eq!((long.known, long.unknown, long.judged), (1, 3, 1));
    let counts: Vec<u64> = long.actions.iter().map(|a| a.returns.unknown_returns).collect();
    assert_eq!(counts, [1, 0, 0, 1, 0]);
    assert_eq!(long.action_information.as_ref().unwrap().rows, 1);
    assert!((study.returns[0].mean_return.unwrap().value).abs() < 1e-15);
    assert_eq!(study.returns[0].share_up.unwrap().value, 0.5);

    let flat = StudySettings { flat_band: 0.01, ..settings(&[1, 5]) };
    let flat = evaluation_study::study(&four_rows(), None, &flat).unwrap();
    // The labels: a buy that rose, a sell that was flat, a hold that was flat, a sell that fell.
    assert_eq!(flat.label_windows[0].direction.unwrap().value, 0.75);
    assert!(study.tuned.calibration.is_none() && study.base.is_none());
}

#[test]
fn a_few_dates_have_the_intervals_that_they_can() {
    let rows = four_rows();
    let judged = study(&rows, None, &settings(&[1, 5])).unwrap();
    let accuracy = judged.tuned.calls.accuracy;
    assert_eq!((accuracy.dates, accuracy.block_dates), (4, 1));
    assert!(accuracy.lower.unwrap() <= accuracy.value && accuracy.value <= accuracy.upper.unwrap());
    let alone = study(&rows[..1], None, &settings(&[1, 5])).unwrap();
    let Some(loss) = alone.tuned.language else { panic!("a loss") };
    assert_eq!((loss.loss.value, loss.loss.lower, loss.loss.standard_error), (1.0, None, None));
}

#[test]
fn what_a_reader_should_know_first() {
    let judged = study(&four_rows(), None, &settings(&[1, 5])).unwrap();
    let want = [
        Warning::InvalidTags { count: 1, rows: 4 },
        Warning::WithoutAction { count: 1, rows: 4 },
        Warning::NoBetterThanMajority { accuracy: 0.5, action: Sell, share: 0.5 },
        Warning::PricesEnd { sessions: 5, count: 3, rows: 4 },
        Warning::WithoutProbabilities { count: 4, rows: 4 },
        Warning::FewDates { dates: 4 },
        Warning::AbsentLabels { actions: vec![StrongBuy, StrongSell] },
    ];
    assert_eq!(judged.warnings, want);
    for warning in want {
        assert!(warning.to_string().ends_with('.'), "{warning}");
    }

    let mut rows = four_rows();
    for row in &mut rows {
        row.uid = "same".into();
        row.forward_returns = vec![NAN, NAN];
        row.tuned = answer(Hold);
    }
    let warnings = study(&rows, None, &settings(&[1, 5])).unwrap().warnings;
    for want in [
        Warning::Collapsed { model: ModelName::Tuned, action: Hold, share: 1.0 },
        Warning::OutsidePrices { count: 4, rows: 4 },
        Warning::RepeatedUids { count: 3 },
    ] {
        assert!(warnings.contains(&want), "{warnings:?}");
    }
}

#[test]
fn probabilities_and_a_temperature() {
    let mut rows = four_rows();
    let odds = |action: Action, z: f64| {
        let mut log_probs = [-1.0; 5];
        log_probs[action.index()] = z - 1.0;
        log_probs
    };
    for row in &mut rows {
        row.tuned.action_log_probs = Some(odds(Buy, 4.0_f64.ln()));
    }
    rows[3].tuned.action_log_probs = None;
    let validation: Vec<ValidationRow> = [Buy, Buy, Buy, Sell]
        .map(|label| ValidationRow { label, tuned: Some(odds(Buy, 4.0_f64.ln())), base: None })
        .to_vec();
    let judged = study(&rows, Some(&validation), &settings(&[1, 5])).unwrap();
    let calibration = judged.tuned.calibration.unwrap();
    assert_eq!((calibration.rows, calibration.without_probabilities), (3, 1));
    // BUY has 4 of 8; three of four in the validation split need 12 of 16: T = ln 4 / ln 12.
    let temperature = calibration.temperature.unwrap().temperature;
    assert!((temperature - 4.0_f64.ln() / 12.0_f64.ln()).abs() < 1e-12);
    assert!((calibration.before.mean_confidence.value - 0.5).abs() < 1e-12);
    assert!((calibration.before.expected_calibration_error - (0.5 - 1.0 / 3.0)).abs() < 1e-12);
    let after = calibration.after.unwrap();
    assert!((after.mean_confidence.value - 0.75).abs() < 1e-12);
    assert!((after.expected_calibration_error - (0.75 - 1.0 / 3.0)).abs() < 1e-12);
    // Two rows have an action: the most probable one of the first alone.
    assert_eq!(calibration.agreement, Some(0.5));

    rows[0].tuned.action_log_probs = Some([f64::NEG_INFINITY, 0.0, -1.0, -1.0, f64::NEG_INFINITY]);
    assert!(study(&rows, Some(&validation), &settings(&[1, 5])).is_ok());
}

#[test]
fn equal_models_do_not_differ() {
    let mut rows = four_rows();
    for (index, row) in rows.iter_mut().enumerate() {
        row.tuned.loss_sum = index as f64;
        row.tuned.action_log_probs = Some([0.0, -1.0, -2.0, -3.0, -0.1 * index as f64]);
        row.tuned.reasoning_cosine = (index > 1).then_some(0.5);
        row.base = Some(row.tuned.clone());
    }
    let judged = study(&rows, None, &settings(&[1, 5])).unwrap();
    assert_eq!(judged.base.as_ref(), Some(&judged.tuned));
    let comparison = judged.comparison.unwrap();
    assert_eq!(
        (comparison.mcnemar.exact_p_value, comparison.mcnemar.corrected_p_value),
        (1.0, 1.0)
    );
    let loss = comparison.loss.unwrap();
    assert_eq!(loss.paired_t.unwrap().p_value, 1.0);
    assert_eq!(loss.diebold_mariano.unwrap().p_value, 1.0);
    assert_eq!(comparison.differences.len(), 12);
    for found in &comparison.differences {
        let difference = found.difference;
        assert_eq!(difference.value, 0.0, "{:?}", found.figure);
        assert!(difference.lower.is_none_or(|end| end == 0.0), "{:?}", found.figure);
        assert!(difference.upper.is_none_or(|end| end == 0.0), "{:?}", found.figure);
    }
    let names: Vec<Figure> = comparison.differences.iter().map(|found| found.figure).collect();
    assert!(names.contains(&Figure::HitRate(5)) && names.contains(&Figure::Brier));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let check = |change: &dyn Fn(&mut Vec<EvaluatedRow>), want: &str| {
        let mut rows = four_rows();
        change(&mut rows);
        let error = study(&rows, None, &settings(&[1, 5])).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check(&Vec::clear, "no row");
    check(&|rows| rows[1].forward_returns = vec![0.0], "row `b` has 1 forward returns");
    check(&|rows| rows[1].base = Some(answer(Buy)), "row `a` has no answer of the base model");
    check(&|rows| rows[2].forward_returns[0] = f64::INFINITY, "row `c`: a forward return is inf");
    check(&|rows| rows[2].tuned.loss_sum = NAN, "row `c`: the loss is NaN");
    check(
        &|rows| rows[0].tuned.action_log_probs = Some([0.0, NAN, 0.0, 0.0, 0.0]),
        "row `a`: the logarithm of an action's probability is NaN",
    );
    check(
        &|rows| rows[0].tuned.action_log_probs = Some([f64::NEG_INFINITY; 5]),
        "row `a`: the logarithm of an action's probability is -inf",
    );
    for (windows, bins) in [(vec![0], 10), (vec![5, 5], 10), (vec![5, 1], 10), (vec![1], 0)] {
        let settings = StudySettings { forward_windows: windows, bins, ..Default::default() };
        assert!(matches!(study(&four_rows(), None, &settings), Err(StudyError::Setting { .. })));
    }
    assert!(study(&[row("a", "2024-01-02", Buy, &[], answer(Buy))], None, &settings(&[])).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_rows_is_nothing(rows in rows(), seed in any::<u64>()) {
        let mut shuffled = rows.clone();
        let mut state = seed;
        for end in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(end, (state >> 33) as usize % (end + 1));
        }
        let settings = settings(&[1, 5]);
        let validation: Vec<ValidationRow> = rows
            .iter()
            .map(|row| ValidationRow {
                label: row.label,
                tuned: row.tuned.action_log_probs,
                base: None,
            })
            .collect();
        let mut backwards = validation.clone();
        backwards.reverse();
        let json = |rows: &[EvaluatedRow], validation: &[ValidationRow]| {
            serde_json::to_string(&study(rows, Some(validation), &settings).unwrap()).unwrap()
        };
        prop_assert_eq!(json(&rows, &validation), json(&shuffled, &backwards));
    }

    #[test]
    fn shares_are_shares_and_counts_add_up(rows in rows()) {
        let judged = study(&rows, None, &settings(&[1, 5])).unwrap();
        for model in [Some(&judged.tuned), judged.base.as_ref()].into_iter().flatten() {
            let all: u64 = model.calls.confusion.iter().flatten().sum();
            prop_assert_eq!(all, judged.rows);
            prop_assert_eq!(model.tags.outcomes.iter().map(|o| o.count).sum::<u64>(), judged.rows);
            let accuracy = model.calls.accuracy;
            for value in [Some(accuracy.value), accuracy.lower, accuracy.upper] {
                prop_assert!(value.is_none_or(|value| (0.0..=1.0).contains(&value)));
            }
            for window in &model.windows {
                prop_assert_eq!(window.known + window.unknown, judged.rows);
                prop_assert!(window.hits <= window.judged && window.judged <= window.known);
            }
        }
        // What a report says of the difference is what it says of both.
        if let (Some(base), Some(comparison)) = (&judged.base, &judged.comparison) {
            let difference = comparison.differences[0].difference.value;
            let want = judged.tuned.calls.accuracy.value - base.calls.accuracy.value;
            prop_assert!((difference - want).abs() < 1e-12);
        }
        prop_assert!(!serde_json::to_string(&judged).unwrap().contains("NaN"));
    }
}

fn rows() -> impl Strategy<Value = Vec<EvaluatedRow>> {
    let action = || prop::sample::select(Action::ALL.to_vec());
    let answer_of_model = (0..12_u8, action(), prop::option::of(-5.0..0.0_f64), 0..5_u64)
        .prop_map(|(kind, action, z, tokens)| {
            let mut made = match kind {
                0 => answer_of(""),
                1 => answer_of("buy or sell"),
                2 => answer_of(&format!("<action>{action}")),
                _ => answer(action),
            };
            made.action_log_probs =
                z.map(|z| Action::ALL.map(|a| if a == action { 0.0 } else { z }));
            made.target_tokens = tokens;
            made.reasoning_cosine = z.filter(|_| kind > 2);
            made
        })
        .boxed();
    let one = (
        1..28_u32,
        1..4_u32,
        action(),
        prop::option::of(-0.1..0.1_f64),
        answer_of_model.clone(),
        answer_of_model,
    );
    (prop::collection::vec(one, 1..30), any::<bool>()).prop_map(|(rows, with_base)| {
        type Drawn = (u32, u32, Action, Option<f64>, ModelAnswer, ModelAnswer);
        let row = |(index, drawn): (usize, Drawn)| {
            let (day, month, label, forward, tuned, base) = drawn;
            let returns = [forward.unwrap_or(NAN), forward.map_or(NAN, |r| r * r)];
            let date = format!("2024-{month:02}-{day:02}");
            let mut made = row(&format!("u{index}"), &date, label, &returns, tuned);
            made.base = with_base.then_some(base);
            made
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

#[test]
fn outcomes_are_counted() {
    let judged = study(&four_rows(), None, &settings(&[1, 5])).unwrap();
    for found in judged.tuned.tags.outcomes {
        let want = match found.outcome {
            AnswerOutcome::Valid => 3,
            AnswerOutcome::NoAction => 1,
            _ => 0,
        };
        assert_eq!(found.count, want, "{}", found.outcome);
    }
}
