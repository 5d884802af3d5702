/// Derivatives of a function at some of its inputs, by central differences in f64.
pub(crate) struct Derivatives {
    inputs: usize,
    of_inputs: Vec<(usize, f64)>,
}

impl Derivatives {
    /// By every `step`-th input.
    pub(crate) fn new(value: impl Fn(&[f64]) -> f64, inputs: &[f32], step: usize) -> Self {
        const H: f64 = 1e-4;
        let mut at: Vec<f64> = inputs.iter().map(|&x| f64::from(x)).collect();
        let derivative = |i: usize| {
            let x = at[i];
            let mut moved = |by: f64| {
                at[i] = x + by;
                value(&at)
            };
            // Four points: what is left is of the order of h⁴.
            let near = moved(H) - moved(-H);
            let far = moved(2.0 * H) - moved(-2.0 * H);
            at[i] = x;
            (i, (8.0 * near - far) / (12.0 * H))
        };
        let of_inputs = (0..inputs.len()).step_by(step).map(derivative).collect();
        Self { inputs: inputs.len(), of_inputs }
    }

    /// Holds a gradient against them; `tolerance` is relative to its largest value, or to 1 where that is smaller.
    #[track_caller]
    pub(crate) fn check(&self, what: &str, gradient: &[f32], tolerance: f64) {
        assert_eq!(self.inputs, gradient.len(), "{what}");
        let largest = gradient.iter().fold(1.0, |a: f64, &g| a.max(f64::from(g).abs()));
        for &(i, expected) in &self.of_inputs {
            let error = (f64::from(gradient[i]) - expected).abs();
            assert!(
                error <= tolerance * largest,
                "{what}: gradient {i} is {}, expected {expected}, the largest is {largest}",
                gradient[i]
            );
        }
    }
}
