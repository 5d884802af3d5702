/// The text, or as many of its first words as fit into `limit` characters with the `…` after them.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(1);
    let end = text.char_indices().nth(room).map_or(text.len(), |(at, _)| at);
    let words = match text[end..].starts_with(' ') {
        true => &text[..end],
        // A word longer than the limit is cut; otherwise nothing would be left.
        false => text[..end].rsplit_once(' ').map_or(&text[..end], |(words, _)| words),
    };
    format!("{}…", words.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn at_a_word() {
        for (limit, want) in [
            (13, "one two three"),
            (12, "one two…"),
            (8, "one two…"),
            (7, "one…"),
            (4, "one…"),
            (3, "on…"),
            (1, "…"),
        ] {
            assert_eq!(shorten("one two three", limit), want, "{limit}");
        }
        assert_eq!(shorten("éééé", 3), "éé…");
    }

    proptest! {
        #[test]
        fn never_longer(text in "(a|é| ){0,20}", limit in 1..25_usize) {
            prop_assert!(shorten(&text, limit).chars().count() <= limit);
        }
    }
}
