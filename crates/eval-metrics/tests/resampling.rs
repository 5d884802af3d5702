//! Bootstrap intervals against the Python package arch, on any number of threads.

mod returns_reference;

use eval_metrics::MetricError;
use eval_metrics::resampling::*;
use eval_metrics::returns::{PeriodsPerYear, beta, sharpe};
use returns_reference::{index_returns, lcg, meets, reference};
use serde_json::json;

const SCHEMES: [Resampling; 3] = [
    Resampling::Iid,
    Resampling::Stationary { mean_block: 20.0 },
    Resampling::Circular { block: 20 },
];

fn annual_sharpe(values: &[f64]) -> Result<f64, MetricError> {
    sharpe(values, 0.0, PeriodsPerYear::DAILY)
}

fn mean(values: &[f64]) -> Result<f64, MetricError> {
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

#[test]
fn block_lengths_are_those_of_arch() {
    let (_, r, _) = index_returns();
    let want = reference()["bootstrap"].clone();
    let found = optimal_block_length(&r).unwrap();
    meets("stationary", Ok(found.stationary), &want["optimal_block_stationary"]);
    meets("circular", Ok(found.circular), &want["optimal_block_circular"]);
    meets("stationary", Ok(found.stationary), &json!(9.085238759522046));
    meets("circular", Ok(found.circular), &json!(10.400002205022451));
    for (index, count) in [10, 11, 30, 200, 1000, 3000].into_iter().enumerate() {
        let mut level = 0.0;
        let values: Vec<f64> = lcg(500 + index as u64, count)
            .iter()
            .map(|u| {
                level = [0.0, 0.9, -0.6][index % 3] * level + (u - 0.5);
                level
            })
            .collect();
        let found = optimal_block_length(&values).unwrap();
        meets("stationary", Ok(found.stationary), &want["random_blocks"][index][0]);
        meets("circular", Ok(found.circular), &want["random_blocks"][index][1]);
    }
    assert!(matches!(optimal_block_length(&[0.1; 30]), Err(MetricError::Undefined { .. })));
    let few = Err(MetricError::TooFew { needed: 10, got: 9 });
    assert_eq!(optimal_block_length(&r[..9]), few);
}

/// Intervals of arch 8.0.0 with an unknown seed and number of replicates. They differ from those
/// of its own 100,000 replicates by what 1,000 or more replicates explain.
const WITH_FEWER_REPLICATES: [(&str, [f64; 2]); 5] = [
    ("iid_percentile", [-0.17283238546020202, 0.741762584115859]),
    ("iid_basic", [-0.17628412602664512, 0.7383108435494159]),
    ("iid_bca", [-0.17705945735868978, 0.7365761755749675]),
    ("stationary_20_percentile", [-0.08450746230773144, 0.6542776591962787]),
    ("stationary_20_basic", [-0.08879920110706474, 0.6499859203969454]),
];

/// Both ends of each interval lie within what chance explains.
///
/// The p quantile of R replicates of about normal distribution has a standard error of
/// `√(p(1 − p)/R)/φ(z)` standard deviations: 2.67/√R at 2.5 %. For BCa the correction for bias adds
/// about `2·1.25/√R`. arch drew 100,000 replicates (1,000 where the number is unknown) and we draw
/// 2,000. Four standard errors of the difference are allowed.
#[test]
fn intervals_are_those_of_arch() {
    let (_, r, _) = index_returns();
    let want = reference()["bootstrap"]["intervals"].clone();
    let names = ["iid", "stationary_20", "circular_20"];
    let methods = [
        ("percentile", IntervalMethod::Percentile),
        ("basic", IntervalMethod::Basic),
        ("bca", IntervalMethod::Bca),
    ];
    let mut checked = 0;
    for (name, resampling) in names.into_iter().zip(SCHEMES) {
        for (method, interval) in methods {
            let bootstrap = Bootstrap { resampling, interval, seed: 7, ..Bootstrap::default() };
            let found = bootstrap_interval(&r, &bootstrap, annual_sharpe).unwrap();
            assert!((found.estimate - 0.28273922904460697).abs() < 1e-12);
            assert_eq!((found.replicates, found.undefined), (2_000, 0));

            let name = format!("{name}_{method}");
            let of_correction = if method == "bca" { 2.5 } else { 0.0 };
            let near = |want: [f64; 2], replicates: f64| {
                let errors = 2.67_f64.hypot(of_correction) * (1.0 / 2e3 + 1.0 / replicates).sqrt();
                let allowed = 4.0 * errors * found.standard_error;
                for (found, want) in [found.lower, found.upper].into_iter().zip(want) {
                    let is_near = (found - want).abs() < allowed;
                    assert!(is_near, "{name}: {found}, not {want} ± {allowed}");
                }
            };
            near(serde_json::from_value(want[&name].clone()).unwrap(), 1e5);
            checked += 1;
            for (_, ends) in WITH_FEWER_REPLICATES.iter().filter(|(other, _)| *other == name) {
                near(*ends, 1e3);
                checked += 1;
            }
        }
    }
    assert_eq!(checked, want.as_object().unwrap().len() + WITH_FEWER_REPLICATES.len());
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (_, r, b) = index_returns();
    let (r, b) = (&r[..400], &b[..400]);
    for resampling in SCHEMES {
        for interval in [IntervalMethod::Percentile, IntervalMethod::Basic, IntervalMethod::Bca] {
            let bootstrap = Bootstrap {
                resampling,
                interval,
                replicates: 300,
                seed: 3,
                ..Bootstrap::default()
            };
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let own = bootstrap_interval(r, &bootstrap, annual_sharpe).unwrap();
                    let both = paired_bootstrap_interval(r, b, &bootstrap, beta).unwrap();
                    let bits = |found: BootstrapInterval| {
                        let BootstrapInterval {
                            estimate, lower, upper, standard_error, bias, ..
                        } = found;
                        [estimate, lower, upper, standard_error, bias].map(f64::to_bits)
                    };
                    (bits(own), bits(both))
                })
            };
            let one = on(1);
            assert_eq!(one, on(2));
            assert_eq!(one, on(5));
            let other = Bootstrap { seed: 4, ..bootstrap };
            let found = bootstrap_interval(r, &other, annual_sharpe).unwrap();
            assert_ne!(found.lower.to_bits(), one.0[1], "another seed is another sample");
        }
    }
}

