use crate::{Collective, CollectiveError};

/// All ranks hold their value against that of rank 0, and all learn who differs.
pub(crate) fn agree(
    collective: &mut Collective,
    what: &str,
    value: &[u8],
) -> Result<(), CollectiveError> {
    let mut reference = value.to_vec();
    collective.broadcast(&mut reference, 0)?;
    let mut differs = vec![0.0; collective.world_size()];
    if let Some(own) = differs.get_mut(collective.rank()) {
        *own = f64::from(u8::from(reference != value));
    }
    collective.all_reduce_sum_f64(&mut differs)?;
    let ranks: Vec<usize> = differs
        .iter()
        .enumerate()
        .filter(|(_, differs)| **differs > 0.0)
        .map(|(rank, _)| rank)
        .collect();
    if ranks.is_empty() {
        return Ok(());
    }
    Err(CollectiveError::Disagreement { what: what.to_owned(), ranks })
}
