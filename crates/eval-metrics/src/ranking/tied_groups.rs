/// Values of `what` grouped by equal score, the highest score first.
pub(super) fn by_falling_score<T: Copy>(scores: &[f64], what: &[T]) -> Vec<Vec<T>> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let groups = order.chunk_by(|a, b| scores[*a] == scores[*b]);
    groups.map(|group| group.iter().map(|index| what[*index]).collect()).collect()
}

/// Refuses to look at the first 0 of a list.
pub(super) fn check_k(k: usize) -> Result<(), crate::MetricError> {
    if k == 0 {
        return Err(crate::MetricError::OutOfRange { name: "k", value: 0.0, range: "1 and more" });
    }
    Ok(())
}