/// The same seed gives these bits in every version and on every machine.
#[test]
fn the_numbers_stay() {
    let drawn = |resampling| {
        let bootstrap = Bootstrap { resampling, replicates: 2, seed: 42, ..Bootstrap::default() };
        let seen = std::sync::Mutex::new(Vec::new());
        bootstrap_interval_of_indices(12, &bootstrap, |indices| {
            seen.lock().unwrap().push(indices.to_vec());
            Ok(indices[0] as f64)
        })
        .unwrap();
        let mut seen = seen.into_inner().unwrap();
        seen.sort();
        format!("{seen:?}")
    };
    let all = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]";
    assert!(drawn(Resampling::Iid).contains(all), "the values as they are come first");
    assert_eq!(
        drawn(Resampling::Iid),
        "[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [0, 1, 4, 10, 3, 0, 3, 6, 7, 2, 2, 1], [6, 6, 10, 0, 11, 4, 1, 7, 11, 6, 8, 11]]"
    );
    assert_eq!(
        drawn(Resampling::Stationary { mean_block: 4.0 }),
        "[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [0, 4, 5, 6, 3, 4, 5, 2, 8, 9, 10, 11], [6, 7, 8, 11, 0, 7, 8, 9, 10, 11, 0, 5]]"
    );
    assert_eq!(
        drawn(Resampling::Circular { block: 5 }),
        "[[0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 4, 5], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [6, 7, 8, 9, 10, 6, 7, 8, 9, 10, 10, 11]]"
    );
}

/// make.py draws the same replicates by a generator of its own, and makes intervals of them with
/// NumPy and SciPy.
#[test]
fn intervals_of_the_same_replicates() {
    let values: Vec<f64> = lcg(321, 40).iter().map(|u| -(1.0 - u).ln()).collect();
    let want = reference()["replicates"].clone();
    let schemes = [
        ("iid", Resampling::Iid),
        ("stationary", Resampling::Stationary { mean_block: 4.0 }),
        ("circular", Resampling::Circular { block: 4 }),
    ];
    let methods = [
        ("percentile", IntervalMethod::Percentile),
        ("basic", IntervalMethod::Basic),
        ("bca", IntervalMethod::Bca),
    ];
    for (name, resampling) in schemes {
        for (method, interval) in methods {
            let bootstrap =
                Bootstrap { resampling, interval, confidence: 0.9, replicates: 301, seed: 99 };
            let found = bootstrap_interval(&values, &bootstrap, annual_sharpe).unwrap();
            let name_of = |part: &str| format!("{name} {method} {part}");
            meets(&name_of("lower"), Ok(found.lower), &want[name][method][0]);
            meets(&name_of("upper"), Ok(found.upper), &want[name][method][1]);
            meets(&name_of("error"), Ok(found.standard_error), &want[name]["moments"][0]);
            meets(&name_of("bias"), Ok(found.bias), &want[name]["moments"][1]);
        }
    }
}

