/// The candidate that `name` was probably meant to be: the one with the fewest changed, added, lost or
/// swapped letters, if these are no more than a third of it, or if one of the two begins with the
/// other.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = candidates.into_iter().filter_map(|candidate| {
        let distance = strsim::osa_distance(name, candidate);
        let letters = name.chars().count().max(candidate.chars().count());
        let begins = candidate.starts_with(name) || name.starts_with(candidate);
        (begins || distance <= (letters / 3).max(1)).then_some((distance, candidate))
    });
    // Of several, the first one.
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_meant() {
        let check = |name, candidates: &[&str], want| {
            assert_eq!(nearest(name, candidates.iter().copied()), want, "{name}");
        };
        check("rank", &["r", "alpha", "dropout", "dora"], Some("r"));
        check("epoch", &["epochs", "eps"], Some("epochs"));
        check("epohcs", &["epochs"], Some("epochs"));
        check("learning_rte", &["learning_rate", "logging"], Some("learning_rate"));
        check("max_len", &["max_length", "max_steps"], Some("max_length"));
        check("colour", &["seed", "epochs"], None);
        check("nf5", &["nf4", "int8"], Some("nf4"));
        check("", &[], None);
    }
}
