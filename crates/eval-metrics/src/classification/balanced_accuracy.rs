use super::ConfusionMatrix;

/// The mean recall of the classes that occur in the truth, 0 to 1; not adjusted for chance.
///
/// A class without an example has no recall and is left out, as in scikit-learn, so that this
/// differs from the report's macro recall, which counts such a class as 0.
///
/// Source: Brodersen et al. (2010), "The balanced accuracy and its posterior distribution".
pub fn balanced_accuracy(matrix: &ConfusionMatrix) -> f64 {
    let supports = matrix.supports();
    let recalls: Vec<f64> = (0..matrix.classes())
        .filter(|class| supports[*class] > 0)
        .map(|class| matrix.rows()[class][class] as f64 / supports[class] as f64)
        .collect();
    recalls.iter().sum::<f64>() / recalls.len() as f64
}