/// A 95 % interval of a mean should hold the true one in 95 % of samples. Of 400 samples that is
/// 380, give or take 4.4; a percentile interval of 60 values holds it a little less often.
#[test]
fn intervals_hold_the_true_mean() {
    let samples = normals(9_000, 400 * 60);
    for resampling in [Resampling::Iid, Resampling::Circular { block: 2 }] {
        let holding = samples.chunks(60).zip(0..).filter(|(values, seed)| {
            let bootstrap =
                Bootstrap { resampling, replicates: 500, seed: *seed, ..Bootstrap::default() };
            let found = bootstrap_interval(values, &bootstrap, mean).unwrap();
            found.lower <= 0.0 && 0.0 <= found.upper
        });
        let holding = holding.count();
        assert!((358..=394).contains(&holding), "{holding} of 400");
    }
}

/// Values that depend on each other: only blocks see how uncertain their mean is.
#[test]
fn blocks_see_dependence() {
    let mut level = 0.0;
    let values: Vec<f64> = normals(77, 4_000)
        .iter()
        .map(|noise| {
            level = 0.8 * level + noise;
            level
        })
        .collect();
    let error = |resampling| {
        let bootstrap = Bootstrap { resampling, replicates: 600, ..Bootstrap::default() };
        bootstrap_interval(&values, &bootstrap, mean).unwrap().standard_error
    };
    let block = optimal_block_length(&values).unwrap();
    // The long-run standard deviation is 1/(1 − 0.8), that of the values 1/√(1 − 0.8²).
    let true_error = 5.0 / 4_000_f64.sqrt();
    let stationary = error(Resampling::Stationary { mean_block: block.stationary });
    let circular = error(Resampling::Circular { block: block.circular.round() as usize });
    for found in [stationary, circular] {
        assert!((found / true_error - 1.0).abs() < 0.25, "{found}, not {true_error}");
    }
    let iid = error(Resampling::Iid);
    assert!((iid / true_error - 1.0 / 3.0).abs() < 0.05, "{iid} of {true_error}");
}

#[test]
fn differences_are_drawn_together() {
    let left = normals(1, 300);
    let right: Vec<f64> = left.iter().map(|value| value - 0.25).collect();
    let bootstrap = Bootstrap { replicates: 200, ..Bootstrap::default() };
    let found = bootstrap_difference(&left, &right, &bootstrap, mean).unwrap();
    // The same indices on both sides leave nothing but the constant.
    for value in [found.estimate, found.lower, found.upper] {
        assert!((value - 0.25).abs() < 1e-12, "{found:?}");
    }
    let alone = bootstrap_interval(&left, &bootstrap, mean).unwrap();
    let by_index = bootstrap_interval_of_indices(left.len(), &bootstrap, |indices| {
        mean(&indices.iter().map(|&index| left[index]).collect::<Vec<_>>())
    });
    assert_eq!(by_index, Ok(alone), "indices and values are drawn alike");
    let lengths = bootstrap_difference(&left, &right[1..], &bootstrap, mean);
    assert_eq!(lengths, Err(MetricError::Lengths { left: 300, right: 299 }));
}

/// BCa of the mean of an exponential sample: what scipy.stats.bootstrap calls BCa lies to the right
/// of the percentile interval, as theory has it for a long right tail.
#[test]
fn bca_moves_with_the_skewness() {
    let values: Vec<f64> = lcg(3, 80).iter().map(|u| -(1.0 - u).ln()).collect();
    let of = |interval| {
        let bootstrap = Bootstrap { interval, replicates: 4_000, ..Bootstrap::default() };
        bootstrap_interval(&values, &bootstrap, mean).unwrap()
    };
    let (plain, bca) = (of(IntervalMethod::Percentile), of(IntervalMethod::Bca));
    assert!(bca.lower > plain.lower && bca.upper > plain.upper, "{plain:?} {bca:?}");
    assert_eq!((plain.bias, plain.standard_error), (bca.bias, bca.standard_error));
}

