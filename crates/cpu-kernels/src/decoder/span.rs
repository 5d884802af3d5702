/// A run of neighbouring tokens of one sequence in a flat batch.
///
/// A batch has no padding: the tokens of all sequences lie one after the other, and spans say whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Index of the first token in the flat batch.
    pub start: usize,
    /// Number of tokens.
    pub len: usize,
    /// Position of the first token in its sequence: how many tokens of it are in the cache already.
    pub position: usize,
    /// Slot of the cache that holds the sequence; without a cache of no meaning.
    pub slot: usize,
}
