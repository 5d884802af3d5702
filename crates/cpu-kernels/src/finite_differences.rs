/// Holds a gradient against central differences of `value` in f64, at every `step`-th of `inputs`.
///
/// `tolerance` is relative to the largest gradient, or to 1 where that is smaller.
#[track_caller]
pub(crate) fn check_gradient(
    what: &str,
    value: impl Fn(&[f64]) -> f64,
    inputs: &[f32],
    step: usize,
    gradient: &[f32],
    tolerance: f64,
) {
    assert_eq!(inputs.len(), gradient.len(), "{what}");
    let mut at: Vec<f64> = inputs.iter().map(|&x| f64::from(x)).collect();
    let largest = gradient.iter().fold(1.0, |a: f64, &g| a.max(f64::from(g).abs()));
    for i in (0..inputs.len()).step_by(step) {
        const H: f64 = 1e-4;
        let x = at[i];
        // Four points: what is left is of the order of h⁴.
        let mut moved = |by: f64| {
            at[i] = x + by;
            value(&at)
        };
        let near = moved(H) - moved(-H);
        let far = moved(2.0 * H) - moved(-2.0 * H);
        at[i] = x;
        let expected = (8.0 * near - far) / (12.0 * H);
        let got = f64::from(gradient[i]);
        let error = (got - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}: gradient {i} is {got}, expected {expected}, the largest is {largest}"
        );
    }
}