#[test]
fn replicates_without_a_value_are_counted() {
    let bootstrap = Bootstrap { replicates: 1_000, ..Bootstrap::default() };
    // Of the 27 ways to draw three of three values, 3 are of one value alone.
    let found = bootstrap_interval(&[0.01, 0.02, 0.04], &bootstrap, annual_sharpe).unwrap();
    assert_eq!(found.replicates + found.undefined, 1_000);
    assert!((70..160).contains(&found.undefined), "{}", found.undefined);
    // 3 of 7 above 0, or 5 and more: the share of such replicates is 0.29 + 0.11.
    let rare = |values: &[f64]| match values.iter().filter(|value| **value > 0.0).count() {
        3 | 5.. => Ok(1.0),
        _ => Err(MetricError::Undefined { reason: "another number above 0" }),
    };
    let found = bootstrap_interval(&[1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0], &bootstrap, rare);
    let reason = "fewer than half of the replicates have a value";
    assert_eq!(found, Err(MetricError::Undefined { reason }));
    // Any other error is not chance.
    let broken = |_: &[f64]| Err(MetricError::NotFinite { index: 0 });
    let found = bootstrap_interval(&[1.0, 2.0], &bootstrap, broken);
    assert_eq!(found, Err(MetricError::NotFinite { index: 0 }));
}

#[test]
fn settings_outside_of_their_range() {
    let values = lcg(1, 30);
    let check = |bootstrap: Bootstrap, want: &str| {
        let error = bootstrap_interval(&values, &bootstrap, mean).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    let default = Bootstrap { replicates: 50, ..Bootstrap::default() };
    let resampling = |resampling| Bootstrap { resampling, ..default };
    check(resampling(Resampling::Circular { block: 0 }), "the block length is 0");
    check(resampling(Resampling::Circular { block: 31 }), "the block length is 31");
    check(resampling(Resampling::Stationary { mean_block: 0.9 }), "the mean block length is 0.9");
    check(resampling(Resampling::Stationary { mean_block: f64::NAN }), "the mean block length");
    check(Bootstrap { confidence: 1.0, ..default }, "the confidence is 1");
    check(Bootstrap { confidence: f64::NAN, ..default }, "the confidence");
    check(Bootstrap { replicates: 1, ..default }, "the number of replicates is 1");
    let few = bootstrap_interval(&[1.0], &default, mean);
    assert_eq!(few, Err(MetricError::TooFew { needed: 2, got: 1 }));
    let bad = bootstrap_interval(&[1.0, f64::NAN], &default, mean);
    assert_eq!(bad, Err(MetricError::NotFinite { index: 1 }));
    let bca = Bootstrap { interval: IntervalMethod::Bca, ..default };
    let found = bootstrap_interval(&[1.0; 9], &bca, mean);
    assert!(matches!(found, Err(MetricError::Undefined { .. })), "{found:?}");
    let mut outlier = [0.0; 20];
    outlier[7] = 100.0;
    let far = Bootstrap { confidence: 1.0 - 1e-12, ..bca };
    let error = bootstrap_interval(&outlier, &far, mean).unwrap_err().to_string();
    assert!(error.contains("the acceleration is too large"), "{error}");
    let highest = |values: &[f64]| Ok(values.iter().copied().fold(f64::MIN, f64::max));
    assert!(bootstrap_interval(&values, &bca, highest).is_ok());
    let one = Resampling::Stationary { mean_block: 1.0 };
    assert!(bootstrap_interval(&values, &resampling(one), mean).is_ok());
    let whole = Resampling::Circular { block: 30 };
    let found = bootstrap_interval(&values, &resampling(whole), mean).unwrap();
    assert!(found.standard_error < 1e-15, "one block of all values is the values, turned around");
}

/// About normal: sums of twelve uniform numbers, minus 6.
fn normals(seed: u64, count: usize) -> Vec<f64> {
    lcg(seed, 12 * count).chunks(12).map(|chunk| chunk.iter().sum::<f64>() - 6.0).collect()
}
