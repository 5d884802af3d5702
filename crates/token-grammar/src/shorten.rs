use crate::Vocabulary;

/// The same text in as few tokens as possible; special tokens stay where they are.
///
/// Whether a grammar takes the new tokens is not known: it may see a token as more than its bytes.
pub(crate) fn shorten(tokens: &[u32], vocabulary: &Vocabulary) -> Vec<u32> {
    let mut short = Vec::with_capacity(tokens.len());
    let mut text = Vec::new();
    for id in tokens {
        match vocabulary.bytes(*id) {
            Some(bytes) => text.extend_from_slice(bytes),
            None => {
                short.extend(fewest_tokens(&text, vocabulary));
                text.clear();
                short.push(*id);
            }
        }
    }
    short.extend(fewest_tokens(&text, vocabulary));
    short
}

/// The fewest tokens that make up `bytes`, the longer ones first; empty where none do.
pub(crate) fn fewest_tokens(bytes: &[u8], vocabulary: &Vocabulary) -> Vec<u32> {
    let trie = vocabulary.trie();
    // From each place: how many tokens to the end, and the first of them with its length.
    let mut best: Vec<Option<(usize, u32, usize)>> = vec![None; bytes.len() + 1];
    best[bytes.len()] = Some((0, 0, 0));
    for from in (0..bytes.len()).rev() {
        let mut node = trie.root();
        for (at, byte) in bytes.iter().enumerate().skip(from) {
            let Some(child) = trie.child_at_byte(node, *byte) else { break };
            node = child;
            let after = best[at + 1].map(|(count, ..)| count + 1);
            if let (Some(id), Some(count)) = (node.token_id(), after)
                && best[from].is_none_or(|(known, ..)| count <= known)
            {
                best[from] = Some((count, id, at + 1 - from));
            }
        }
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some((_, id, length)) = best[at].filter(|(_, _, length)| *length > 0) {
        tokens.push(id);
        at += length;
    }
    tokens
}
